/**
 * How long a frame is on the air, and how long its sender then keeps silent.
 *
 * Time on air: Semtech SX1276/77/78/79 data sheet, 4.1.1.7, with 8 preamble symbols, explicit
 * header, coding rate 4/5, and the low data rate optimisation that is mandatory for symbols of more
 * than 16 ms; uplinks carry a checksum, downlinks none [LoRaWAN 1.0.3, 3.1 and 3.2].
 */
import { bandwidth } from './propagation.ts';

const preambleSymbols = 8 + 4.25;
const plainSymbolMsMax = 16;

/** Milliseconds. */
export function symbolMs(spreadingFactor: number): number {
  return (2 ** spreadingFactor * 1_000) / bandwidth;
}

/** Whole milliseconds. */
export function airtimeMs(
  size: number,
  spreadingFactor: number,
  direction: 'up' | 'down' = 'up',
): number {
  const symbol = symbolMs(spreadingFactor);
  const spare = symbol > plainSymbolMsMax ? 2 : 0;
  const bits = 8 * size - 4 * spreadingFactor + 28 + (direction === 'up' ? 16 : 0);
  const blocks = Math.max(0, Math.ceil(bits / (4 * (spreadingFactor - spare))));
  return Math.round((preambleSymbols + 8 + blocks * 5) * symbol);
}

/**
 * The sub-bands in which EU868 has its usual channels, and their duty cycles, after the bands L, M
 * and P of ETSI EN 300 220-2, V3.2.1, annex B. LoRaWAN's regional parameters name no sub-bands.
 */
const subBands = [
  { from: 865_000_000, to: 868_000_000, dutyCycle: 0.01 },
  { from: 868_000_000, to: 868_600_000, dutyCycle: 0.01 },
  { from: 869_400_000, to: 869_650_000, dutyCycle: 0.1 },
] as const;
const otherDutyCycle = 0.001;

export interface DutyCycle {
  /** Epoch milliseconds from which on this frequency may be used again. */
  freeAt(frequency: number): number;
  sent(frequency: number, start: number, durationMs: number): void;
}

/**
 * One sender's. After each frame it keeps off the sub-band for airtime / duty cycle - airtime, as
 * LoRaWAN devices do; its share of any hour is then within the limit.
 */
export function createDutyCycle(): DutyCycle {
  const free = new Map<number, number>();
  const indexOf = (frequency: number) =>
    subBands.findIndex(({ from, to }) => frequency >= from && frequency < to);
  return {
    freeAt: (frequency) => free.get(indexOf(frequency)) ?? 0,
    sent(frequency, start, durationMs) {
      const index = indexOf(frequency);
      const { dutyCycle } = subBands[index] ?? { dutyCycle: otherDutyCycle };
      free.set(index, start + Math.ceil(durationMs / dutyCycle));
    },
  };
}
