/**
 * The bodies that are no devices, models or rules, as one schema each: the document of the API is
 * made of it, and what comes is held to it.
 */
import { isIP } from 'node:net';
import { z } from 'zod';
import { dialects } from '../../gateway/codecs/script.ts';
import { deviceIdPattern } from '../../gateway/model/device.ts';
import { banKinds } from '../../gateway/transports/mqtt/bans.ts';
import { mappingList } from '../openapi/models.ts';
import { Problem } from './problem.ts';

/** In one request: a client that asks for more asks again, and can tell how far it is. */
const credentialsAtOnceMax = 1_000;
const banSecondsMax = 31_622_400;
const overlapHoursMax = 8_784;
const examplesMax = 1_000;
const variablesMax = 100;
const daySeconds = 86_400;

/** Without the character that ends a text for others. */
const plain = z.string().regex(/^[^\0]*$/, 'has a null character');
const secret = z.string().max(512);
const id = z.string().regex(/^.{1,128}$/, 'is a text of 1 to 128 characters on one line');
const deviceId = z.string().regex(deviceIdPattern, 'is no device id');
const name = plain.max(128);

export const sessionInput = z.object({ token: secret });

/** What is no address would ban nobody, and look as if it did. */
export const banInput = z
  .strictObject({
    kind: z.enum(banKinds),
    value: plain.min(1).max(256).describe('Of the kind address: one IP address.'),
    seconds: z.number().min(1).max(banSecondsMax).default(daySeconds),
    reason: plain.max(256).default(''),
  })
  .refine(({ kind, value }) => kind !== 'address' || isIP(value) !== 0, {
    ...{ path: ['value'], message: 'is one IP address, without a range' },
  });

export const deriveInput = z.strictObject({
  from: z.int().min(1).describe('A seq of the ledger.'),
  device: id.exactOptional(),
  codec: id.exactOptional(),
});

export const credentialsInput = z.strictObject({
  devices: z
    .array(
      z.strictObject({
        deviceId,
        agency: name.exactOptional().describe('For {agency} in filters.'),
      }),
    )
    .min(1)
    .max(credentialsAtOnceMax),
  application: name.exactOptional().describe('For {application} in their topic filters.'),
});

export const rotateInput = z.strictObject({
  overlapHours: z.number().min(0).max(overlapHoursMax).default(72),
});

/** Rules are read one by one by those who know the vocabulary. */
const mapping = z.array(z.unknown()).meta(mappingList);
const variable = z.union([z.string(), z.number(), z.boolean()]);

export const codecInput = z.strictObject({
  script: z.string().min(1),
  name: z.string().min(1).max(256).exactOptional(),
  dialect: z.enum(dialects).exactOptional(),
  variables: z
    .record(z.string(), variable)
    .refine((all) => Object.keys(all).length <= variablesMax, `has more than ${variablesMax}`)
    .meta({ maxProperties: variablesMax })
    .exactOptional()
    .describe('Texts to the script.'),
  mapping: mapping.exactOptional().describe('That of the version before if absent.'),
  examples: z.array(z.looseObject({})).max(examplesMax).exactOptional(),
});

export const codecMapping = z.strictObject({ mapping });

/** What the body says, or 400 with everything that is wrong with it. */
export function readBody<S extends z.ZodObject>(schema: S, body: unknown): z.output<S> {
  const read = schema.safeParse(body);
  if (read.success) return read.data;
  const errors = read.error.issues
    .flatMap((issue) => errorsOf(issue, Object.keys(schema.shape)))
    .slice(0, errorsMax);
  const [first] = errors;
  const place = first === undefined || first.path === '' ? 'the body' : first.path;
  throw new Problem(400, `${place}: ${first?.detail ?? 'cannot be read'}`, { errors });
}

interface FieldError {
  readonly path: string;
  readonly detail: string;
}

const errorsMax = 20;
const nameShownMax = 64;

function errorsOf(issue: z.core.$ZodIssue, fields: readonly string[]): FieldError[] {
  const path = issue.path.map(String).join('.');
  if (path === '' && issue.code === 'invalid_type') {
    return [{ path, detail: `is a JSON object with ${fields.join(', ')}` }];
  }
  if (issue.code !== 'unrecognized_keys') return [{ path, detail: issue.message }];
  return issue.keys.map((key) => ({ path, detail: `unknown field ${key.slice(0, nameShownMax)}` }));
}
