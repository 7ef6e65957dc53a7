/** The vocabulary of quantities as the server gives it. */
import type { Language } from './language.ts';

/** One of the `items` of `GET /api/v1/quantities`. */
export interface QuantityJson {
  quantity: string;
  /** UCUM; empty for states and pure numbers. */
  unit: string;
  kind: 'number' | 'state';
  names: Record<Language, string>;
  /** The smallest step a sensor tells apart, in `unit`; bounds the decimals shown. */
  resolution?: number;
  /** The words that a state can be, as people say them. */
  states?: Readonly<Record<string, { names: Record<Language, string> }>>;
}

/** The quantity's name in a language; without one, its identifier made readable. */
export function quantityName(
  known: ReadonlyMap<string, QuantityJson>,
  quantity: string,
  language: Language,
): string {
  const name = known.get(quantity)?.names[language];
  return name ?? quantity.replace(/^x_/u, '').replaceAll('_', ' ');
}

/** A state's word in a language; one that the vocabulary lacks is shown as it came. */
export function stateWord(
  known: ReadonlyMap<string, QuantityJson>,
  state: { quantity: string; value: string },
  language: Language,
): string {
  const states = known.get(state.quantity)?.states ?? {};
  const word = Object.hasOwn(states, state.value) ? states[state.value] : undefined;
  return word?.names[language] ?? state.value;
}

/** Decimals that a resolution is worth: 0.1 → 1, 0.05 → 2, 1 and more → 0. */
export function decimalsOf(resolution: number | undefined): number | undefined {
  if (resolution === undefined || !(resolution > 0)) return undefined;
  return Math.min(6, Math.max(0, -Math.floor(Math.log10(resolution) + 1e-9)));
}

const diagnostics = /^(x_|battery|rssi|snr|rsr|sinr|uptime|link)/u;

/** Orders quantities for a reader: the vocabulary's own order, a device's own health last. */
export function quantityRank(known: ReadonlyMap<string, QuantityJson>, quantity: string): number {
  const place = [...known.keys()].indexOf(quantity);
  const rank = place < 0 ? known.size : place;
  return diagnostics.test(quantity) ? rank + 10_000 : rank;
}
