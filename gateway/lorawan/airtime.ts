/**
 * How long a LoRa frame occupies the air, by the formula of the SX127x data sheets: 8 preamble
 * symbols, explicit header, checksum, coding rate 4/5, and the low data rate optimisation that
 * symbols of 16 ms and more need.
 */

const preambleSymbols = 8 + 4.25;
const optimisedSymbolSeconds = 0.016;

export interface Transmission {
  /** Bytes of the PHYPayload. */
  readonly size: number;
  readonly spreadingFactor: number;
  /** Hz */
  readonly bandwidth: number;
}

/** Seconds. */
export function airtimeOf({ size, spreadingFactor, bandwidth }: Transmission): number {
  const symbolSeconds = 2 ** spreadingFactor / bandwidth;
  const spare = symbolSeconds >= optimisedSymbolSeconds ? 2 : 0;
  const bits = 8 * size - 4 * spreadingFactor + 28 + 16;
  const blocks = Math.max(0, Math.ceil(bits / (4 * (spreadingFactor - spare))));
  return (preambleSymbols + 8 + blocks * 5) * symbolSeconds;
}

/** dB below which a receiver hears nothing any more; undefined for what is no spreading factor. */
export function snrFloorOf(spreadingFactor: number): number | undefined {
  if (spreadingFactor < 7 || spreadingFactor > 12) return undefined;
  return -7.5 - 2.5 * (spreadingFactor - 7);
}
