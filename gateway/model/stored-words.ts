/** The model's closed words, and how to know them again when they come back from a store. */
import type { VouchedBy } from './inbound.ts';
import type { Quality } from './reading.ts';

/** Strongest first, as in model/inbound.ts. */
export const vouchedByWords = ['mic', 'network-server', 'tls-client', 'credential'] as const;

export function isVouchedBy(value: unknown): value is VouchedBy {
  return vouchedByWords.some((word) => word === value);
}

export function isQuality(value: unknown): value is Quality {
  return value === 1 || value === 2 || value === 3 || value === 4 || value === 9;
}
