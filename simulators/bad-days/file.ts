/**
 * A bad day as a YAML file: how large the city is, what goes wrong when, and what a gateway should
 * notice. docs/scenarios.md describes it. Several files can be played at once.
 */
import { parse } from 'yaml';
import { z } from 'zod';

const unitMs = { m: 60_000, h: 3_600_000 } as const;
const duration = z
  .string()
  .regex(/^\d+(?:\.\d+)?[mh]$/, 'is not a number with m or h')
  .transform((text) => Number(text.slice(0, -1)) * unitMs[text.endsWith('m') ? 'm' : 'h']);

const kinds = [
  ...(['air-quality', 'noise', 'weather', 'water-level'] as const),
  ...(['parking', 'energy', 'bin', 'people'] as const),
] as const;
const networks = ['gateway-bridge', 'chirpstack', 'the-things-stack', 'modem'] as const;

/** Which devices an event is about; all that are named must fit. */
const selection = z
  .strictObject({
    kind: z.enum(kinds).optional(),
    network: z.enum(networks).optional(),
    district: z.string().optional(),
    /** The first so many of those. */
    first: z.number().int().min(1).optional(),
  })
  .default({});

const eventKinds = [
  ...(['station-dies', 'power-cut', 'duplicates', 'backhaul-cut', 'clock-wrong'] as const),
  ...(['stuck', 'drift', 'spikes', 'noise', 'replay-attack', 'forged-mics'] as const),
  ...(['join-storm', 'format-change', 'heat', 'flood', 'festival'] as const),
] as const;

const event = z.strictObject({
  what: z.enum(eventKinds),
  /** After the start of the day. */
  at: duration,
  for: duration,
  devices: selection,
  /** How much: times, degrees, metres, hours; each event says which. */
  by: z.number().default(1),
});

const range = z.strictObject({ min: z.number().optional(), max: z.number().optional() });

const expectation = z.strictObject({
  /** Messages by outcome and by fault, of this day alone. */
  outcomes: z.record(z.string(), range).default({}),
  faults: z.record(z.string(), range).default({}),
  /** Steps of more than one between the counters of a device that were accepted. */
  counterGaps: range.optional(),
  /** The longest silence of any device, hours. */
  silenceHours: range.optional(),
  /** Readings of a quantity with one of these flags, and what they say. */
  readings: z
    .array(
      z.strictObject({
        quantity: z.string(),
        quality: z.array(z.number().int()).optional(),
        count: range,
        above: z.number().optional(),
      }),
    )
    .default([]),
});

const badDay = z.strictObject({
  version: z.literal(1),
  name: z.string().regex(/^[a-z0-9-]{1,64}$/),
  about: z.string().min(1),
  devices: z.number().int().min(1).max(10_000),
  length: duration,
  interval: duration,
  events: z.array(event).min(1).max(100),
  expect: expectation,
});

export type BadDay = z.infer<typeof badDay>;
export type BadEvent = BadDay['events'][number];
export type Range = z.infer<typeof range>;

/** Throws with everything that is wrong, each with its place. */
export function parseBadDay(text: string): BadDay {
  const result = badDay.safeParse(parse(text));
  if (result.success) return result.data;
  const faults = result.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  throw new RangeError(faults.join('\n'));
}

/**
 * Several days at once, in one city of the largest size and for the longest time. What each expects
 * is of that day alone, so nothing is expected of all of them.
 */
export function combineDays(days: readonly [BadDay, ...BadDay[]]): BadDay {
  const [first] = days;
  if (days.length === 1) return first;
  return {
    ...{ version: 1, name: days.map(({ name }) => name).join(' and ') },
    about: days.map(({ about }) => about).join(' '),
    devices: Math.max(...days.map(({ devices }) => devices)),
    length: Math.max(...days.map(({ length }) => length)),
    interval: Math.min(...days.map(({ interval }) => interval)),
    events: days.flatMap(({ events }) => events),
    expect: { outcomes: {}, faults: {}, readings: [] },
  };
}
