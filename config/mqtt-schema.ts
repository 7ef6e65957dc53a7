/** The settings of the MQTT broker: where it listens, who may come in, and what is too much. */
import { isIP } from 'node:net';
import { z } from 'zod';

const port = z.number().int().min(0).max(65_535);
const bytes = z.number().int().positive();
const host = z.string().min(1).default('127.0.0.1').describe('Address to listen on.');
const secret = z.string().min(8).max(512);

const client = z.strictObject({
  username: z.string().min(1).max(128).describe('The account name.'),
  password: secret.optional().describe('In clear; better give passwordHash, or set it by …__FILE.'),
  passwordHash: z.string().optional().describe('From `fieldgate hash-password`.'),
  deviceId: z.string().max(64).optional().describe('The one device this account belongs to.'),
  vouches: z
    .enum(['network-server', 'credential'])
    .default('credential')
    .describe('network-server for accounts of a network server that checks the frames itself.'),
  publish: z.array(z.string()).default([]).describe('Topic filters it may publish to.'),
  subscribe: z.array(z.string()).default([]).describe('Topic filters it may subscribe to.'),
});

/** An address, or a range such as 10.0.0.0/8. */
const addressRange = z.string().refine((text) => {
  const [address = '', prefix] = text.split('/');
  const bits = isIP(address) === 6 ? 128 : 32;
  const isPrefix = prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) <= bits);
  return isIP(address) !== 0 && isPrefix && text.split('/').length <= 2;
}, 'is neither an address nor a range such as 10.0.0.0/8');

const proxyFrom = z
  .array(addressRange)
  .max(100)
  .default([])
  .describe('Load balancers that begin each connection with a PROXY header, version 1 or 2.');

const listener = z.strictObject({
  host,
  port: port.default(1883).describe('0 picks a free one.'),
  proxyFrom,
});

const tls = z.strictObject({
  host,
  port: port.default(8883).describe('0 picks a free one.'),
  certFile: z.string().describe('PEM certificate chain.'),
  keyFile: z.string().describe('PEM private key.'),
  caFile: z.string().optional().describe('PEM of the authority that signs client certificates.'),
  requestCert: z.boolean().default(false).describe('Ask clients for a certificate.'),
  proxyFrom,
});

const count = z.number().int().positive();

const limits = z.strictObject({
  firstPacketBytesMax: bytes.default(4_096).describe('Largest CONNECT packet.'),
  packetBytesMax: bytes.default(262_144).describe('Largest packet after the first.'),
  connectionsMax: count.default(12_000).describe('Clients at once.'),
  connectionsPerAddressMax: count
    .default(12_000)
    .describe('Lower it where clients come without a proxy or NAT before them.'),
  connectTimeoutMs: count.default(5_000).describe('From the connection to the CONNECT packet.'),
  keepaliveSecondsMax: count
    .default(3_600)
    .describe('Clients that ask for more, or none, get this.'),
  clientIdLengthMax: count.default(128),
  topicLevelsMax: count.default(32),
  topicLengthMax: count.default(1_024),
  messagesPerSecondMax: count
    .default(20_000)
    .describe('Of one client; above it, its messages wait.'),
  bytesPerSecondMax: count
    .default(67_108_864)
    .describe('Of one client; above it, its messages wait.'),
  receiveBytesMax: bytes.default(1_048_576).describe('Of one client, waiting for their receipt.'),
  sendBytesMax: bytes.default(1_048_576).describe('That a subscriber may leave unread.'),
  drainTimeoutMs: count
    .default(60_000)
    .describe('How long a socket may stay full before it is cut.'),
  inflightMax: count
    .default(1_000)
    .describe('QoS 2 messages of one client between their two halves.'),
  subscriptionsPerClientMax: count.default(1_000),
  sessionsMax: count.default(12_000).describe('Sessions that outlive their connection.'),
  sessionExpirySeconds: count.default(3_600).describe('How long they are kept.'),
  offlineMessagesMax: count.default(1_000).describe('Waiting for one absent client.'),
  offlineBytesMax: bytes.default(1_048_576),
  offlineBytesTotalMax: bytes.default(268_435_456).describe('Of all clients together.'),
  offlineAgeSecondsMax: count.default(86_400).describe('How long a message waits for its client.'),
  retainedMessagesMax: count.default(10_000),
  retainedBytesMax: bytes.default(16_777_216),
  retainedAgeSecondsMax: count.default(31_536_000).describe('Since it was last set.'),
  authFailuresPerMinuteMax: count.default(30).describe('Of one address; then it waits.'),
  passwordChecksMax: count.default(2_000).describe('Waiting at once.'),
  stopTimeoutMs: count.default(5_000).describe('How long a stop waits for receipts in flight.'),
});

export const mqtt = z.strictObject({
  tcp: listener
    .nullable()
    .default({ host: '127.0.0.1', port: 1883, proxyFrom: [] })
    .describe('null for none.'),
  tls: tls.optional().describe('MQTT over TLS, for clients beyond this machine.'),
  clients: z.array(client).default([]).describe('Accounts; anonymous clients are refused.'),
  anonymous: z
    .boolean()
    .default(false)
    .describe('Lets anybody publish and subscribe to anything: for test benches only.'),
  limits: limits.prefault({}),
});
