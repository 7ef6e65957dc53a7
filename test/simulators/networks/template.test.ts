/** Messages put together from pieces are those that `JSON.stringify` would write. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { createCitySources } from '../../../simulators/city-traffic.ts';
import {
  cutTemplate,
  jsonBytes,
  jsonList,
  messageBytes,
} from '../../../simulators/networks/template.ts';
import { timeText } from '../../../simulators/networks/time-text.ts';
import { createScenario } from '../../../simulators/scenario.ts';

interface Sample {
  readonly id: string;
  readonly count: number;
  readonly names: readonly string[];
  readonly extra: unknown;
}

const template = cutTemplate<Sample>(({ text, number, json, optional }) => ({
  place: 'İçərişəhər "1"',
  id: text(({ id }) => id),
  inner: { count: number(({ count }) => count), same: [1, null] },
  names: json(({ names }) => jsonList(names, jsonBytes)),
  extra: optional(({ extra }) => (extra === undefined ? undefined : jsonBytes(extra))),
  end: true,
}));

describe('Message template', () => {
  it('writes the bytes of JSON.stringify', () => {
    const sample = fc.record({
      id: fc.stringMatching(/^[0-9a-f]{0,16}$/),
      count: fc.oneof(fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true })),
      names: fc.array(fc.string({ unit: 'grapheme' }), { maxLength: 4 }),
      extra: fc.option(fc.jsonValue({ maxDepth: 2 }), { nil: undefined }),
    });
    fc.assert(
      fc.property(sample, ({ id, count, names, extra }) => {
        const whole = {
          ...{ place: 'İçərişəhər "1"', id, inner: { count, same: [1, null] }, names },
          ...{ extra, end: true },
        };
        const bytes = messageBytes(template({ id, count, names, extra }));
        expect(bytes.toString('utf8')).toBe(JSON.stringify(whole));
      }),
      { numRuns: 200 },
    );
  });

  it('refuses an optional member that has none before it', () => {
    const build = () => cutTemplate<string>(({ optional }) => ({ first: optional((own) => own) }));
    expect(build).toThrow('an optional member follows another one');
  });

  it('is what all messages of the city in JSON look like', () => {
    for (const source of createCitySources(createScenario({ seed: 'templates' }))) {
      for (const { payload } of source.uplinkAt(Date.UTC(2026, 5, 15, 6))) {
        const text = payload.toString('utf8');
        expect(JSON.stringify(JSON.parse(text))).toBe(text);
      }
    }
  });
});

describe('Time text', () => {
  it('is that of the language', () => {
    const times = fc.date({
      min: new Date('1970-01-01T00:00:00Z'),
      max: new Date('2100-01-01T00:00:00Z'),
      noInvalidDate: true,
    });
    fc.assert(
      fc.property(times, (time) => {
        expect(`${timeText(time.getTime())}Z`).toBe(time.toISOString());
      }),
      { numRuns: 200 },
    );
  });
});
