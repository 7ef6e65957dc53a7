import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { compareNames } from '../../../dashboard/web/alphabet.ts';
import { fold, matches, queryWords } from '../../../dashboard/web/fold.ts';
import { chooseLanguage, languages } from '../../../dashboard/web/language.ts';
import type { Message } from '../../../dashboard/web/messages/en.ts';
import { catalogues, createTranslate } from '../../../dashboard/web/messages/translate.ts';
import { decimalsOf, quantityName, stateWord } from '../../../dashboard/web/quantity.ts';
import { addressOf, routeOf } from '../../../dashboard/web/route.ts';
import { unitLabel } from '../../../dashboard/web/unit.ts';
import { quantities } from '../../../decoders/quantity.ts';
import { quantityList } from './canned.ts';

const towns =
  'Cəlilabad Çinar Ersi Əhmədli Füzuli Gəncə Hövsan Xızı Iğdır İmişli Jalə Kəpəz Qax Lerik Oğuz ' +
  'Öküz Pirallahı Sabirabad Şəki Tovuz Ucar Üçtəpə Vərəndə Yevlax Zərdab Ağdam Bakı Dəvəçi Naxçıvan';

describe('The alphabet', () => {
  it('sorts towns as ICU does', () => {
    const names = towns.split(' ');
    const icu = new Intl.Collator('az');
    expect([...names].reverse().sort(compareNames)).toEqual([...names].sort(icu.compare));
  });

  it('sorts every pair of letters as ICU does', () => {
    const icu = new Intl.Collator('az');
    const letters = [...'abcçdeəfgğhxıijkqlmnoöprsştuüvyz'];
    expect([...letters].sort(compareNames)).toEqual([...letters].sort(icu.compare));
  });

  it('counts numbers as numbers and puts a prefix first', () => {
    const names = ['Sensor 10', 'Sensor 2', 'sensor', 'Sensor 2 b'];
    expect(names.sort(compareNames)).toEqual(['sensor', 'Sensor 2', 'Sensor 2 b', 'Sensor 10']);
  });

  it('is an order: what is before is not also after', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }), (a, b) => {
        expect(Math.sign(compareNames(a, b))).toBe(-Math.sign(compareNames(b, a)) + 0);
        expect(compareNames(a, a)).toBe(0);
      }),
    );
  });
});

describe('Folding', () => {
  it.each([
    ['Gəncə', 'gence'],
    ['ŞƏKİ', 'seki'],
    ['Iğdır', 'igdir'],
    ['Çöçə Üzüm', 'coce uzum'],
    ['Объём', 'объем'],
  ])('folds %s to %s', (text, folded) => {
    expect(fold(text)).toBe(folded);
  });

  it('finds a text that has all words, in any order', () => {
    expect(matches(fold('Xətai parkı, hava'), queryWords(' HAVA xetai '))).toBe(true);
    expect(matches(fold('Xətai parkı, hava'), queryWords('xetai su'))).toBe(false);
    expect(queryWords('x '.repeat(500))).toHaveLength(8);
  });
});

function textsOf(message: Message): string[] {
  return typeof message === 'string' ? [message] : Object.values(message);
}

const blanksOf = (text: string) => [...text.matchAll(/\{\w+\}/gu)].map(String).sort();

describe('Message catalogues', () => {
  const keys = Object.keys(catalogues.en).sort();

  it.each(languages)('have every key, filled, in %s', (language) => {
    const catalogue = catalogues[language];
    expect(Object.keys(catalogue).sort()).toEqual(keys);
    for (const message of Object.values(catalogue)) {
      for (const text of textsOf(message)) expect(text.trim()).not.toBe('');
    }
  });

  it.each(languages)('have every plural form of %s', (language) => {
    const categories = new Intl.PluralRules(language).resolvedOptions().pluralCategories;
    for (const message of Object.values(catalogues[language])) {
      if (typeof message === 'string') continue;
      expect(Object.keys(message).sort()).toEqual([...categories].sort());
    }
  });

  it('ask for the same words in every language', () => {
    for (const language of languages) {
      const other: Record<string, Message> = { ...catalogues[language] };
      for (const [key, message] of Object.entries(catalogues.en)) {
        const wanted = blanksOf(textsOf(message)[0] ?? '');
        for (const text of textsOf(other[key] ?? ''))
          expect([key, blanksOf(text)]).toEqual([key, wanted]);
      }
    }
  });

  it('choose the plural form by the language', () => {
    const t = createTranslate({ language: 'ru', number: String });
    expect(t('chart.count', { n: 1 })).toBe('1 значение');
    expect(t('chart.count', { n: 22 })).toBe('22 значения');
    expect(t('chart.count', { n: 11 })).toBe('11 значений');
  });

  it.each([
    ['az', '2 çatışmayan qiymət (○)', '2 yararsız qiymət (×)'],
    ['ru', '2 отсутствующих значения (○)', '2 негодных значения (×)'],
    ['en', '2 missing values (○)', '2 failed values (×)'],
  ] as const)('call in %s a missing value missing and a failed one failed', (language, ...said) => {
    const t = createTranslate({ language, number: String });
    const words = [t('chart.missing', { n: 2 }), t('chart.fail', { n: 2 })];
    expect(words.map((sentence) => sentence.slice(0, sentence.indexOf(')') + 1))).toEqual(said);
  });

  it('say that a mean counts each value once, whatever time it stands for', () => {
    const said = {
      az: 'hər biri bir dəfə sayılır',
      ru: 'каждое учтено один раз',
      en: 'each counts once',
    };
    for (const language of languages) {
      expect(catalogues[language]['chart.range']).toContain(said[language]);
    }
  });
});

describe('The language', () => {
  it('is the one asked for, else the remembered, else the first of the browser that is known', () => {
    const browser = ['de-DE', 'ru-RU', 'en'];
    expect(chooseLanguage({ search: '?lang=en', remembered: 'az', browser })).toBe('en');
    expect(chooseLanguage({ search: '?lang=xx', remembered: 'az', browser })).toBe('az');
    expect(chooseLanguage({ search: '', remembered: null, browser })).toBe('ru');
    expect(chooseLanguage({ search: '', remembered: 'xx', browser: ['de'] })).toBe('az');
  });
});

describe('Quantities and units', () => {
  it.each([
    ['Cel', '°C'],
    ['ug/m3', 'µg/m³'],
    ['W/m2', 'W/m²'],
    ['hPa', 'hPa'],
    ['{count}', ''],
    ['{NTU}', 'NTU'],
    ['deg/s', '°/s'],
    ['m/s2', 'm/s²'],
    ['V.A', 'V·A'],
    ['m3/h', 'm³/h'],
    ['[ppm]', 'ppm'],
    ['dB(A)', 'dB(A)'],
    ['kW.h', 'kWh'],
    ['[foo_i]/h', 'foo_i/h'],
  ])('print %s as %s in English', (ucum, label) => {
    expect(unitLabel(ucum, 'en')).toBe(label);
  });

  it.each([
    ['Cel', '°C', '°C'],
    ['hPa', 'гПа', 'hPa'],
    ['ug/m3', 'мкг/м³', 'mkq/m³'],
    ['mg/L', 'мг/л', 'mq/l'],
    ['kW.h', 'кВт·ч', 'kVt·saat'],
    ['W/m2', 'Вт/м²', 'Vt/m²'],
    ['V.A', 'В·А', 'V·A'],
    ['m3/h', 'м³/ч', 'm³/saat'],
    ['mm/h', 'мм/ч', 'mm/saat'],
    ['uS/cm', 'мкСм/см', 'mkSm/sm'],
    ['dS/m', 'дСм/м', 'dSm/m'],
    ['deg/s', '°/с', '°/san'],
    ['m/s2', 'м/с²', 'm/s²'],
    ['dB(A)', 'дБА', 'dB(A)'],
    ['[ppm]', 'млн⁻¹', 'ppm'],
    ['[pH]', 'pH', 'pH'],
    ['lx', 'лк', 'lk'],
    ['%', '%', '%'],
    ['{count}', '', ''],
  ])('print %s as %s in Russian and as %s in Azerbaijani', (ucum, russian, azerbaijani) => {
    expect([unitLabel(ucum, 'ru'), unitLabel(ucum, 'az')]).toEqual([russian, azerbaijani]);
  });

  it.each([
    ['kg', 'kilogram'],
    ['g', 'gram'],
    ['cm', 'centimeter'],
    ['mm', 'millimeter'],
    ['km', 'kilometer'],
    ['L', 'liter'],
    ['s', 'second'],
    ['ms', 'millisecond'],
    ['min', 'minute'],
    ['h', 'hour'],
    ['m/s', 'meter-per-second'],
    ['km/h', 'kilometer-per-hour'],
    ['mm/h', 'millimeter-per-hour'],
  ])('print %s in Russian and Azerbaijani as ICU does', (ucum, unit) => {
    for (const language of ['ru', 'az'] as const) {
      const icu = new Intl.NumberFormat(language, { style: 'unit', unit });
      const parts = icu.formatToParts(2).filter((part) => part.type === 'unit');
      expect(unitLabel(ucum, language)).toBe(parts.map((part) => part.value).join(''));
    }
  });

  it('leave no unit of the vocabulary half in Latin letters on a Russian page', () => {
    const units = new Set([...quantities.values()].map(({ unit }) => unit));
    const latin = [...units].filter((unit) => /[A-Za-z]/u.test(unitLabel(unit, 'ru')));
    expect(latin.sort()).toEqual(['Cel', '[pH]', '{NTU}']);
  });

  it('print a code that is partly unknown in one script', () => {
    expect(unitLabel('m3/foo', 'ru')).toBe('m³/foo');
    expect(unitLabel('toString', 'ru')).toBe('toString');
  });

  it('have a readable name also without one in the vocabulary', () => {
    const known = new Map(quantityList.map((one) => [one.quantity, one]));
    expect(quantityName(known, 'air_temperature', 'ru')).toBe('Температура воздуха');
    expect(quantityName(known, 'x_some_field', 'az')).toBe('some field');
  });

  it('say a state in the language, and one they do not know as it came', () => {
    const known = new Map(quantityList.map((one) => [one.quantity, one]));
    const say = (value: string) => stateWord(known, { quantity: 'parking_state', value }, 'az');
    expect([say('free'), say('toString')]).toEqual(['boşdur', 'toString']);
  });

  it('take their decimals from the resolution', () => {
    expect([0.1, 0.05, 0.01, 1, 5, 0.001].map(decimalsOf)).toEqual([1, 2, 2, 0, 0, 3]);
    expect([undefined, 0, -1, Number.NaN].map(decimalsOf)).toEqual(Array(4).fill(undefined));
  });
});

describe('Addresses', () => {
  it('lead to the view they came from', () => {
    expect(routeOf(addressOf({ view: 'device', id: 'a:b.c-d_1' }))).toEqual({
      view: 'device',
      id: 'a:b.c-d_1',
    });
    expect(routeOf(addressOf({ view: 'list' }))).toEqual({ view: 'list' });
  });

  it('lead to the list when they name no device, and nowhere when they are an anchor', () => {
    expect(routeOf('#/device/%E0%A4%A')).toEqual({ view: 'list' });
    expect(routeOf('#/device/<img>')).toEqual({ view: 'list' });
    expect(routeOf('#main')).toBeUndefined();
  });
});
