/** What the MQTT broker is set up with. The names of the limits are those of the configuration. */
import type { Clock } from '../../model/clock.ts';
import type { Inbound, Sender } from '../../model/inbound.ts';
import type { AccountProfile, DeviceAccountBook } from './accounts.ts';
import type { MqttAuditEntry } from './audit.ts';
import type { BanBook } from './bans.ts';
import type { MqttSessionStore } from './sessions/session-store.ts';
import type { TokenIssuer } from './token.ts';

export interface ListenerOptions {
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  /** Addresses and ranges whose connections begin with a PROXY header; nobody else's may. */
  readonly proxyFrom?: readonly string[] | undefined;
}

export interface TlsListenerOptions extends ListenerOptions {
  /** PEM. */
  readonly cert: string | Buffer;
  readonly key: string | Buffer;
  /** PEM of the authorities that sign client certificates. */
  readonly ca?: string | Buffer | undefined;
  /** Revocation lists of client certificates, PEM or DER. */
  readonly crl?: string | Buffer | undefined;
  /** Asks for a client certificate; a client may still show none and use a password. */
  readonly requestCert?: boolean | undefined;
}

export interface MqttAccount extends AccountProfile {
  readonly username: string;
  /** `scrypt$N$r$p$salt$hash`, as hashPassword makes it. */
  readonly passwordHash?: string | undefined;
  /** In clear. An account with neither can only come in by a client certificate. */
  readonly password?: string | undefined;
  /** The one device that this account belongs to. */
  readonly deviceId?: string | undefined;
  /** For the templates of its topic filters. */
  readonly agency?: string | undefined;
  readonly application?: string | undefined;
  readonly vouches: 'network-server' | 'credential';
}

export interface MqttLimits {
  /** The CONNECT packet, before anybody has proven who they are; bytes. */
  readonly firstPacketBytesMax: number;
  /** Any later packet, with its header; bytes. */
  readonly packetBytesMax: number;
  readonly connectionsMax: number;
  readonly connectionsPerAddressMax: number;
  /** Of one account, by whatever client ids. */
  readonly connectionsPerCredentialMax: number;
  /** From the connection to the CONNECT packet, and for the TLS and WebSocket handshakes. */
  readonly connectTimeoutMs: number;
  /** A client that asks for more, or for none, is cut after 1.5 times this silence. */
  readonly keepaliveSecondsMax: number;
  readonly clientIdLengthMax: number;
  readonly topicLevelsMax: number;
  readonly topicLengthMax: number;
  /** Of one client; above it, its messages wait. One second's worth may come at once. */
  readonly messagesPerSecondMax: number;
  readonly bytesPerSecondMax: number;
  /** Payload bytes of one client waiting for their receipt; above it, its socket is not read. */
  readonly receiveBytesMax: number;
  /**
   * Bytes a subscriber may leave unread: above it QoS 0 is dropped, QoS 1 and 2 end the connection.
   */
  readonly sendBytesMax: number;
  /** How long a socket may stay full before it is cut. */
  readonly drainTimeoutMs: number;
  /** QoS 2 messages of one client between PUBLISH and PUBREL. */
  readonly inflightMax: number;
  readonly subscriptionsPerClientMax: number;
  /** Sessions that outlive their connection (clean session 0). */
  readonly sessionsMax: number;
  /** How long such a session is kept after its client has gone. */
  readonly sessionExpirySeconds: number;
  /** Messages waiting for one absent or slow client; later ones are dropped and counted. */
  readonly offlineMessagesMax: number;
  readonly offlineBytesMax: number;
  /** Of all clients together, with what each message costs in memory. */
  readonly offlineBytesTotalMax: number;
  /** How long a message waits; those that were sent already are not dropped for it. */
  readonly offlineAgeSecondsMax: number;
  readonly retainedMessagesMax: number;
  readonly retainedBytesMax: number;
  /** Since it was last set. */
  readonly retainedAgeSecondsMax: number;
  /** Wrong passwords from one address in a minute; above it the address waits for five. */
  readonly authFailuresPerMinuteMax: number;
  /** Passwords waiting to be hashed; above it clients are told to come back. */
  readonly passwordChecksMax: number;
  /** Of one client id; one more, and it is banned for a while. */
  readonly connectsPerMinuteMax: number;
  readonly flappingBanSeconds: number;
  /** Bans at once; above it the oldest ban for flapping goes, and nobody can ban more. */
  readonly bansMax: number;
  /** How long stop() waits for receipts in flight. */
  readonly stopTimeoutMs: number;
}

export const mqttLimitDefaults: MqttLimits = {
  firstPacketBytesMax: 4_096,
  packetBytesMax: 262_144,
  connectionsMax: 12_000,
  connectionsPerAddressMax: 12_000,
  connectionsPerCredentialMax: 12_000,
  connectTimeoutMs: 5_000,
  keepaliveSecondsMax: 3_600,
  clientIdLengthMax: 128,
  topicLevelsMax: 32,
  topicLengthMax: 1_024,
  messagesPerSecondMax: 20_000,
  bytesPerSecondMax: 67_108_864,
  receiveBytesMax: 1_048_576,
  sendBytesMax: 1_048_576,
  drainTimeoutMs: 60_000,
  inflightMax: 1_000,
  subscriptionsPerClientMax: 1_000,
  sessionsMax: 12_000,
  sessionExpirySeconds: 3_600,
  offlineMessagesMax: 1_000,
  offlineBytesMax: 1_048_576,
  offlineBytesTotalMax: 268_435_456,
  offlineAgeSecondsMax: 86_400,
  retainedMessagesMax: 10_000,
  retainedBytesMax: 16_777_216,
  retainedAgeSecondsMax: 31_536_000,
  authFailuresPerMinuteMax: 30,
  passwordChecksMax: 2_000,
  connectsPerMinuteMax: 15,
  flappingBanSeconds: 300,
  bansMax: 10_000,
  stopTimeoutMs: 5_000,
};

/** Who comes in and what for, as the configuration says it; the broker takes it over as one. */
export interface MqttAccountRules {
  readonly clients: readonly MqttAccount[];
  /** Lets clients without a user name in; `true` allows them everything: for test benches only. */
  readonly anonymous?: boolean | AccountProfile | undefined;
  /** What the accounts in `MqttBrokerOptions.deviceAccounts` may do. */
  readonly deviceProfile?: AccountProfile | undefined;
  readonly tokenIssuers?: readonly TokenIssuer[] | undefined;
}

export interface MqttBrokerOptions extends MqttAccountRules {
  readonly tcp?: ListenerOptions | undefined;
  readonly tls?: TlsListenerOptions | undefined;
  readonly webSocket?: ListenerOptions | undefined;
  readonly limits?: Partial<MqttLimits> | undefined;
  /**
   * Topics that begin with this level are published by `MqttBroker.publish` alone, whatever an
   * account may do: who reads there has to trust it.
   */
  readonly ownLevel?: string | undefined;
  /** Where sessions outlive the process; without it they end with it. */
  readonly store?: MqttSessionStore | undefined;
  /** Accounts of devices, beside those in `clients`. */
  readonly deviceAccounts?: DeviceAccountBook | undefined;
  /** Those that operators and the broker itself have banned; in memory without it. */
  readonly bans?: BanBook | undefined;
}

/** The part of a logger that a transport needs; pino's has this form. */
export interface TransportLog {
  info(fields: Readonly<Record<string, unknown>>, message: string): void;
  warn(fields: Readonly<Record<string, unknown>>, message: string): void;
  error(fields: Readonly<Record<string, unknown>>, message: string): void;
}

/** A packet that was cut before it was read. */
export interface TooLargePacket {
  readonly credential?: string;
  readonly clientId?: string;
  readonly address: string;
  readonly declaredBytes: number;
}

export interface MqttHooks {
  /**
   * A publish outside the sender's ACL: write it down, then it is acknowledged; rejects as Receive.
   */
  onForbidden(inbound: Inbound): Promise<void>;
  onTooLarge(packet: TooLargePacket): void;
  /** What operators want to read later. */
  onAudit?(entry: MqttAuditEntry): void;
  readonly log: TransportLog;
  readonly clock: Clock;
}

/** One connected client, as operators see it. */
export interface MqttClientView {
  readonly username: string;
  readonly clientId: string;
  readonly address: string;
  readonly listener: string;
  /** Epoch milliseconds. */
  readonly since: number;
  readonly vouches: Sender['vouches'];
  readonly deviceId?: string;
  readonly cleanSession: boolean;
  /** Received from it, since it connected and over the last seconds. */
  readonly messages: number;
  readonly bytes: number;
  readonly messagesPerSecond: number;
  readonly bytesPerSecond: number;
  /** Messages from it that have no receipt yet. */
  readonly inFlight: number;
  /** Messages for it that it has not acknowledged, in a lasting session. */
  readonly waiting: number;
  readonly subscriptions: readonly { readonly filter: string; readonly qos: number }[];
}
