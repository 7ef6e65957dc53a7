/** Which quantities a field may be whose name the vocabulary does not know: for a person to choose. */
import { distance } from 'fastest-levenshtein';
import { fieldNames } from './field-names.ts';
import { quantities } from './quantity.ts';

const suggestionsMax = 3;
/** Names less alike than this say nothing. */
const likenessMin = 0.5;

const candidates: readonly (readonly [name: string, quantity: string])[] = [
  ...[...quantities.keys()].map((name) => [name, name] as const),
  ...[...fieldNames].map(([name, { quantity }]) => [name, quantity] as const),
];

/** The likeliest first; numbers are no states and texts no measures. */
export function suggestQuantities(field: string, value: number | string): string[] {
  const likeness = new Map<string, number>();
  for (const [name, quantity] of candidates) {
    const isState = quantities.get(quantity)?.kind === 'state';
    if (typeof value === 'string' && !isState) continue;
    const found = likenessOf(field, name);
    if (found >= likenessMin && found > (likeness.get(quantity) ?? 0))
      likeness.set(quantity, found);
  }
  const ordered = [...likeness].sort(([, one], [, other]) => other - one);
  return ordered.slice(0, suggestionsMax).map(([quantity]) => quantity);
}

/** Of words in common, or of letters: whichever says more. From 0 to 1. */
function likenessOf(one: string, other: string): number {
  const [words, others] = [new Set(one.split('_')), new Set(other.split('_'))];
  const common = [...words].filter((word) => word.length > 1 && others.has(word)).length;
  const byWords = common / Math.max(words.size, others.size);
  const longer = Math.max(one.length, other.length);
  // A few letters are alike by chance.
  const byLetters = longer < 4 ? 0 : 1 - distance(one, other) / longer;
  return Math.max(byWords, byLetters >= 0.7 ? byLetters : 0);
}
