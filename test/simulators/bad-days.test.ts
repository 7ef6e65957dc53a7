/** Files of bad days and the messages they lead to. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { parseBadDay } from '../../simulators/bad-days/file.ts';
import { createTimeline } from '../../simulators/bad-days/timeline.ts';

const folder = new URL('../../simulators/bad-days/', import.meta.url);
const files = readdirSync(folder).filter((name) => name.endsWith('.yaml'));
const start = Date.UTC(2026, 5, 1);

const smallest = {
  version: 1,
  name: 'a-day',
  about: 'Something.',
  devices: 6,
  length: '1h',
  interval: '20m',
  events: [{ what: 'duplicates', at: '0h', for: '1h', by: 2 }],
  expect: {},
};
const dayOf = (changes: object) => parseBadDay(JSON.stringify({ ...smallest, ...changes }));
const essence = (day: ReturnType<typeof dayOf>, seed = 'one') =>
  createTimeline({ day, seed, start }).messages.map(
    ({ at, route, body }) => `${at} ${route} ${body}`,
  );

describe('The file of a bad day', () => {
  it.each(files)('%s is sound and named after its day', (file) => {
    const day = parseBadDay(readFileSync(new URL(file, folder), 'utf8'));
    expect(`${day.name}.yaml`).toBe(file);
    for (const event of day.events) expect(event.at + event.for).toBeLessThanOrEqual(day.length);
    expect(Object.values(day.expect).some((wanted) => Object.keys(wanted ?? {}).length > 0)).toBe(
      true,
    );
  });

  it.each([
    [{ version: 2 }, 'version'],
    [{ length: '1 hour' }, 'length: is not a number with m or h'],
    [{ events: [] }, 'events'],
    [{ events: [{ what: 'aliens', at: '0h', for: '1h' }] }, 'events.0.what'],
    [{ expect: { joy: 1 } }, 'joy'],
  ])('is refused with its place when it has %j', (changes, place) => {
    expect(() => dayOf(changes)).toThrow(place);
  });
});

describe('The messages of a bad day', () => {
  it('are the same bytes for the same seed, and others for another', () => {
    const day = dayOf({});
    expect(essence(day)).toEqual(essence(day));
    expect(essence(day)).not.toEqual(essence(day, 'two'));
  });

  it('are in the order of time, whatever happens', () => {
    for (const file of files) {
      const day = parseBadDay(readFileSync(new URL(file, folder), 'utf8'));
      const times = createTimeline({ day, seed: 'one', start }).messages.map(({ at }) => at);
      expect(times).toEqual([...times].sort((left, right) => left - right));
    }
  });

  it('differ from a quiet day by what happens alone', () => {
    const quiet = essence(dayOf({ events: [{ what: 'festival', at: '0h', for: '1h', by: 0 }] }));
    const doubled = essence(dayOf({}));
    expect([...new Set(doubled)].sort()).toEqual([...quiet].sort());
    expect(doubled).toHaveLength(3 * quiet.length);
    const cut = essence(dayOf({ events: [{ what: 'power-cut', at: '0h', for: '1h' }] }));
    expect(cut).toEqual([]);
    const forged = essence(dayOf({ events: [{ what: 'forged-mics', at: '0h', for: '1h' }] }));
    const changed = forged.filter((message) => !quiet.includes(message));
    expect(changed.length).toBeGreaterThan(0);
    expect(changed.every((message) => message.includes('phyPayload'))).toBe(true);
  });

  it('come late and together when the line was cut', () => {
    const day = dayOf({ length: '2h', events: [{ what: 'backhaul-cut', at: '0h', for: '1h' }] });
    const times = createTimeline({ day, seed: 'one', start }).messages.map(({ at }) => at);
    expect(Math.min(...times)).toBeGreaterThanOrEqual(start + 3_600_000);
    expect(times.filter((at) => at < start + 3_601_000).length).toBeGreaterThan(10);
  });

  it('join only as devices that are there', () => {
    const day = dayOf({ events: [{ what: 'join-storm', at: '0h', for: '10m', by: 3 }] });
    const { messages, scenario } = createTimeline({ day, seed: 'one', start });
    const joins = messages
      .filter(({ route }) => route.includes('/gateway/'))
      .map(({ body }) => Buffer.from(JSON.parse(body.toString()).phyPayload, 'base64'))
      .filter((frame) => frame.length === 23 && frame[0] === 0);
    const lorawan = scenario.devices.filter(({ network }) => network !== 'modem');
    expect(joins).toHaveLength(3 * lorawan.length);
    const euis = new Set(joins.map((frame) => frame.subarray(9, 17).reverse().toString('hex')));
    expect([...euis].sort()).toEqual(lorawan.map(({ id }) => id).sort());
  });
});
