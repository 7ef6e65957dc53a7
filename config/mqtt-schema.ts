/** The settings of the MQTT broker: where it listens, who may come in, and what is too much. */
import { isIP } from 'node:net';
import { z } from 'zod';

const port = z.number().int().min(0).max(65_535);
const bytes = z.number().int().positive();
const host = z.string().min(1).default('127.0.0.1').describe('Address to listen on.');
const secret = z.string().min(8).max(512);

const count = z.number().int().positive();
const filters = (fallback: string[]) => z.array(z.string()).default(fallback);

const client = z.strictObject({
  username: z.string().min(1).max(128).describe('The account name.'),
  password: secret.optional().describe('In clear; better give passwordHash, or set it by …__FILE.'),
  passwordHash: z.string().optional().describe('From `fieldgate hash-password`.'),
  deviceId: z.string().max(64).optional().describe('The one device this account belongs to.'),
  vouches: z
    .enum(['network-server', 'credential'])
    .default('credential')
    .describe('network-server for accounts of a network server that checks the frames itself.'),
  agency: z.string().max(128).optional().describe('For {agency} in its topic filters.'),
  application: z.string().max(128).optional().describe('For {application} in them.'),
  publish: filters([]).describe('Topic filters it may publish to.'),
  subscribe: filters([]).describe('Topic filters it may subscribe to.'),
  retain: filters([]).describe('Where its retained messages are kept.'),
  hide: filters([]).describe('What it is not sent although `subscribe` covers it.'),
});

const devices = z.strictObject({
  publish: filters(['up/{deviceId}']).describe('Topic filters each may publish to.'),
  subscribe: filters([]).describe('Topic filters each may subscribe to.'),
  retain: filters([]).describe('Where their retained messages are kept.'),
  hide: filters([]).describe('What they are not sent although `subscribe` covers it.'),
});

const anonymousProfile = z.strictObject({
  publish: filters([]).describe('Topic filters they may publish to.'),
  subscribe: filters([]).describe('Topic filters they may subscribe to.'),
  retain: filters([]).describe('Where their retained messages are kept.'),
  hide: filters([]).describe('What they are not sent although `subscribe` covers it.'),
});

const tokenKey = z.strictObject({
  keyId: z.string().max(256).optional().describe('`kid`; only tokens that name it are tried.'),
  algorithm: z.enum(['EdDSA', 'ES256', 'RS256']).describe('The only one this key is for.'),
  publicKey: z.string().optional().describe('PEM; or give publicKeyFile.'),
  publicKeyFile: z.string().optional().describe('File with the PEM; read again on SIGHUP.'),
});

const tokenIssuer = z.strictObject({
  issuer: z.string().min(1).describe('`iss` of its tokens.'),
  audience: z.string().min(1).describe('`aud` of tokens that are meant for this gateway.'),
  keys: z.array(tokenKey).min(1).max(16).describe('Its public keys.'),
  deviceIdClaim: z.string().default('sub').describe('The claim with the id of the device.'),
  agencyClaim: z.string().optional().describe('The claim for {agency} in topic filters.'),
  applicationClaim: z.string().optional().describe('The claim for {application} in them.'),
  clockSkewSeconds: z.number().int().min(0).max(600).default(60),
  lifetimeSecondsMax: count.default(86_400).describe('Tokens that hold for longer are refused.'),
  ...devices.shape,
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
  crlFile: z.string().optional().describe('Revocation lists, PEM or DER, one for each authority.'),
  requestCert: z.boolean().default(false).describe('Ask clients for a certificate.'),
  proxyFrom,
});

const limits = z.strictObject({
  firstPacketBytesMax: bytes.default(4_096).describe('Largest CONNECT packet.'),
  packetBytesMax: bytes.default(262_144).describe('Largest packet after the first.'),
  connectionsMax: count.default(12_000).describe('Clients at once.'),
  connectionsPerAddressMax: count
    .default(12_000)
    .describe('Lower it where clients come without a proxy or NAT before them.'),
  connectionsPerCredentialMax: count
    .default(12_000)
    .describe('Lower it where each client has an account of its own.'),
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
  connectsPerMinuteMax: count
    .default(15)
    .describe('Of one client id; one more, and it is banned for a while.'),
  flappingBanSeconds: count.default(300).describe('How long.'),
  bansMax: count.default(10_000).describe('Bans at once.'),
  stopTimeoutMs: count.default(5_000).describe('How long a stop waits for receipts in flight.'),
});

export const mqtt = z.strictObject({
  tcp: listener
    .nullable()
    .default({ host: '127.0.0.1', port: 1883, proxyFrom: [] })
    .describe('null for none.'),
  tls: tls.optional().describe('MQTT over TLS, for clients beyond this machine.'),
  clients: z
    .array(client)
    .default([])
    .describe('Accounts, read again on SIGHUP; anonymous clients are refused.'),
  devices: devices
    .prefault({})
    .describe('What devices may do whose credentials `fieldgate devices` makes.'),
  tokenIssuers: z
    .array(tokenIssuer)
    .max(16)
    .default([])
    .describe('Who signs the JSON Web Tokens that devices may show as passwords.'),
  anonymous: z
    .boolean()
    .default(false)
    .describe('Lets in who gives no user name; to everything without anonymousProfile.'),
  anonymousProfile: anonymousProfile.optional().describe('What those without a name may do.'),
  limits: limits.prefault({}),
});
