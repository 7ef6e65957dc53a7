/**
 * Everything the page prints of numbers and times, in one language and one time zone. Russian and
 * English come from the browser; Azerbaijani is our own, because Chromium has none.
 */
import type { Language } from '../language.ts';
import {
  type AgeUnit,
  azAgo,
  azLongDate,
  azNow,
  azNumber,
  azShortDate,
  azSpan,
} from './azerbaijani.ts';

export interface Formatter {
  readonly language: Language;
  /** `Asia/Baku (GMT+4)`, for the one place where the zone is named. */
  readonly zoneName: string;
  /** A count or a value with at most so many decimals; none are made up to fill them. */
  number(value: number, decimals?: number): string;
  /** `14:05` */
  time(at: number): string;
  /** `14:05:07` */
  clock(at: number): string;
  /** `22 noyabr 2026` */
  date(at: number): string;
  /** `22 noy 14:05`; the day is left out where it is the day of `now`. */
  moment(at: number, now: number): string;
  /** `5 dəqiqə öncə`; an age below five seconds, or in the future, is "now". */
  ago(ageMs: number): string;
  /** `2 saat 5 dəq` */
  span(durationMs: number): string;
}

const localeOf = { az: 'az', ru: 'ru', en: 'en-GB' } as const;

const secondMs = 1_000;
const minuteMs = 60 * secondMs;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;
const nowBelowMs = 5 * secondMs;

/** The largest unit that an age fills, and how often. */
function largestUnit(ageMs: number): { count: number; unit: AgeUnit } {
  if (ageMs < minuteMs) return { count: Math.floor(ageMs / secondMs), unit: 'second' };
  if (ageMs < hourMs) return { count: Math.floor(ageMs / minuteMs), unit: 'minute' };
  if (ageMs < 2 * dayMs) return { count: Math.floor(ageMs / hourMs), unit: 'hour' };
  return { count: Math.floor(ageMs / dayMs), unit: 'day' };
}

/** Without a known resolution: two decimals, or three significant digits below one. */
function numberOptions(value: number, decimals: number | undefined): Intl.NumberFormatOptions {
  if (decimals !== undefined) {
    return { maximumFractionDigits: decimals };
  }
  return Math.abs(value) < 1 ? { maximumSignificantDigits: 3 } : { maximumFractionDigits: 2 };
}

/** Number formats are costly to make and few: one for each set of options. */
function createNumbers(language: Language): Formatter['number'] {
  const locale = language === 'az' ? 'en-US' : localeOf[language];
  const formats = new Map<string, Intl.NumberFormat>();
  return (value, decimals) => {
    const options = numberOptions(value, decimals);
    const key = JSON.stringify(options);
    const format = formats.get(key) ?? new Intl.NumberFormat(locale, options);
    formats.set(key, format);
    return language === 'az' ? azNumber(value, format) : format.format(value);
  };
}

/** Two whole units, the smaller one left out when it is zero. */
function spanParts(durationMs: number): { count: number; unit: AgeUnit }[] {
  const minutes = Math.round(durationMs / minuteMs);
  if (durationMs < minuteMs) {
    return [{ count: Math.max(0, Math.round(durationMs / secondMs)), unit: 'second' }];
  }
  const parts: { count: number; unit: AgeUnit }[] = [
    { count: Math.floor(minutes / 1_440), unit: 'day' },
    { count: Math.floor((minutes % 1_440) / 60), unit: 'hour' },
    { count: minutes % 60, unit: 'minute' },
  ];
  return parts.filter((part) => part.count > 0).slice(0, 2);
}

function numericFields(format: Intl.DateTimeFormat, at: number): Record<string, number> {
  const fields: Record<string, number> = {};
  for (const part of format.formatToParts(at)) fields[part.type] = Number(part.value);
  return fields;
}

function createWords(language: Language, timeZone: string) {
  const locale = localeOf[language];
  const longDate = new Intl.DateTimeFormat(locale, { dateStyle: 'long', timeZone });
  const shortDate = new Intl.DateTimeFormat(locale, { day: 'numeric', month: 'short', timeZone });
  const relative = new Intl.RelativeTimeFormat(locale, { style: 'short', numeric: 'always' });
  const relativeNow = new Intl.RelativeTimeFormat(locale, { numeric: 'auto' });
  return {
    longDate: (at: number) => longDate.format(at),
    shortDate: (at: number) => shortDate.format(at),
    ago: (count: number, unit: AgeUnit) => relative.format(-count, unit),
    now: relativeNow.format(0, 'second'),
    span: (count: number, unit: AgeUnit) =>
      new Intl.NumberFormat(locale, { style: 'unit', unit, unitDisplay: 'short' }).format(count),
  };
}

function createAzWords(timeZone: string): ReturnType<typeof createWords> {
  const numeric = new Intl.DateTimeFormat('en-GB', {
    day: 'numeric',
    month: 'numeric',
    year: 'numeric',
    timeZone,
  });
  const dateOf = (at: number) => {
    const fields = numericFields(numeric, at);
    return { day: fields['day'] ?? 0, month: fields['month'] ?? 0, year: fields['year'] ?? 0 };
  };
  return {
    longDate: (at) => azLongDate(dateOf(at)),
    shortDate: (at) => azShortDate(dateOf(at)),
    ago: azAgo,
    now: azNow,
    span: azSpan,
  };
}

/** `GMT+4` of the zone at this moment. */
function offsetName(timeZone: string, at: number): string {
  const format = new Intl.DateTimeFormat('en-GB', { timeZone, timeZoneName: 'shortOffset' });
  return format.formatToParts(at).find((part) => part.type === 'timeZoneName')?.value ?? '';
}

export function createFormatter(options: {
  language: Language;
  /** An IANA name. */
  timeZone: string;
  now: number;
}): Formatter {
  const { language, timeZone } = options;
  const words = language === 'az' ? createAzWords(timeZone) : createWords(language, timeZone);
  const hours = { hour: '2-digit', minute: '2-digit', hourCycle: 'h23', timeZone } as const;
  const time = new Intl.DateTimeFormat('en-GB', hours);
  const clock = new Intl.DateTimeFormat('en-GB', { ...hours, second: '2-digit' });
  const offset = offsetName(timeZone, options.now);
  return {
    language,
    zoneName: offset === timeZone || timeZone === 'UTC' ? timeZone : `${timeZone} (${offset})`,
    number: createNumbers(language),
    time: (at) => time.format(at),
    clock: (at) => clock.format(at),
    date: words.longDate,
    moment: (at, now) =>
      words.longDate(at) === words.longDate(now)
        ? time.format(at)
        : `${words.shortDate(at)} ${time.format(at)}`,
    ago: (ageMs) => {
      if (ageMs < nowBelowMs) return words.now;
      const { count, unit } = largestUnit(ageMs);
      return words.ago(count, unit);
    },
    span: (durationMs) =>
      spanParts(durationMs)
        .map((part) => words.span(part.count, part.unit))
        .join(' '),
  };
}
