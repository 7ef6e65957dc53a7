import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  azAgo,
  azLongDate,
  azNow,
  azNumber,
  azShortDate,
  azSpan,
} from '../../../dashboard/web/format/azerbaijani.ts';
import { createFormatter } from '../../../dashboard/web/format/formatter.ts';
import type { Language } from '../../../dashboard/web/language.ts';

const ageUnits = ['second', 'minute', 'hour', 'day'] as const;
const now = Date.UTC(2026, 10, 22, 15, 4, 7);
const hourMs = 3_600_000;

function formatterOf(language: Language) {
  return createFormatter({ language, timeZone: 'Asia/Baku', now });
}

describe('Azerbaijani formats', () => {
  it('print every day of two years as ICU does', () => {
    const long = new Intl.DateTimeFormat('az', { dateStyle: 'long', timeZone: 'UTC' });
    const short = new Intl.DateTimeFormat('az', {
      day: 'numeric',
      month: 'short',
      timeZone: 'UTC',
    });
    for (let day = 0; day < 731; day += 1) {
      const at = new Date(Date.UTC(2026, 0, 1 + day));
      const date = {
        day: at.getUTCDate(),
        month: at.getUTCMonth() + 1,
        year: at.getUTCFullYear(),
      };
      expect(azLongDate(date)).toBe(long.format(at));
      expect(azShortDate(date)).toBe(short.format(at));
    }
  });

  it('print any number as ICU does', () => {
    const icu = new Intl.NumberFormat('az');
    const numbers = fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e12, max: 1e12 });
    fc.assert(fc.property(numbers, (value) => azNumber(value) === icu.format(value)));
    expect(azNumber(1_234_567.891)).toBe('1.234.567,891');
  });

  it('print ages, spans and the present as ICU does', () => {
    const ago = new Intl.RelativeTimeFormat('az', { style: 'short' });
    const automatic = new Intl.RelativeTimeFormat('az', { numeric: 'auto' });
    for (const unit of ageUnits) {
      const span = new Intl.NumberFormat('az', { style: 'unit', unit, unitDisplay: 'short' });
      for (const count of [0, 1, 2, 5, 21, 59, 1_234]) {
        expect(azAgo(count, unit)).toBe(ago.format(-count, unit));
        expect(azSpan(count, unit)).toBe(span.format(count));
      }
    }
    expect(azNow).toBe(automatic.format(0, 'second'));
  });
});

describe('Formatter', () => {
  it('names the zone once, with its offset', () => {
    expect(formatterOf('az').zoneName).toBe('Asia/Baku (GMT+4)');
    const utc = createFormatter({ language: 'en', timeZone: 'UTC', now });
    expect(utc.zoneName).toBe('UTC');
  });

  it('prints times of the zone in 24 hours in all languages', () => {
    for (const language of ['az', 'ru', 'en'] as const) {
      expect(formatterOf(language).clock(now)).toBe('19:04:07');
      expect(formatterOf(language).time(Date.UTC(2026, 0, 1, 20))).toBe('00:00');
    }
  });

  it('leaves out the day when it is today', () => {
    expect(formatterOf('az').moment(now - hourMs, now)).toBe('18:04');
    expect(formatterOf('az').moment(now - 20 * hourMs, now)).toBe('21 noy 23:04');
    expect(formatterOf('ru').moment(now - 20 * hourMs, now)).toBe('21 нояб. 23:04');
  });

  it.each([
    ['az', 4_999, 'indi'],
    ['az', 59_999, '59 saniyə öncə'],
    ['az', 300_000, '5 dəqiqə öncə'],
    ['ru', 300_000, '5 мин. назад'],
    ['en', 47 * hourMs, '47 hr ago'],
    ['en', 48 * hourMs, '2 days ago'],
    ['en', -5_000, 'now'],
  ] as const)('prints in %s an age of %d ms as %s', (language, age, text) => {
    expect(formatterOf(language).ago(age)).toBe(text);
  });

  it('prints spans in two units at most', () => {
    expect(formatterOf('az').span(125 * 60_000)).toBe('2 saat 5 dəq');
    expect(formatterOf('en').span(3 * hourMs)).toBe('3 hrs');
    expect(formatterOf('en').span(26.5 * hourMs)).toBe('1 day 2 hrs');
    expect(formatterOf('en').span(15_000)).toBe('15 secs');
  });

  it('prints values to the resolution of the quantity, and no zeros beyond the value', () => {
    expect(formatterOf('az').number(1_234.567, 2)).toBe('1.234,57');
    expect(formatterOf('ru').number(1_234.5, 1)).toBe('1\u00a0234,5');
    expect(formatterOf('en').number(55, 2)).toBe('55');
    expect(formatterOf('en').number(0.012345)).toBe('0.0123');
    expect(formatterOf('en').number(12.3456)).toBe('12.35');
  });
});
