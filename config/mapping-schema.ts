/**
 * The mapping language: how any sender's messages become uplinks, written as data. docs/mapping.md
 * explains it with examples; what a schema cannot see is checked where mappings are compiled.
 */
import { z } from 'zod';

const from = z
  .string()
  .max(512)
  .describe(
    'Where: /pointer in the body, ./pointer in the element, topic:name, query:name, account.',
  );

const scalar = z.union([z.string().max(256), z.number(), z.boolean(), z.null()]);
const placeholders = z.array(scalar).max(32).describe('Values that mean "none": 255, -32768, "-".');
const required = z.boolean().describe('Without it the message is a fault.');
const template = z
  .string()
  .min(1)
  .max(128)
  .describe('Text in which {source} stands for a value: "{topic:parameter}", "input_{position}".');

const condition = z.strictObject({
  from,
  equals: scalar.optional(),
  oneOf: z.array(scalar).min(1).max(256).optional(),
  exists: z.boolean().optional().describe('Whether there is any value but null.'),
  is: z.enum(['object', 'array', 'text', 'number', 'boolean']).optional(),
});
const when = z.array(condition).max(16).describe('All of these must hold.');

const number = z.strictObject({
  from,
  parse: z.enum(['number', 'hex']).optional().describe('number also reads numeric text.'),
  scale: z.number().optional().describe('Multiplies what was read.'),
  offset: z.number().optional().describe('Is added after the scale.'),
  placeholders: placeholders.optional(),
  required: required.optional(),
});

const count = z.strictObject({
  from: from.optional(),
  value: z.number().int().min(0).optional().describe('A constant in its place.'),
  required: required.optional(),
});

const text = z.strictObject({ from, required: required.optional() });

const time = z.strictObject({
  from,
  orFrom: from.optional().describe('Where it stands when it is not there.'),
  unit: z
    .enum(['auto', 's', 'ms', 'us', 'iso', 'local'])
    .describe(
      'Since 1970, or RFC 3339, or a clock face in `zone`; auto tells s, ms and iso apart.',
    ),
  zone: z.string().max(64).optional().describe('IANA name; that of the mapping if absent.'),
  placeholders: placeholders.optional(),
  required: required.optional(),
});

const deviceId = z.strictObject({
  from,
  withoutPrefix: z.string().min(1).max(64).optional().describe('Cut off where it is in front.'),
  kind: z
    .enum(['imei', 'imsi', 'iccid', 'msisdn'])
    .optional()
    .describe('A personal identifier: it becomes <kind>-<16 hex digits> by a key of this gateway.'),
});

const payload = z.strictObject({
  from,
  encoding: z.enum(['hex', 'base64', 'text']),
  required: required.optional(),
});

const measurement = z.strictObject({
  from,
  name: template,
  channel: template.optional(),
  unit: template.optional().describe('As the sender means it, in UCUM or SenML words.'),
  type: z
    .enum(['auto', 'number', 'hex', 'text', 'boolean'])
    .optional()
    .describe('auto keeps what was sent, and makes a number of numeric text.'),
  part: z
    .strictObject({ separator: z.string().min(1).max(8), index: z.number().int().min(0).max(255) })
    .optional()
    .describe('One part of a text that holds several values.'),
  words: z
    .record(z.string().max(256), scalar)
    .optional()
    .describe('Values to put in place of words, by word.'),
  scale: z.number().optional(),
  offset: z.number().optional(),
  placeholders: placeholders.optional(),
  list: z.boolean().optional().describe('Each element of an array is a measurement.'),
  time: time.optional(),
  required: required.optional(),
});

const all = z.strictObject({
  from,
  include: z.array(z.string().min(1).max(128)).max(256).optional().describe('Names, with *.'),
  exclude: z.array(z.string().min(1).max(128)).max(256).optional().describe('Names, with *.'),
  prefix: z.string().max(64).optional(),
  suffix: z.string().max(64).optional(),
  channel: template.optional(),
});

const radioNumber = number.extend({
  form: z
    .enum(['cesq', 'nr', 'csq'])
    .optional()
    .describe('The value is an index as AT+CESQ, its 5G fields or AT+CSQ print it.'),
});

const radio = z.strictObject({
  known: z.strictObject({ from }).optional().describe('An object whose keys say what they are.'),
  line: z.strictObject({ from }).optional().describe('Text of +CESQ:, +CSQ: or +QENG:.'),
  rat: text.optional(),
  rsrp: radioNumber.optional(),
  rsrq: radioNumber.optional(),
  sinr: radioNumber.optional(),
  rssi: radioNumber.optional(),
  band: number.optional(),
  arfcn: number.optional(),
  pci: number.optional(),
  tac: number.optional(),
  cellId: number.optional(),
  mcc: text.optional(),
  mnc: text.optional(),
  plmn: text.optional().describe('Country and network in one: 310410.'),
});

const gateways = z.strictObject({
  from: from.optional().describe('An array of receptions, or one; without it the message itself.'),
  id: z.strictObject({ from }),
  rssi: number.optional().describe('dBm'),
  snr: number.optional().describe('dB'),
  rxTime: time.optional(),
  latitude: number.optional(),
  longitude: number.optional(),
  altitude: number.optional(),
});

const tx = z.strictObject({
  frequency: number.optional().describe('Hz'),
  bandwidth: number.optional().describe('Hz'),
  spreadingFactor: number.optional(),
  dataRate: text.optional().describe('Text like SF7BW125.'),
});

const each = z.strictObject({
  from,
  gives: z.enum(['uplinks', 'samples']).describe('One uplink each, or measurements of one uplink.'),
  when: when.optional().describe('Elements for which it does not hold are passed over.'),
});

const rule = z.strictObject({
  when: when.optional(),
  event: z
    .string()
    .regex(/^[a-z0-9][a-z0-9_.-]{0,63}$/, 'is no event name: write lower-case letters, digits, _.-')
    .optional()
    .describe('Not an uplink but a word of the sender about itself, of this type.'),
  each: each.optional(),
  deviceId: deviceId.optional().describe('Without it and devEui, the device of the account.'),
  devEui: text.optional(),
  devAddr: text.optional(),
  fPort: count.optional(),
  fCnt: count.optional(),
  confirmed: text.optional(),
  payload: payload.optional(),
  encrypted: z.boolean().optional().describe('The payload is under a key that is not known here.'),
  simulated: z.boolean().optional().describe('Made up by the sender: never telemetry.'),
  time: time.optional().describe('When the values were measured.'),
  rxTime: time.optional().describe('When the network received the message.'),
  messageKey: z
    .array(from)
    .min(1)
    .max(8)
    .optional()
    .describe('What makes the message unlike every other of its device, equal in a resend.'),
  measurements: z.array(measurement).max(256).optional(),
  all: z.array(all).max(16).optional(),
  radio: radio.optional(),
  gateways: gateways.optional(),
  tx: tx.optional(),
});

const embedded = z.strictObject({
  at: from,
  as: z.enum(['json', 'nmea']).describe('The text there is opened in its place.'),
});

const mappingName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,63}$/, 'is no name: write lower-case letters, digits and dashes');

const parts = {
  topics: z
    .array(z.string().min(1).max(512))
    .min(1)
    .max(64)
    .optional()
    .describe('MQTT topics, such as vega/{unit}/data: {name} takes one level, + and # as in MQTT.'),
  networkServer: z
    .boolean()
    .optional()
    .describe('Its sender has verified the frames: then an account may vouch for them.'),
  body: z.enum(['json', 'text']).optional().describe('json if absent.'),
  zone: z.string().max(64).optional().describe('IANA time zone of clock faces.'),
  embedded: z.array(embedded).max(8).optional(),
  rules: z.array(rule).min(1).max(64).optional().describe('The first that fits is used.'),
};

/** A mapping as the configuration has it: in full, or a profile with what differs. */
export const mappingSchema = z.strictObject({
  name: mappingName.optional().describe('Unique; the name of the profile if absent.'),
  profile: mappingName.optional().describe('A shipped mapping; keys written here replace its own.'),
  ...parts,
});

/** A shipped mapping. Its topics are what the vendor has fixed or what its set-up page proposes. */
export const profileSchema = z.strictObject({ name: mappingName, ...parts, rules: z.array(rule) });

export type Mapping = z.infer<typeof mappingSchema>;
export type MappingProfile = z.infer<typeof profileSchema>;
export type MappingRule = z.infer<typeof rule>;
export type ConditionSpec = z.infer<typeof condition>;
export type Scalar = z.infer<typeof scalar>;
export type NumberSpec = z.infer<typeof number>;
export type RadioNumberSpec = z.infer<typeof radioNumber>;
export type RadioSpec = z.infer<typeof radio>;
export type CountSpec = z.infer<typeof count>;
export type TextSpec = z.infer<typeof text>;
export type TimeSpec = z.infer<typeof time>;
export type DeviceIdSpec = z.infer<typeof deviceId>;
export type PayloadSpec = z.infer<typeof payload>;
export type MeasurementSpec = z.infer<typeof measurement>;
export type AllSpec = z.infer<typeof all>;
export type GatewaysSpec = z.infer<typeof gateways>;
export type TxSpec = z.infer<typeof tx>;
export type EachSpec = z.infer<typeof each>;
export type EmbeddedSpec = z.infer<typeof embedded>;
