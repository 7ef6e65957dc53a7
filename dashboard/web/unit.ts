/**
 * How a UCUM code is written on screen in each language: Russian as GOST 8.417 has it, Azerbaijani
 * where its spelling differs. The code itself is what data is exchanged with; it stays in reach.
 */
import type { Language } from './language.ts';

/** One unit of measurement in the three scripts; English is also what the others fall back on. */
interface Spelling {
  readonly en: string;
  readonly ru?: string;
  readonly az?: string;
}

/** Units that no prefix goes before, by their UCUM code. */
const plain: Readonly<Record<string, Spelling>> = {
  Cel: { en: '°C' },
  '[degF]': { en: '°F' },
  deg: { en: '°' },
  min: { en: 'min', ru: 'мин', az: 'dəq' },
  h: { en: 'h', ru: 'ч', az: 'saat' },
  d: { en: 'd', ru: 'сут', az: 'gün' },
  t: { en: 't', ru: 'т' },
  lx: { en: 'lx', ru: 'лк', az: 'lk' },
  rad: { en: 'rad', ru: 'рад' },
  '[g]': { en: 'g' },
  '[ppm]': { en: 'ppm', ru: 'млн⁻¹' },
  '[ppb]': { en: 'ppb', ru: 'млрд⁻¹' },
  // Acidity is written with these letters in Russian, too; nephelometric turbidity has no other.
  '[pH]': { en: 'pH' },
  '{NTU}': { en: 'NTU' },
};

const prefixed: Readonly<Record<string, Spelling>> = {
  m: { en: 'm', ru: 'м' },
  g: { en: 'g', ru: 'г', az: 'q' },
  s: { en: 's', ru: 'с', az: 'san' },
  L: { en: 'L', ru: 'л', az: 'l' },
  K: { en: 'K', ru: 'К' },
  A: { en: 'A', ru: 'А' },
  V: { en: 'V', ru: 'В' },
  W: { en: 'W', ru: 'Вт', az: 'Vt' },
  J: { en: 'J', ru: 'Дж' },
  N: { en: 'N', ru: 'Н' },
  S: { en: 'S', ru: 'См', az: 'Sm' },
  Hz: { en: 'Hz', ru: 'Гц', az: 'Hs' },
  Pa: { en: 'Pa', ru: 'Па' },
  bar: { en: 'bar', ru: 'бар' },
  Ohm: { en: 'Ω', ru: 'Ом', az: 'Om' },
  B: { en: 'B', ru: 'Б' },
};

const prefixes: Readonly<Record<string, Spelling>> = {
  u: { en: 'µ', ru: 'мк', az: 'mk' },
  m: { en: 'm', ru: 'м' },
  c: { en: 'c', ru: 'с', az: 's' },
  d: { en: 'd', ru: 'д' },
  h: { en: 'h', ru: 'г' },
  k: { en: 'k', ru: 'к' },
  M: { en: 'M', ru: 'М' },
  G: { en: 'G', ru: 'Г' },
};

/** Codes whose sign is not made of the signs of their parts. */
const whole: Readonly<Record<string, Spelling>> = {
  '': { en: '' },
  '1': { en: '' },
  'dB(A)': { en: 'dB(A)', ru: 'дБА' },
  'kW.h': { en: 'kWh', ru: 'кВт·ч', az: 'kVt·saat' },
  'W.h': { en: 'Wh', ru: 'Вт·ч', az: 'Vt·saat' },
  // The wind is told in these, also where a second alone is "san".
  'm/s': { en: 'm/s', ru: 'м/с', az: 'm/s' },
  'm/s2': { en: 'm/s²', ru: 'м/с²', az: 'm/s²' },
};

const superscripts: Readonly<Record<string, string>> = { '2': '²', '3': '³' };

function spelled(
  list: Readonly<Record<string, Spelling>>,
  code: string,
  language: Language,
): string | undefined {
  const spelling = Object.hasOwn(list, code) ? list[code] : undefined;
  return spelling?.[language] ?? spelling?.en;
}

/** The sign of one unit with its prefix and power; undefined for one that is not known. */
function signOf(part: string, language: Language): string | undefined {
  const power = /(?<=[A-Za-z])[23]$/u.exec(part)?.[0] ?? '';
  const unit = power === '' ? part : part.slice(0, -1);
  const own = spelled(plain, unit, language) ?? spelled(prefixed, unit, language);
  const prefix = spelled(prefixes, unit.slice(0, 1), language);
  const rest = spelled(prefixed, unit.slice(1), language);
  const composed = prefix === undefined || rest === undefined ? undefined : prefix + rest;
  const sign = own ?? composed;
  return sign === undefined ? undefined : sign + (superscripts[power] ?? '');
}

/** What is not known is shown as it came, but for the annotations in braces and brackets. */
function bareCode(ucum: string): string {
  return ucum
    .replace(/\{[^}]*\}/gu, '')
    .replace(/[[\]]/gu, '')
    .replace(/\bu(?=[A-Za-z])/gu, 'µ')
    .replace(/(?<=[A-Za-z])[23]/gu, (digit) => superscripts[digit] ?? digit)
    .replace(/\./gu, '·');
}

/** The printed unit of a UCUM code; never half in one script and half in another. */
export function unitLabel(ucum: string, language: Language): string {
  const known = spelled(whole, ucum, language);
  if (known !== undefined) return known;
  const parts = ucum.split(/([./])/u);
  const signs = parts.map((part) =>
    part === '/' ? part : part === '.' ? '·' : signOf(part, language),
  );
  return signs.includes(undefined) ? bareCode(ucum) : signs.join('');
}
