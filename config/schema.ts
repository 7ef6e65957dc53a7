/**
 * The one description of every setting: its type, default, limits and a sentence for a person.
 * Types, validation, the annotated defaults and the JSON Schema all come from here.
 */
import { z } from 'zod';
import { doors } from './ingest-schema.ts';
import { keys } from './keys-schema.ts';
import { mappingSchema } from './mapping-schema.ts';
import { mqtt } from './mqtt-schema.ts';
import { quality } from './quality-schema.ts';
import { security } from './security-schema.ts';

const port = z.number().int().min(0).max(65_535);
const bytes = z.number().int().positive();
const host = z.string().min(1).default('127.0.0.1').describe('Address to listen on.');
const secret = z.string().min(8).max(512);
const count = z.number().int().positive();

const deviceKeys = z.strictObject({
  appKey: z.string().optional(),
  nwkKey: z.string().optional(),
  appSKey: z.string().optional(),
  nwkSKey: z.string().optional(),
  fNwkSIntKey: z.string().optional(),
  sNwkSIntKey: z.string().optional(),
  nwkSEncKey: z.string().optional(),
});

/** A device as written in the file; the registry checks identifiers and keys when it reads it. */
const device = z.looseObject({ id: z.string().min(1).max(64), keys: deviceKeys.optional() });

/** A device model as written in the file; who reads it checks the rest of it. */
const model = z.looseObject({ id: z.string().min(1).max(128) });

const httpToken = z.strictObject({
  name: z.string().min(1).max(64),
  role: z.enum(['viewer', 'operator', 'admin']).default('viewer'),
  token: secret,
});

const http = z.strictObject({
  host,
  port: port.default(8080).describe('HTTP, WebSocket and MQTT over WebSocket; 0 picks a free one.'),
  publicUrl: z.string().url().optional().describe('How browsers reach it, when behind a proxy.'),
  tokens: z
    .array(httpToken)
    .default([])
    .describe('Bearer tokens of machines; prefer `token create`.'),
  trustProxy: z
    .boolean()
    .default(false)
    .describe('Behind a proxy of our own: believe its X-Forwarded-For and X-Forwarded-Proto.'),
  bodyBytesMax: bytes.default(1_048_576).describe('Largest request body.'),
});

const ingestRoute = z.strictObject({
  topic: z.string().min(1).describe('MQTT topic filter.'),
  adapter: z.string().min(1).describe('Name of the adapter that reads it.'),
});

const sparkplug = z.strictObject({
  hostId: z
    .string()
    .regex(/^[^/+#]{1,64}$/)
    .nullable()
    .default('fieldgate')
    .describe('Name under which edge nodes see it in STATE messages; null to send none.'),
});

const counterReset = z.strictObject({
  policy: z
    .enum(['never', 'after-silence', 'always'])
    .default('never')
    .describe('Of devices of activation abp without their own.'),
  fCntMax: z
    .number()
    .int()
    .min(0)
    .max(1_000)
    .default(16)
    .describe('Highest counter of the first frame that is heard after a reset.'),
  silenceMs: z
    .number()
    .int()
    .min(1_000)
    .default(60_000)
    .describe('For after-silence: since the last frame of the device that was taken.'),
  framesMax: z
    .number()
    .int()
    .positive()
    .max(10_000_000)
    .default(200_000)
    .describe('Frames remembered of one device, 50 bytes of disk each; then no reset is taken.'),
});

const ingest = z.strictObject({
  routes: z
    .array(ingestRoute)
    .default([])
    .describe('Topics beyond the defaults of each adapter; the first match wins.'),
  mappings: z
    .array(mappingSchema)
    .max(200)
    .default([])
    .describe('Formats that are described here instead of in code; see docs/mapping.md.'),
  fCntGapMax: z
    .number()
    .int()
    .positive()
    .default(16_384)
    .describe('Largest step of a frame counter that is still taken for lost frames.'),
  counterReset: counterReset
    .prefault({})
    .describe('Devices that count anew under the same keys; see docs/lorawan.md.'),
  sparkplug: sparkplug.prefault({}).describe('The host application of Sparkplug B nodes.'),
  ...doors,
});

const influx = z.strictObject({
  kind: z.literal('influx').describe('InfluxDB 1.x, or 2.x and 3.x by their 1.x endpoints.'),
  url: z.string().url().default('http://127.0.0.1:8086'),
  database: z.string().min(1).default('fieldgate'),
  retentionPolicy: z.string().optional().describe('The default one of the database if absent.'),
  username: z.string().optional(),
  password: z.string().optional(),
});

const embedded = z.strictObject({
  kind: z.literal('embedded').describe('One file in dataDir; no other service.'),
  memoryLimitMb: z.number().int().min(64).default(512).describe('Beyond it, queries use disk.'),
  threads: z.number().int().min(1).max(64).default(2).describe('For queries and commits.'),
});

const store = z.discriminatedUnion('kind', [embedded, influx]);

const day = 86_400_000;

const ledger = z.strictObject({
  keepDays: z
    .number()
    .positive()
    .default(90)
    .describe('Older entries go once every reader is past them.'),
  sizeBytesMax: bytes.default(50_000_000_000).describe('The oldest entries go above this size.'),
  queueLengthMax: z
    .number()
    .int()
    .positive()
    .default(50_000)
    .describe('Deliveries waiting for the disk.'),
  queueBytesMax: bytes.default(67_108_864),
  copyWindowMs: z
    .number()
    .int()
    .positive()
    .default(10_000)
    .describe('How long after the first reception another gateway may bring the same frame.'),
  redeliveryWindowMs: z
    .number()
    .int()
    .positive()
    .default(60_000)
    .describe('Equal bytes on a new connection within this time are taken for a resend.'),
  identityWindowMs: z
    .number()
    .int()
    .positive()
    .default(7 * day)
    .describe('How long a message with a counter, time or id of its own is recognised.'),
  diskReserveBytes: bytes
    .default(33_554_432)
    .describe('Room on its disk that is left free: below it nothing is acknowledged.'),
});

const codecs = z.strictObject({
  directory: z
    .string()
    .min(1)
    .optional()
    .describe('Codec scripts: <id>.js, and <id>.yaml with its name, dialect and variables.'),
  timeLimitMs: z.number().int().min(20).max(10_000).default(100).describe('Of one call.'),
  memoryBytesMax: bytes.min(1_048_576).max(16_777_216).default(16_777_216).describe('Of one call.'),
  stackBytesMax: bytes.min(16_384).max(1_048_576).default(262_144).describe('Of one call.'),
  resultCharactersMax: bytes.default(65_536).describe('Of what one call returns, as JSON.'),
  resultFieldsMax: count.default(1_000).describe('Of what one call returns.'),
  scriptBytesMax: bytes.default(524_288).describe('Largest script.'),
  scriptsMax: count.default(2_000).describe('Scripts read from the directory.'),
});

const audit = z.strictObject({
  entriesMax: count.default(100_000).describe('The oldest entries go above this number.'),
});

const live = z.strictObject({
  heartbeatMs: z
    .number()
    .int()
    .min(1_000)
    .max(60_000)
    .default(15_000)
    .describe('Between two words that tell a viewer that the stream is alive.'),
  clientsMax: z.number().int().positive().default(2_000).describe('Viewers at once.'),
  subscriptionsMax: z.number().int().positive().default(32).describe('Of one client.'),
  replayRowsMax: z
    .number()
    .int()
    .positive()
    .default(50_000)
    .describe('Kept for clients that resume.'),
});

const log = z.strictObject({
  level: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'silent']).default('info'),
});

export const configSchema = z.strictObject({
  version: z
    .literal(1, 'is missing or not 1: write version: 1')
    .describe('The version of this file format.'),
  dataDir: z
    .string()
    .min(1)
    .default('./data')
    .describe('Everything the gateway keeps; one gateway each.'),
  keyFile: z
    .string()
    .optional()
    .describe('What seals device keys, mode 0600; made at first start in dataDir if absent.'),
  http: http.prefault({}),
  mqtt: mqtt.prefault({}),
  ingest: ingest.prefault({}),
  devices: z
    .array(device)
    .max(200_000)
    .default([])
    .describe('Devices, beside those put by the API.'),
  models: z
    .array(model)
    .max(10_000)
    .default([])
    .describe('Device models, beside those imported or put; see docs/models.md.'),
  codecs: codecs.prefault({}).describe('Scripts that decode payloads, and what they may use.'),
  quality: quality.prefault({}).describe('What is asked of values; see docs/quality.md.'),
  store: store
    .prefault({ kind: 'embedded' })
    .describe('Where telemetry is kept: embedded or influx.'),
  keys: keys.prefault({}).describe('What guards the keys of devices; see docs/lorawan.md.'),
  ledger: ledger.prefault({}),
  security: security
    .prefault({})
    .describe('When frames that are forged or sent again raise an alarm; see docs/lorawan.md.'),
  audit: audit.prefault({}).describe('Who connected, was refused, was banned, and by whom.'),
  live: live.prefault({}),
  log: log.prefault({}),
});

export type Config = z.infer<typeof configSchema>;

/** The same as JSON Schema, for editors and for the annotated defaults. */
export function configJsonSchema(): unknown {
  return z.toJSONSchema(configSchema, { io: 'input' });
}
