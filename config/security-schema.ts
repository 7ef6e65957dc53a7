/** When frames that are forged or sent again raise an alarm. */
import { z } from 'zod';

const minute = 60_000;

/** One alarm for each subject and window, when its events reach the count. */
const threshold = ({ count, windowMs }: { readonly count: number; readonly windowMs: number }) =>
  z
    .strictObject({
      count: z
        .number()
        .int()
        .min(0)
        .max(1_000_000)
        .default(count)
        .describe('Events within the window that raise one alarm; 0 raises none.'),
      windowMs: z
        .number()
        .int()
        .min(1_000)
        .max(24 * 60 * minute)
        .default(windowMs)
        .describe('From the first event; then counting begins anew.'),
    })
    .prefault({});

export const security = z.strictObject({
  replayedFrames: threshold({ count: 10, windowMs: 10 * minute }).describe(
    'Old counters under a valid MIC, of one device.',
  ),
  replayedJoins: threshold({ count: 10, windowMs: 10 * minute }).describe(
    'Requests and accepts to join with a nonce used before, of one device.',
  ),
  wrongMics: threshold({ count: 200, windowMs: 10 * minute }).describe(
    'Frames of known addresses under no key of theirs, by one account; neighbours share them.',
  ),
  counterResets: threshold({ count: 1, windowMs: 10 * minute }).describe(
    'Devices that began to count anew, where that is allowed.',
  ),
  subjectsMax: z
    .number()
    .int()
    .positive()
    .max(1_000_000)
    .default(10_000)
    .describe('Devices and accounts that are counted at once; the oldest goes.'),
});
