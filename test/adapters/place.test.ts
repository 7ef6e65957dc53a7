import { describe, expect, it } from '@jest/globals';
import type { JsonObject, Place } from '../../gateway/adapters/document.ts';
import {
  complain,
  readArray,
  readBytes,
  readCount,
  readFlag,
  readNumber,
  readObject,
  readPlace,
  readPlaces,
  readText,
  readTime,
  toNumber,
} from '../../gateway/adapters/place.ts';

function placeOf(object: JsonObject): Place {
  return { object, path: '', complaints: [] };
}

const readers = {
  readText,
  readNumber,
  readFlag,
  readObject,
  readPlace,
  readBytes,
  readTime,
  readCount: (place: Place, key: string) => readCount(place, key, 255),
};

describe('Reading a field', () => {
  it.each(Object.entries(readers))('%s takes absent and null for undefined', (_, read) => {
    const place = placeOf({ field: null });
    expect(read(place, 'field')).toBeUndefined();
    expect(read(place, 'other')).toBeUndefined();
    expect(place.complaints).toEqual([]);
  });

  it.each(Object.entries(readers))('%s notes a wrong type with its path', (_, read) => {
    const place: Place = { object: { field: [1] }, path: 'rxInfo[1]', complaints: [] };
    expect(read(place, 'field')).toBeUndefined();
    expect(place.complaints).toEqual([expect.stringMatching(/^rxInfo\[1\]\.field is not /)]);
  });

  it('keeps the first complaint only', () => {
    const place = placeOf({});
    complain(place, 'a', 'text');
    complain(place, 'b', 'text');
    expect(place.complaints).toEqual(['a is not text']);
  });

  it.each([
    [-5, -5],
    ['868500000', 868_500_000],
    ['-30.0', -30],
    ['+.5e1', 5],
    ['7.', 7],
  ])('takes %p for the number %p', (value, expected) => {
    expect(toNumber(value)).toBe(expected);
  });

  it.each(['', ' 1', '0x10', 'Infinity', '1e999', 'NaN', '1_0', '9'.repeat(41), Infinity, true])(
    'takes %p for no number',
    (value) => {
      expect(toNumber(value)).toBeUndefined();
    },
  );

  it.each([-1, 1.5, 256, 'x'])('takes %p for no port', (value) => {
    const place = placeOf({ fPort: value });
    expect(readCount(place, 'fPort', 255)).toBeUndefined();
    expect(place.complaints).toEqual(['fPort is not an integer from 0 to 255']);
  });

  it('takes empty text for no time', () => {
    const place = placeOf({ time: '' });
    expect(readTime(place, 'time')).toBeUndefined();
    expect(place.complaints).toEqual([]);
  });

  it('names the place of a wrong element', () => {
    const place = placeOf({ rxInfo: [{}, 5], txInfo: {} });
    expect(readPlaces(place, 'rxInfo', 10).map(({ path }) => path)).toEqual(['rxInfo[0]']);
    expect(place.complaints).toEqual(['rxInfo[1] is not an object']);
  });

  it('reads no more elements than it is allowed to', () => {
    expect(readPlaces(placeOf({ rxInfo: [{}, {}, {}] }), 'rxInfo', 2)).toHaveLength(2);
  });

  it('reads arrays, absent ones as empty', () => {
    const place = placeOf({ ids: [1], other: 5 });
    expect(readArray(place, 'ids')).toEqual([1]);
    expect(readArray(place, 'none')).toEqual([]);
    expect(readArray(place, 'other')).toEqual([]);
    expect(place.complaints).toEqual(['other is not an array']);
  });

  it('builds the path level by level', () => {
    const inner = readPlace(placeOf({ a: { b: {} } }), 'a');
    expect(inner && readPlace(inner, 'b')?.path).toBe('a.b');
  });
});
