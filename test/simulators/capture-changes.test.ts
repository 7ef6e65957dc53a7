/** Filters, times and single values of JSON: what a replay changes, and what it leaves alone. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parseFilters } from '../../simulators/capture/filter.ts';
import { changeJson } from '../../simulators/capture/json-tokens.ts';
import type { CapturedMessage } from '../../simulators/capture/message.ts';
import { shiftMessage } from '../../simulators/capture/time-shift.ts';

const at = Date.parse('2026-03-01T12:00:00Z');

function message(body: string, fields: Partial<CapturedMessage> = {}): CapturedMessage {
  return { at, via: 'mqtt', route: 'up/pump-1', body: Buffer.from(body), ...fields };
}

describe('A changed JSON text', () => {
  it('is the same text when nothing is changed', () => {
    fc.assert(
      fc.property(fc.json(), (json) => {
        const isPlace = /^\s*[{[]/.test(json);
        expect(changeJson(json, () => undefined)).toBe(isPlace ? json : undefined);
      }),
    );
  });

  it('says under which names a value stands', () => {
    const seen: string[] = [];
    const json = '{"a":{"b":[1,{"c":"x"},2],"d":true},"e":"y", "f" : -1.5e3}';
    changeJson(json, ({ key, path, text }) => {
      seen.push(`${path.join('/')}|${key}=${text}`);
      return undefined;
    });
    expect(seen).toEqual(['/a/b|b=1', '/a/b/b|c=x', '/a/b|b=2', '|e=y', '|f=-1.5e3']);
  });

  it('keeps digits, order and blanks around what is changed', () => {
    const json = '{ "n": 12345678901234567890, "t": "a\\"b", "z": 1.10 }';
    const changed = changeJson(json, ({ key }) => (key === 't' ? 'c"d' : undefined));
    expect(changed).toBe('{ "n": 12345678901234567890, "t": "c\\"d", "z": 1.10 }');
  });

  it.each(['', 'text', '{"a":', '"a"'])('is none when the text is %j', (text) => {
    expect(changeJson(text, () => undefined)).toBeUndefined();
  });

  it('is none when it is nested beyond reason', () => {
    expect(changeJson('['.repeat(200) + ']'.repeat(200), () => undefined)).toBeUndefined();
  });
});

describe('A shifted message', () => {
  const dayMs = 86_400_000;
  it.each([
    ['{"time":"2026-03-01T12:00:00.123456789Z"}', '{"time":"2026-03-02T12:00:00.123456789Z"}'],
    ['{"gwTime":"2026-02-28T23:59:59+04:00"}', '{"gwTime":"2026-03-01T23:59:59+04:00"}'],
    ['{"stat":{"time":"2026-03-01 12:00:00 GMT"}}', '{"stat":{"time":"2026-03-02 12:00:00 GMT"}}'],
    ['{"ts":1772366400,"v":1772366400}', '{"ts":1772452800,"v":1772366400}'],
    ['{"ts": 1772366400123 }', '{"ts": 1772452800123 }'],
    ['[{"bn":"a/","bt":1.7723664e+09,"t":-5}]', '[{"bn":"a/","bt":1772452800,"t":-5}]'],
    ['{"bt":1772366400.25}', '{"bt":1772452800.25}'],
    ['{"received_at":"1772366400123456789"}', '{"received_at":"1772452800123456789"}'],
    ['{"timeSinceGpsEpoch":"1456401618.5s"}', '{"timeSinceGpsEpoch":"1456488018.5s"}'],
    ['{"tmst":3512348611,"uptime":1772366400}', '{"tmst":3512348611,"uptime":1772366400}'],
    ['<Time>2026-03-01T12:00:00.1+01:00</Time>', '<Time>2026-03-02T12:00:00.1+01:00</Time>'],
    ['no time here', 'no time here'],
  ])('moves the times in %s', (before, after) => {
    const shifted = shiftMessage(message(before), dayMs);
    expect(shifted.body.toString()).toBe(after);
    expect(shifted.at).toBe(at + dayMs);
  });

  it('keeps the header of a datagram and bytes that are no text', () => {
    const header = Buffer.from('0201020000fffe0000000001', 'hex');
    const datagram = Buffer.concat([
      header,
      Buffer.from('{"rxpk":[{"time":"2026-03-01T12:00:00Z"}]}'),
    ]);
    const udp = { via: 'udp', route: 'semtech-udp/00fffe0000000001', body: datagram } as const;
    const shifted = shiftMessage(message('', udp), 1_000).body;
    expect(shifted.subarray(0, 12)).toEqual(header);
    expect(shifted.toString('utf8', 12)).toContain('12:00:01Z');
    const binary = Buffer.of(0xff, 0x00, 0x31);
    expect(shiftMessage(message('', { body: binary }), 1_000).body).toEqual(binary);
  });

  it('comes back with the opposite shift', () => {
    const json = '{"time":"2026-03-01T12:00:00.5Z","ts":1772366400123}';
    const there = shiftMessage(message(json), 12_345_000);
    expect(shiftMessage(there, -12_345_000)).toEqual(message(json));
  });
});

describe('A filter', () => {
  const one = message('{"temperature":20}', { sender: 'modem', device: 'pump-1' });
  it.each([
    [[], true],
    [['via=mqtt'], true],
    [['via=udp,http'], false],
    [['route=up/*'], true],
    [['route=*/pump-1'], true],
    [['route=up/*-1'], true],
    [['route=up/*-1*1'], false],
    [['route=up'], false],
    [['route=a,up/pump-1'], true],
    [['sender=modem', 'device=pump-*'], true],
    [['sender=modem', 'device=valve-*'], false],
    [['text=temperature'], true],
    [['text=humidity'], false],
    [['from=2026-03-01T12:00:00Z', 'to=2026-03-01T12:00:01Z'], true],
    [['to=2026-03-01T12:00:00Z'], false],
  ])('%j says %s', (texts, expected) => {
    expect(parseFilters(texts)(one)).toBe(expected);
  });

  it.each([
    ['route', 'not of the form'],
    ['route=', 'not of the form'],
    ['topic=a', 'none of via'],
    ['via=smoke', 'none of mqtt'],
    ['from=yesterday', 'no RFC 3339 time'],
    ['from=2026-03-01', 'no RFC 3339 time'],
  ])('is refused when it is %s', (text, sentence) => {
    expect(() => parseFilters([text])).toThrow(sentence);
  });
});
