/** Finds a message in a language, chooses its plural form and fills in its words. */
import type { Language } from '../language.ts';
import { az } from './az.ts';
import { type Catalogue, en, type Message, type MessageKey } from './en.ts';
import { ru } from './ru.ts';

export const catalogues: Readonly<Record<Language, Catalogue>> = { az, ru, en };

/** `n` chooses the plural form; words are printed as they are, so numbers come formatted. */
interface MessageWords {
  readonly n?: number;
  readonly words?: Readonly<Record<string, string>>;
}

export type Translate = (key: MessageKey, fill?: MessageWords) => string;

function pluralForm(message: Message, rules: Intl.PluralRules, n: number): string {
  if (typeof message === 'string') return message;
  const category = rules.select(n);
  const forms: Partial<Record<Intl.LDMLPluralRule, string>> = { ...message };
  return forms[category] ?? message.other;
}

/**
 * `number` prints the `{n}` of plural messages. Chromium's plural rules are right for all three.
 */
export function createTranslate(options: {
  language: Language;
  number: (value: number) => string;
}): Translate {
  const catalogue = catalogues[options.language];
  const rules = new Intl.PluralRules(options.language);
  return (key, fill = {}) => {
    const form = pluralForm(catalogue[key], rules, fill.n ?? 0);
    const words: Record<string, string> = { ...fill.words };
    if (fill.n !== undefined) words['n'] = options.number(fill.n);
    return form.replace(/\{(\w+)\}/gu, (_, name: string) => words[name] ?? '');
  };
}
