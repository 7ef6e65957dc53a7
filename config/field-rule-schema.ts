/** How fields of a codec, a device model or a device are read; see docs/codecs.md. */
import { z } from 'zod';

const name = z.string().min(1).max(256);
const factor = z.number().min(-1e12).max(1e12);
const word = z.union([z.string().max(64), z.number(), z.null()]);

/** Rules of one codec, model or device. */
const fieldRulesMax = 256;
const wordsMax = 64;

const fieldRule = z.strictObject({
  from: name.describe('The field as its sender writes it, dots between levels; * is any text.'),
  fromChannel: z.string().max(64).exactOptional().describe('Only of this channel of the sender.'),
  quantity: z.string().min(1).max(64).nullable().describe('Or x_…; null for no reading.'),
  channel: z.string().min(1).max(32).exactOptional().describe('* is what * in from stands for.'),
  unit: z.string().min(1).max(32).exactOptional().describe('UCUM, of the number once scaled.'),
  scale: factor
    .refine((value) => value !== 0, 'makes 0 of every value')
    .exactOptional()
    .describe('The number is multiplied by it, then offset is added.'),
  offset: factor.exactOptional(),
  words: z
    .record(z.string().min(1).max(64), word)
    .refine((words) => Object.keys(words).length <= wordsMax, `has more than ${wordsMax} words`)
    .exactOptional()
    .describe("Values for the sender's words; null where a word stands for none."),
});

export const fieldRules = z.array(fieldRule).max(fieldRulesMax);
