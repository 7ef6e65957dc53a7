/**
 * Azerbaijani dates, numbers and ages. Chromium claims the locale and then prints `2026 M11 22`,
 * `1,234.5` and `5 min ago`; the words here are those of CLDR 48, and a test compares every
 * function with the full ICU of Node.
 */

const months = [
  'yanvar',
  'fevral',
  'mart',
  'aprel',
  'may',
  'iyun',
  'iyul',
  'avqust',
  'sentyabr',
  'oktyabr',
  'noyabr',
  'dekabr',
] as const;

const shortMonths = 'yan fev mar apr may iyn iyl avq sen okt noy dek'.split(' ');

export type AgeUnit = 'second' | 'minute' | 'hour' | 'day';

const unitWords: Readonly<Record<AgeUnit, string>> = {
  second: 'saniyə',
  minute: 'dəqiqə',
  hour: 'saat',
  day: 'gün',
};

const unitSigns: Readonly<Record<AgeUnit, string>> = {
  second: 'san',
  minute: 'dəq',
  hour: 'saat',
  day: 'gün',
};

const english = new Intl.NumberFormat('en-US');

/** Swaps the signs of an English form: the two languages use them the other way round. */
export function azNumber(value: number, format = english): string {
  return format
    .formatToParts(value)
    .map((part) => (part.type === 'group' ? '.' : part.type === 'decimal' ? ',' : part.value))
    .join('');
}

/** `22 noyabr 2026`; the month counts from 1. */
export function azLongDate(date: { day: number; month: number; year: number }): string {
  return `${date.day} ${months[date.month - 1] ?? ''} ${date.year}`;
}

/** `22 noy` */
export function azShortDate(date: { day: number; month: number }): string {
  return `${date.day} ${shortMonths[date.month - 1] ?? ''}`;
}

/** `5 dəqiqə öncə` */
export function azAgo(count: number, unit: AgeUnit): string {
  return `${azNumber(count)} ${unitWords[unit]} öncə`;
}

export const azNow = 'indi';

/** `5 dəq` */
export function azSpan(count: number, unit: AgeUnit): string {
  return `${azNumber(count)} ${unitSigns[unit]}`;
}
