/** Limits of the quality tests, over those that come with the vocabulary; see docs/quality.md. */
import { z } from 'zod';

const span = z
  .strictObject({ min: z.number(), max: z.number() })
  .refine(({ min, max }) => min <= max, 'has its ends in the wrong order');
const positive = z.number().positive();
const notNegative = z.number().min(0);
const count = z.number().int().min(1).max(1_000);
const day = 86_400;
const seconds = z.number().int().min(1).max(day);
const words = z.array(z.string().min(1).max(256)).min(1).max(10_000).optional();

/** What is wrong fails from `fail` on, and is suspect from `suspect` on. */
function worsens({ suspect, fail }: { suspect: number; fail: number }): boolean {
  return suspect <= fail;
}
const worsensText = 'is suspect only above what fails';

const spike = z
  .strictObject({ suspect: positive, fail: positive })
  .refine(worsens, worsensText)
  .nullable()
  .describe('Test 6: how far from the middle of its neighbours; null for no such test.');

const rate = z
  .strictObject({ deviations: notNegative, floor: notNegative })
  .nullable()
  .describe('Test 7: a step may be floor + deviations standard deviations of the last 25 h.');

const flat = z
  .strictObject({
    tolerance: notNegative.describe('Values so near are equal.'),
    suspectCount: count.default(3).describe('Equal values before it.'),
    failCount: count.default(5).describe('Equal values before it.'),
    suspectSeconds: z.number().int().min(0).max(day).default(0).describe('And so long.'),
    failSeconds: z.number().int().min(0).max(day).default(0).describe('And so long.'),
    rests: span.optional().describe('Where standing still is natural: no rain, no wind.'),
  })
  .nullable()
  .describe('Test 8: a value that stands still.');

const attenuation = z
  .strictObject({
    hours: z.number().int().min(1).max(24),
    suspect: notNegative,
    fail: notNegative,
  })
  .refine(({ suspect, fail }) => fail <= suspect, 'fails only below what is suspect')
  .nullable()
  .describe('Test 10: the standard deviation over these hours has to reach so much.');

const neighbours = z
  .strictObject({
    suspect: positive.describe('Spreads of the neighbours from their mean.'),
    fail: positive,
    deviationMin: positive.describe('The least that is taken for their spread.'),
    countMin: z.number().int().min(2).max(100).default(3),
    ageSecondsMax: seconds.default(3_600).describe('Their newest value is not further away.'),
  })
  .refine(worsens, worsensText)
  .nullable()
  .describe('Test 11: beside the same quantity of other devices of its area.');

const season = z
  .strictObject({
    months: z.array(z.number().int().min(1).max(12)).min(1).max(12),
    min: z.number(),
    max: z.number(),
  })
  .refine(({ min, max }) => min <= max, 'has its ends in the wrong order');

const seriesLimits = {
  quantity: z.string().min(1).max(128).describe('As GET /api/v1/quantities lists it, or x_….'),
  channel: z.string().min(1).max(128).optional(),
  intervalSeconds: seconds.optional().describe('Test 1: how often a value should come.'),
  metresMax: positive.optional().describe('Test 3: of latitude and longitude.'),
  range: span.optional().describe('Test 4: beyond what the sensor can report a value fails.'),
  expected: span.optional().describe('Test 4: beyond what is expected here it is suspect.'),
  seasons: z.array(season).max(12).optional().describe('Test 5: what is expected in each month.'),
  stepSecondsMax: seconds.optional().describe('Tests 6 and 7: neighbours are not further apart.'),
  spike: spike.optional(),
  rate: rate.optional(),
  flat: flat.optional(),
  attenuation: attenuation.optional(),
  neighbours: neighbours.optional(),
};

/** Rules of one model or device. */
const ownLimitsMax = 256;

/** Limits that stand with a device or a model: whose they are is said by where they stand. */
const ownSeriesLimits = z.strictObject(seriesLimits);
export const ownLimits = z.array(ownSeriesLimits).max(ownLimitsMax);
export type SeriesLimits = Readonly<z.output<typeof ownSeriesLimits>>;

const limits = z.strictObject({
  ...seriesLimits,
  areas: words.describe('Of these areas only.'),
  models: words.describe('Of devices of these models only.'),
  devices: words.describe('Of these devices only; they go before models, and models before areas.'),
});

export const quality = z.strictObject({
  limits: z
    .array(limits)
    .max(10_000)
    .default([])
    .describe('Over the defaults of each quantity; what a rule does not name stays.'),
  seriesMax: z
    .number()
    .int()
    .min(1)
    .max(10_000_000)
    .default(100_000)
    .describe('Series that tests remember, about 1 kB each; others are judged value by value.'),
});
