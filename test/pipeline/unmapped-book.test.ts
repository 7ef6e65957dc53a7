import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { SettledDevice } from '../../gateway/model/device.ts';
import { openUnmappedBook, unmappedFieldsMax } from '../../gateway/pipeline/unmapped-book.ts';
import { readingOf } from './quality/judging.ts';

const well: SettledDevice = { id: 'well', kind: 'cellular', codec: 'acme@0123456789', model: 'm' };
const known = new Map<string, SettledDevice>([['well', well]]);
let directory: string;
const open = (devices = known) =>
  openUnmappedBook({
    file: join(directory, 'unmapped.json'),
    deviceOf: (id) => devices.get(id),
    rulesOf: (codec) => (codec.startsWith('acme') ? [{ from: 'known', quantity: 'no2' }] : []),
  });
const field = (name: string, value: number | string, device = 'well', receivedAt = 5) =>
  readingOf({ device, quantity: `x_${name}`, value, receivedAt });

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'fieldgate-unmapped-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

describe('The book of unmapped fields', () => {
  it('counts them by codec and model, with their spans, the most frequent first', () => {
    const book = open();
    book.note([field('temprature', 3), field('odd', 'on'), readingOf()]);
    book.note([field('temprature', 1, 'well', 9)]);
    expect(book.takeCount()).toBe(3);
    expect(book.takeCount()).toBe(0);
    const { items, total, beyond } = book.list({ limit: 10 });
    expect({ total, beyond }).toEqual({ total: 2, beyond: 0 });
    expect(items[0]).toMatchObject({
      ...{ field: 'temprature', codec: 'acme', model: 'm', device: 'well', count: 2 },
      ...{ firstSeen: 5, lastSeen: 9, lastValue: 1, min: 1, max: 3, hasRule: false },
      suggestions: expect.arrayContaining(['air_temperature']),
    });
    expect(items[1]).not.toHaveProperty('min');
  });

  it('keeps devices apart that have neither codec nor model', () => {
    const book = open();
    book.note([field('a', 1, 'one'), field('a', 1, 'two')]);
    expect(book.list({ limit: 10 }).total).toBe(2);
    expect(book.list({ limit: 10, device: 'two' }).total).toBe(1);
    expect(book.list({ limit: 10, codec: 'acme' }).total).toBe(0);
    expect(book.list({ limit: 10, model: 'm' }).total).toBe(0);
  });

  it('says of which a rule speaks by now', () => {
    const book = open();
    book.note([field('known', 1), field('other', 1)]);
    const { items } = book.list({ limit: 10 });
    expect(items.map((one) => [one.field, one.hasRule])).toEqual([
      ['known', true],
      ['other', false],
    ]);
    const own = { ...well, mapping: [{ from: 'raw', quantity: 'x_other' }] };
    book.flush();
    const later = open(new Map([['well', own]])).list({ limit: 10 });
    expect(later.items.every(({ hasRule }) => hasRule)).toBe(true);
  });

  it('goes on where it was, and begins anew where its file is unsound', () => {
    const book = open();
    book.note([field('a', 1)]);
    book.flush();
    book.flush();
    const again = open();
    again.note([field('a', 2)]);
    expect(again.list({ limit: 1 }).items[0]).toMatchObject({ count: 2, min: 1, max: 2 });
    writeFileSync(join(directory, 'unmapped.json'), '{');
    expect(open().list({ limit: 1 }).total).toBe(0);
  });

  it('has room for so many fields; values of others are counted', () => {
    const book = open();
    const many = Array.from({ length: unmappedFieldsMax + 3 }, (_, at) => field(`f${at}`, at));
    book.note(many);
    expect(book.list({ limit: 1 })).toMatchObject({ total: unmappedFieldsMax, beyond: 3 });
  });
});
