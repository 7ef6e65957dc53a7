/**
 * What a person or a program writes to register a device, in YAML, CSV or JSON: its shape, its
 * rules and, for everything wrong with it, where it is and what to do. Values are never repeated in
 * a problem's text, since they may be keys.
 */
import { closest, distance } from 'fastest-levenshtein';
import { z } from 'zod';
import { type Device, deviceIdPattern } from '../model/device.ts';
import { devAddrSpelling, eui64Spelling, parseDevAddr, parseEui64 } from '../model/eui.ts';
import { limitsInput, mappingInput } from '../model/own-settings.ts';
import { envelopeLabel } from './key-envelope.ts';

export interface DeviceProblem {
  /** The field, with dots between levels: `keys.appSKey`; empty for the device as a whole. */
  readonly path: string;
  readonly message: string;
  readonly remedy: string;
}

const nameCharsMax = 128;
const tagsMax = 32;

const label = z
  .string()
  .min(1)
  .max(nameCharsMax)
  .regex(/^[^\p{Cc}\p{Cs}]*$/u, 'Contains control characters.');
const aesKey = z
  .string({ error: ({ input }) => closedEnvelope(input) })
  .regex(/^[0-9a-fA-F]{32}$/, 'Is not a key of 16 bytes.')
  .toLowerCase();

const closedWords = 'Is wrapped, and no key of the configuration opens it';

/** Undefined for what is no envelope: then it is simply no text. */
function closedEnvelope(value: unknown): string | undefined {
  const label = envelopeLabel(value);
  if (label === undefined) return undefined;
  return `${closedWords} (KEK label "${label}").`;
}

const tagName = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/, 'Is not a tag name.');

interface Spelled {
  readonly parse: (text: string) => string | undefined;
  /** What `parse` takes, for the API's document. */
  readonly pattern: string;
  readonly message: string;
}

/** A text that `parse` brings into its one spelling. */
function spelled({ parse, pattern, message }: Spelled) {
  const said = z.string().meta({ pattern });
  return said.transform((text, context) => {
    const parsed = parse(text);
    if (parsed !== undefined) return parsed;
    context.issues.push({ code: 'custom', message, input: text });
    return z.NEVER;
  });
}

const joinEui = spelled({
  ...{ parse: parseEui64, pattern: eui64Spelling, message: 'Is not an EUI of 8 bytes.' },
});
const devAddr = spelled({
  ...{ parse: parseDevAddr, pattern: devAddrSpelling, message: 'Is not a DevAddr of 4 bytes.' },
});

const location = z.strictObject({
  latitude: z.number().min(-90).max(90),
  longitude: z.number().min(-180).max(180),
  altitude: z.number().min(-500).max(10_000).exactOptional().describe('Metres.'),
});

const deviceKeys = z.strictObject({
  appKey: aesKey.exactOptional(),
  nwkKey: aesKey.exactOptional(),
  appSKey: aesKey.exactOptional(),
  nwkSKey: aesKey.exactOptional(),
  fNwkSIntKey: aesKey.exactOptional(),
  sNwkSIntKey: aesKey.exactOptional(),
  nwkSEncKey: aesKey.exactOptional(),
});

/** Root and session keys in 32 hex digits each; they go in and never come out again. */
export type DeviceKeys = Readonly<z.output<typeof deviceKeys>>;

export const deviceKeyNames = deviceKeys.keyof().options;

/** Each field by itself; the rules between them are those of `deviceInput`. */
export const deviceShape = z.strictObject({
  id: z.string().regex(deviceIdPattern, 'Is not a device id.'),
  kind: z.enum(['lorawan', 'cellular']),
  name: label.exactOptional(),
  agency: label.exactOptional(),
  area: label.exactOptional(),
  location: location.exactOptional(),
  model: label.exactOptional().describe('The id of a device model, or any name.'),
  firmware: label.exactOptional().describe('Of its model; the last one if absent.'),
  codec: label.exactOptional().describe('That of its model if absent.'),
  activation: z.enum(['otaa', 'abp']).exactOptional(),
  counterReset: z
    .enum(['never', 'after-silence', 'always'])
    .exactOptional()
    .describe('Whether it may count its frames anew under the same keys; for `abp` only.'),
  macVersion: z
    .string()
    .regex(/^1\.[01](\.\d{1,2})?$/, 'Is not a LoRaWAN version.')
    .exactOptional(),
  joinEui: joinEui.exactOptional(),
  devAddr: devAddr.exactOptional(),
  tags: z
    .record(tagName, label)
    .refine((tags) => Object.keys(tags).length <= tagsMax, `Has more than ${tagsMax} tags.`)
    .meta({ maxProperties: tagsMax })
    .exactOptional(),
  mapping: mappingInput.exactOptional(),
  limits: limitsInput.exactOptional(),
  keys: deviceKeys.exactOptional(),
});

type DeviceShape = z.output<typeof deviceShape>;

/** The schema for configuration and API; strict, so that a misspelt field is an error. */
export const deviceInput = deviceShape
  .transform((shape) => ({ ...shape, id: spelledId(shape) }))
  .superRefine((shape, context) => {
    for (const { path, message } of ruleBreaches(shape)) {
      context.addIssue({ code: 'custom', path: path.split('.'), message });
    }
  });

export interface DeviceInput {
  readonly device: Device;
  readonly keys?: DeviceKeys;
}

/** Never throws. With problems, nothing of the input may be used. */
export function parseDeviceInput(
  input: unknown,
): DeviceInput | { readonly problems: readonly DeviceProblem[] } {
  if (hasLostTag(input)) {
    return { problems: problemsOf(lostTag) };
  }
  const result = deviceInput.safeParse(input);
  if (!result.success) return { problems: result.error.issues.flatMap(problemsOf) };
  const { keys, ...device } = result.data;
  return keys === undefined ? { device } : { device, keys };
}

const lostTag: z.core.$ZodIssue = {
  ...{ code: 'custom', path: ['tags', '__proto__'], message: 'Is not the name of a tag.' },
  input: undefined,
};

/** The schema would leave it out without a word. */
function hasLostTag(input: unknown): boolean {
  if (typeof input !== 'object' || input === null || !('tags' in input)) return false;
  const { tags } = input;
  return typeof tags === 'object' && tags !== null && Object.hasOwn(tags, '__proto__');
}

/** A LoRaWAN id is accepted in every spelling of an EUI; one that is none is told by the rules. */
function spelledId(shape: DeviceShape): string {
  return shape.kind === 'lorawan' ? (parseEui64(shape.id) ?? shape.id) : shape.id;
}

interface Breach {
  readonly path: string;
  readonly message: string;
}

function ruleBreaches(shape: DeviceShape): readonly Breach[] {
  if (shape.kind === 'cellular') return cellularBreaches(shape);
  const { keys } = shape;
  return [
    ...(parseEui64(shape.id) === undefined
      ? [{ path: 'id', message: 'Is not a devEui of 8 bytes.' }]
      : []),
    ...(shape.counterReset !== undefined && shape.activation !== 'abp'
      ? [{ path: 'counterReset', message: 'Is for devices of activation abp.' }]
      : []),
    ...(keys === undefined ? [] : sessionBreaches(shape, keys)),
  ];
}

const lorawanFields = [
  ...(['activation', 'counterReset', 'macVersion', 'joinEui', 'devAddr', 'keys'] as const),
] as const;

function cellularBreaches(shape: DeviceShape): readonly Breach[] {
  return lorawanFields
    .filter((field) => shape[field] !== undefined)
    .map((path) => ({ path, message: 'A cellular device has no such field.' }));
}

const keys11 = ['fNwkSIntKey', 'sNwkSIntKey', 'nwkSEncKey'] as const;

/** A session is given as a whole or not at all: half a session would refuse every frame. */
function sessionBreaches(shape: DeviceShape, keys: DeviceKeys): readonly Breach[] {
  const given11 = keys11.filter((name) => keys[name] !== undefined);
  if (keys.appSKey === undefined && keys.nwkSKey === undefined && given11.length === 0) return [];
  const breaches: Breach[] = [];
  const add = (path: string, message: string) => breaches.push({ path, message });
  if (shape.devAddr === undefined) add('devAddr', 'Is missing beside session keys.');
  if (keys.appSKey === undefined) add('keys.appSKey', 'Is missing from the session keys.');
  if (keys.nwkSKey !== undefined && given11.length > 0) {
    add('keys.nwkSKey', 'Stands beside the network session keys of LoRaWAN 1.1.');
  }
  if (keys.nwkSKey === undefined && given11.length === 0) {
    add('keys.nwkSKey', 'Is missing from the session keys.');
  }
  if (given11.length > 0) {
    const missing = keys11.filter((name) => keys[name] === undefined);
    for (const name of missing) add(`keys.${name}`, 'Is missing from the session keys.');
    if (shape.macVersion?.startsWith('1.0') === true) {
      add('macVersion', 'Names LoRaWAN 1.0, but the session keys are those of 1.1.');
    }
  }
  return breaches;
}

/** One problem for each unknown key, for one issue of zod's may name several. */
function problemsOf(issue: z.core.$ZodIssue): readonly DeviceProblem[] {
  const path = issue.path.map(String);
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => unknownField(path, key));
  }
  const isClosed = issue.message.startsWith(closedWords);
  const remedy = isClosed ? 'Give that key in keys.keks.' : remedyFor(path);
  return [{ path: path.join('.'), message: issue.message, remedy }];
}

/** The objects whose fields are fixed. */
function fieldsOf(path: readonly string[]): readonly string[] {
  if (path[0] === 'keys') return Object.keys(deviceKeys.shape);
  if (path[0] === 'location') return Object.keys(location.shape);
  return Object.keys(deviceShape.shape);
}

/** Lists of objects, whose schemas say themselves what is wrong. */
const listed = new Map<string, string>([
  ['mapping', 'Give a list of rules as in docs/codecs.md.'],
  ['limits', 'Give a list of limits as in docs/quality.md.'],
]);

function unknownField(path: readonly string[], key: string): DeviceProblem {
  const field = [...path, key.slice(0, nameCharsMax)].join('.');
  const remedy = listed.get(path[0] ?? '') ?? (path.length === 0 ? placeOf(key) : undefined);
  const message = 'Is not a known field.';
  if (remedy !== undefined) return { path: field, message, remedy };
  const known = fieldsOf(path);
  const nearest = closest(key, known);
  const isNear = distance(key, nearest) <= 2;
  const hint = isNear ? `Did you mean ${nearest}?` : `Use one of: ${known.join(', ')}.`;
  return { path: field, message, remedy: hint };
}

/** Where a word belongs that is right, but in another place. */
function placeOf(key: string): string | undefined {
  if (/^dev_?eui$/i.test(key)) return 'Write the devEui as id.';
  if (key in deviceKeys.shape) return `Did you mean keys.${key}?`;
  return key in location.shape ? `Did you mean location.${key}?` : undefined;
}

const sessionRemedy =
  'Give appSKey with nwkSKey (LoRaWAN 1.0), or with fNwkSIntKey, sNwkSIntKey and nwkSEncKey ' +
  '(1.1), 32 hex digits each.';
const labelRemedy = `Give a text of 1 to ${nameCharsMax} characters on one line.`;

const remedies = new Map<string, string>([
  ['', 'Give an object with at least id and kind.'],
  ['id', 'Give the devEui in 16 hex digits; for a cellular device 1 to 64 of A-Z a-z 0-9 _ . : -'],
  ['kind', 'Give lorawan or cellular.'],
  ['activation', 'Give otaa or abp, for a lorawan device only.'],
  ['counterReset', 'Give never, after-silence or always, with activation abp only.'],
  ['macVersion', 'Give 1.0.2, 1.0.3, 1.0.4 or 1.1, in quotes in YAML, as the keys are.'],
  ['joinEui', 'Give 16 hex digits, for a lorawan device only.'],
  ['devAddr', 'Give 8 hex digits, in quotes in YAML, for a lorawan device only.'],
  ['location', 'Give latitude and longitude in degrees (WGS 84), altitude in metres.'],
  ['tags', `Give at most ${tagsMax} names (letters, digits, _ . -) with a text each.`],
  ['keys', sessionRemedy],
]);

function remedyFor(path: readonly string[]): string {
  const name = path[0] ?? '';
  return listed.get(name) ?? remedies.get(name) ?? labelRemedy;
}
