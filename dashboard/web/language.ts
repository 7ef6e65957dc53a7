/** The languages of the page, and which of them a visitor gets. */

export const languages = ['az', 'ru', 'en'] as const;
export type Language = (typeof languages)[number];

function isLanguage(word: unknown): word is Language {
  return word === 'az' || word === 'ru' || word === 'en';
}

/** The address wins over the remembered choice, that over the browser's list; else Azerbaijani. */
export function chooseLanguage(wishes: {
  search: string;
  remembered: string | null;
  browser: readonly string[];
}): Language {
  const asked = new URLSearchParams(wishes.search).get('lang');
  if (isLanguage(asked)) return asked;
  if (isLanguage(wishes.remembered)) return wishes.remembered;
  for (const tag of wishes.browser) {
    const primary = tag.toLowerCase().split('-')[0];
    if (isLanguage(primary)) return primary;
  }
  return 'az';
}
