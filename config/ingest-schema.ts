/** The settings of the doors beside MQTT: webhooks, LoRa gateways and CoAP. */
import { z } from 'zod';
import { kek } from './keys-schema.ts';

const port = z.number().int().min(0).max(65_535);
const bytes = z.number().int().positive();
const count = z.number().int().positive();
const host = z.string().min(1).default('127.0.0.1').describe('Address to listen on.');
const sourceName = z
  .string()
  .regex(/^[A-Za-z0-9_.-]{1,64}$/, 'is not 1 to 64 letters, digits, dots, dashes or underscores');
const headerName = z.string().regex(/^[A-Za-z0-9-]{1,64}$/, 'is not the name of an HTTP header');
/** Long enough that nobody guesses it, since a right one is never refused for wrong ones. */
const token = z
  .string()
  .regex(/^[!-~]{16,512}$/, 'is not 16 to 512 printable characters without blanks');
const deviceId = z.string().max(64).describe('The one device this source belongs to.');
const vouches = z
  .enum(['network-server', 'credential'])
  .default('credential')
  .describe('network-server for a network server that checks the frames itself.');
const eui = z
  .string()
  .regex(/^[0-9a-fA-F]{2}([-:]?[0-9a-fA-F]{2}){7}$/, 'is not an EUI of 16 hex digits');
const stopTimeoutMs = count
  .default(5_000)
  .describe('How long a stop waits for receipts in flight.');

const webhookAuth = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('token').describe('A secret in a header.'),
    token: token.describe('Better set by …__FILE.'),
    header: headerName
      .default('Authorization')
      .describe('Authorization expects "Bearer <token>", any other header the token alone.'),
  }),
  z.strictObject({
    kind: z.literal('basic').describe('A user name and a password.'),
    username: z.string().min(1).max(128),
    password: z.string().min(16).max(512),
  }),
  z.strictObject({
    kind: z.literal('hmac').describe('A signature of the body.'),
    secret: z.string().min(16).max(512).describe('The key that the sender signs with.'),
    header: headerName.describe('Where the signature stands.'),
    algorithm: z.enum(['sha256', 'sha512']).default('sha256').describe('Which hash it uses.'),
    encoding: z.enum(['hex', 'base64']).default('hex').describe('How its bytes are written.'),
    prefix: z.string().max(32).default('').describe('What stands before it, such as "sha256=".'),
  }),
  z.strictObject({
    kind: z.literal('thingpark').describe("The token of ThingPark's tunnel interface."),
    asId: z.string().min(1).max(128).describe('AS id: the id of the application server there.'),
    key: z
      .string()
      .regex(/^[0-9a-fA-F]{32}$/, 'is not 32 hex digits')
      .describe('AS key: the tunnel interface authentication key; better set by …__FILE.'),
    timeWindowSeconds: count
      .default(300)
      .describe('How far the time of a request may be from the clock of this machine.'),
  }),
]);

const webhookSource = z.strictObject({
  name: sourceName.describe('Its path is /ingest/<name>.'),
  adapter: z.string().min(1).describe('Name of the adapter that reads it.'),
  auth: webhookAuth.describe('How the sender proves who it is.'),
  vouches,
  deviceId: deviceId.optional(),
});

const webhooks = z.strictObject({
  sources: z
    .array(webhookSource)
    .max(1_000)
    .default([])
    .describe('Who may POST to /ingest/<name>; read again on SIGHUP.'),
  bodyBytesMax: bytes.default(262_144).describe('Largest body.'),
  queryLengthMax: count.default(1_024),
  requestsPerSecondMax: count.default(2_000).describe('Of one source; above it 429.'),
  inFlightMax: count.default(2_000).describe('Of all sources at once; above it 503.'),
  stopTimeoutMs,
});

const udp = z.strictObject({
  host,
  port: port.default(1700).describe('0 picks a free one.'),
  gateways: z
    .array(eui)
    .max(10_000)
    .default([])
    .describe('EUIs of the gateways; may be empty on a loopback address only: then any.'),
  inFlightPerGatewayMax: count
    .default(64)
    .describe('Datagrams of one gateway before their receipt.'),
  inFlightMax: count.default(2_000).describe('Datagrams of all gateways before their receipt.'),
  stopTimeoutMs,
});

const station = z.strictObject({
  eui: eui.describe('The EUI of the station.'),
  token: token.optional().describe('What it sends after "Authorization: Bearer".'),
});

const stationTls = z.strictObject({
  certFile: z.string().describe('PEM certificate chain.'),
  keyFile: z.string().describe('PEM private key.'),
  caFile: z.string().optional().describe('PEM of the authority that signs station certificates.'),
  requestCert: z
    .boolean()
    .default(false)
    .describe('Let in only stations with a certificate that names their EUI.'),
});

const basicStation = z.strictObject({
  host,
  port: port.default(3001).describe('0 picks a free one.'),
  publicUrl: z
    .string()
    .regex(/^wss?:\/\/[^/?#\s]+$/, 'is not of the form wss://name:port')
    .optional()
    .describe('How stations reach it, when behind a proxy: wss://name:port.'),
  plan: z
    .enum(['EU868', 'RU864', 'AS923'])
    .default('EU868')
    .describe('The channels that stations are told to listen on.'),
  frequencies: z
    .array(z.number().int().min(100_000_000).max(1_000_000_000))
    .min(1)
    .max(8)
    .optional()
    .describe('Hz; in place of those of the plan, where the network uses others.'),
  stations: z
    .array(station)
    .max(10_000)
    .default([])
    .describe('Stations let in; may be empty on a loopback address only: then any.'),
  tls: stationTls.optional().describe('For stations beyond this machine.'),
  messageBytesMax: bytes.default(65_536).describe('Largest message.'),
  inFlightPerStationMax: count
    .default(64)
    .describe('Messages of one station before their receipt; then its socket is not read.'),
  connectionsMax: count.default(1_000).describe('Stations at once.'),
  pingIntervalMs: count.default(30_000).describe('A station that answers no ping so long is gone.'),
  stopTimeoutMs,
});

const coapAccount = z.strictObject({
  name: sourceName.describe('With an adapter, its path is /ingest/<name>.'),
  token: token.describe('What it sends as ?token= or in option 65000.'),
  adapter: z.string().min(1).optional().describe('Name of the adapter that reads /ingest/<name>.'),
  deviceId: deviceId.optional(),
  publish: z
    .array(z.string())
    .default([])
    .describe('Topic filters it may send to, beside up/<deviceId> of its own.'),
  vouches,
});

const coap = z.strictObject({
  host,
  port: port.default(5683).describe('0 picks a free one.'),
  allowUnencryptedPublic: z
    .boolean()
    .default(false)
    .describe('CoAP has no encryption here: anybody on the way reads the tokens.'),
  accounts: z
    .array(coapAccount)
    .max(100_000)
    .default([])
    .describe('Who may send; read again on SIGHUP.'),
  bodyBytesMax: bytes.default(65_536).describe('Largest body, in blocks or not.'),
  blockwiseMax: count.default(1_000).describe('Bodies that are being put together from blocks.'),
  blockwiseBytesMax: bytes.default(16_777_216).describe('Bytes of all of them.'),
  messagesPerSecondMax: count.default(50).describe('Of one address; above it they are dropped.'),
  inFlightMax: count.default(2_000).describe('Before their receipt; above it 5.03.'),
  stopTimeoutMs,
});

const brokerTls = z.strictObject({
  caFile: z
    .string()
    .optional()
    .describe('PEM of the authority of the broker, if not a public one.'),
  certFile: z.string().optional().describe('PEM certificate of the gateway.'),
  keyFile: z.string().optional().describe('PEM private key of the gateway.'),
});

const remoteBroker = z.strictObject({
  name: sourceName.describe('Stands in the ledger and in metrics.'),
  url: z
    .string()
    .regex(
      /^(mqtts?|wss?):\/\/[^\s@]+$/,
      'is not of the form mqtts://name:port, without a password',
    )
    .describe('mqtt, mqtts, ws or wss.'),
  clientId: z
    .string()
    .min(1)
    .max(128)
    .describe('The broker keeps messages for it; no two gateways may use one.'),
  username: z.string().max(512).optional(),
  password: z.string().max(4_096).optional().describe('Better set by …__FILE.'),
  subscribe: z
    .array(z.string())
    .min(1)
    .max(1_000)
    .describe('Topic filters; $share/<group>/<filter> splits the messages between gateways.'),
  protocolVersion: z.enum(['3.1.1', '5']).default('3.1.1').describe('Of MQTT.'),
  vouches,
  deviceId: deviceId.optional(),
  tls: brokerTls.optional().describe('For mqtts and wss with certificates of your own.'),
});

const remoteBrokerLimits = z.strictObject({
  packetBytesMax: bytes.default(262_144).describe('Largest packet.'),
  inFlightMax: z
    .number()
    .int()
    .min(1)
    .max(65_535)
    .default(500)
    .describe('Messages of one broker before their receipt.'),
  keepaliveSeconds: z.number().int().min(5).max(3_600).default(30).describe('Between two pings.'),
  connectTimeoutMs: count.default(10_000).describe('From the connection to its acknowledgement.'),
  sessionExpirySeconds: count
    .default(86_400)
    .describe('How long a broker keeps messages for an absent gateway (MQTT 5).'),
  firstRetryMs: count.default(500).describe('Before the second attempt; doubled each time.'),
  retryMsMax: count.default(60_000).describe('Between two attempts.'),
  stopTimeoutMs,
});

const poll = z.strictObject({
  name: sourceName.describe('Stands in the log.'),
  topic: z
    .string()
    .regex(/^[^+#]{1,512}$/, 'is not a topic to publish to')
    .describe('Where the questions go, such as get/{device}/command.'),
  devices: z
    .array(z.string().regex(/^[^/+#]{1,64}$/, 'is not one level of a topic'))
    .min(1)
    .max(10_000)
    .describe('What {device} stands for, one after the other.'),
  ask: z
    .array(z.string().min(1).max(256))
    .min(1)
    .max(64)
    .describe('The questions, each a message.'),
  intervalSeconds: z
    .number()
    .int()
    .min(10)
    .max(86_400)
    .default(300)
    .describe('From one round to the next.'),
  broker: sourceName
    .optional()
    .describe('One of remoteBrokers; the own broker of the gateway if absent.'),
});

export const doors = {
  appSKeyWraps: z
    .array(kek)
    .max(100)
    .default([])
    .describe('The earlier place of keys.keks; what stands here counts there.'),
  webhooks: webhooks.prefault({}).describe('Network servers and modems that push over HTTP.'),
  udp: udp.optional().describe('Semtech UDP packet forwarders. It proves nobody: keep it inside.'),
  basicStation: basicStation.optional().describe('LoRa gateways that run Basics Station.'),
  coap: coap.optional().describe('Modems that speak CoAP, inside a private network.'),
  remoteBrokers: z
    .array(remoteBroker)
    .max(100)
    .default([])
    .describe('Brokers that are there already, which the gateway subscribes to.'),
  polls: z
    .array(poll)
    .max(100)
    .default([])
    .describe('Devices that have to be asked over MQTT; a mapping reads their answers.'),
  remoteBrokerLimits: remoteBrokerLimits.prefault({}).describe('For each of them.'),
} as const;
