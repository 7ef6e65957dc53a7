/**
 * Folding for the filter box: who types on a keyboard without Azerbaijani letters still finds
 * "Gəncə" by "gence" and "Şəki" by "seki".
 */

const plainLetters: Readonly<Record<string, string>> = { ə: 'e', ı: 'i', ё: 'е' };

/** The longest text and the most words that are searched for; the rest is ignored. */
const queryLengthMax = 100;
const queryWordsMax = 8;

export function fold(text: string): string {
  const bare = text.normalize('NFKD').replace(/\p{Mark}/gu, '');
  return bare.toLowerCase().replace(/[əıё]/gu, (letter) => plainLetters[letter] ?? letter);
}

/** The folded words of a query. All of them must occur in a text for it to match. */
export function queryWords(query: string): string[] {
  const words = fold(query.slice(0, queryLengthMax)).split(/\s+/u);
  return words.filter((word) => word !== '').slice(0, queryWordsMax);
}

export function matches(foldedText: string, words: readonly string[]): boolean {
  return words.every((word) => foldedText.includes(word));
}
