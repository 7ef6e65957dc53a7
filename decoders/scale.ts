/** Multiplies and adds as a person would: what has one decimal before has one afterwards. */

export interface Scale {
  readonly scale?: number | undefined;
  readonly offset?: number | undefined;
}

/**
 * Tenths and hundredths are divided, so that -822 becomes -82.2 and not -82.2000…01; sums are cut
 * where doubles have no more digits to tell.
 */
export function compileScale({ scale = 1, offset = 0 }: Scale): (value: number) => number {
  const divisor = Math.round(1 / scale);
  const divides = scale !== 0 && Math.abs(scale) < 1 && Math.abs(divisor * scale - 1) < 1e-12;
  const scaled = divides ? (value: number) => value / divisor : (value: number) => value * scale;
  if (offset !== 0) return (value) => withoutNoise(scaled(value) + offset);
  return scale === 1 ? (value) => value : scaled;
}

const noiseFree = 1e9;

function withoutNoise(value: number): number {
  return Math.abs(value) < 1e6 ? Math.round(value * noiseFree) / noiseFree : value;
}
