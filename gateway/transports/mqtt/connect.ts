/** The CONNECT packet: what closes the connection, and who the client turns out to be. */
import type { Clock } from '../../model/clock.ts';
import { compileAcl } from '../acl.ts';
import { isTopicName, isWellFormed } from '../topic-filter.ts';
import type { BanBook } from './bans.ts';
import type { MqttConnection, MqttPrincipal } from './connection.ts';
import type { FlappingWatch } from './flapping.ts';
import { anonymousName, type MqttIdentity } from './identity.ts';
import type { OnLimit } from './limit-count.ts';
import { type KnownLogin, notAuthorized } from './login.ts';
import type { MqttLimits, TransportLog } from './options.ts';
import type { MqttSessions } from './sessions/sessions.ts';

export interface ConnectFields {
  readonly protocolVersion?: number | undefined;
  readonly clientId: string;
  readonly clean?: boolean | undefined;
  readonly username?: string | undefined;
  readonly password?: Buffer | string | undefined;
  readonly will?: { readonly topic: string; readonly qos?: number | undefined } | undefined;
  /** Seconds; written back when it is above the limit. */
  keepalive?: number | undefined;
}

/** The detail of what is wrong with a CONNECT packet, or undefined. */
export function findConnectFault(packet: ConnectFields): string | undefined {
  // A newer protocol gets its CONNACK 0x01 from the broker, whatever else it holds.
  if (packet.protocolVersion === 5) return undefined;
  if (packet.password !== undefined && packet.username === undefined) {
    return '[MQTT-3.1.2-22] a password without a user name';
  }
  if (!isWellFormed(packet.clientId) || !isWellFormed(packet.username ?? '')) {
    return '[MQTT-1.5.3-1] text that is not UTF-8, or U+0000';
  }
  const { will } = packet;
  if (will === undefined) return undefined;
  if ((will.qos ?? 0) > 2) return '[MQTT-3.1.2-14] a will of QoS 3';
  const isSound = isTopicName(will.topic) && !isSystemTopic(will.topic);
  return isSound ? undefined : 'a will on a topic that nobody can publish to';
}

/** `$SYS` is the broker's own; no account can be given it. */
export function isSystemTopic(topic: string): boolean {
  return topic === '$SYS' || topic.startsWith('$SYS/');
}

/**
 * A client may be silent for ever with keepalive 0, and then its end is never noticed. MQTT 3.1.1
 * lets a server cut an idle client at any time (section 3.1.2.10), so the limit stands in. True
 * when it does.
 */
export function clampKeepalive(packet: ConnectFields, secondsMax: number): boolean {
  const asked = packet.keepalive ?? 0;
  const isBeyond = asked === 0 || asked > secondsMax;
  if (isBeyond) packet.keepalive = secondsMax;
  return isBeyond;
}

export type Admission =
  | { readonly kind: 'admitted' }
  | { readonly kind: 'refused'; readonly returnCode: 2 | 3 | 4 | 5; readonly reason: string };

const identifierRejected = 2;

export interface AdmissionContext {
  readonly identity: MqttIdentity;
  readonly sessions: MqttSessions;
  readonly bans: BanBook;
  readonly flapping: FlappingWatch;
  readonly limits: MqttLimits;
  readonly onLimit: OnLimit;
  /** How many connections an account has, but for the one with this client id. */
  readonly connectionsOf: (account: string, besides: string) => number;
  readonly log: TransportLog;
  readonly clock: Clock;
}

/** Decides a CONNECT and, when it is admitted, gives the connection its principal and session. */
export async function admit(
  connection: MqttConnection,
  login: { readonly username: string | undefined; readonly password: Buffer | undefined },
  { clientId, context }: { readonly clientId: string; readonly context: AdmissionContext },
): Promise<Admission> {
  const { requested } = connection;
  // [MQTT-3.1.3-8]: nobody could ever come back to a lasting session with a made-up identifier.
  if (requested.clientId === '' && !requested.clean) {
    return refuse(identifierRejected, 'empty client id with clean session 0');
  }
  if (requested.clientId.length > context.limits.clientIdLengthMax) {
    context.onLimit('clientIdLengthMax');
    return refuse(identifierRejected, 'client id too long');
  }
  const isBanned = (credential: string | undefined): boolean =>
    context.bans.find({ clientId: requested.clientId, credential }) !== undefined;
  if (isBanned(login.username)) return refuse(notAuthorized, 'banned');
  const result = await context.identity.login({
    ...login,
    address: connection.address,
    certificateNames: connection.certificate?.names ?? [],
  });
  if (result.kind === 'refused') return result;
  const { account } = result;
  if (isBanned(account.username)) return refuse(notAuthorized, 'banned');
  // Whom nobody knows has no name to ban: it would shut out whoever else takes that client id.
  const isNamed = account.username !== anonymousName;
  if (isNamed && context.flapping.noteConnect(requested.clientId, account.username)) {
    return refuse(notAuthorized, 'connects too often');
  }
  const { connectionsPerCredentialMax } = context.limits;
  if (context.connectionsOf(account.username, clientId) >= connectionsPerCredentialMax) {
    context.onLimit('connectionsPerCredentialMax');
    return refuse(notAuthorized, 'too many connections of the account');
  }
  const owner = context.sessions.ownerOf(clientId);
  if (owner !== undefined && owner !== account.username) {
    return refuse(identifierRejected, `client id in use by account ${owner}`);
  }
  if (connection.conn.destroyed) return refuse(identifierRejected, 'gone meanwhile');
  const principal = createPrincipal(result, { clientId, connection });
  const { acl } = principal;
  const { clean } = requested;
  const holder = { owner: account.username, connection: connection.id };
  context.sessions.claim(clientId, { ...holder, clean, acl });
  connection.principal = principal;
  return { kind: 'admitted' };
}

function refuse(returnCode: 2 | 3 | 4 | 5, reason: string): Admission {
  return { kind: 'refused', returnCode, reason };
}

/** Templates of the account's filters are filled with its own names. */
export function createPrincipal(
  login: KnownLogin,
  { clientId, connection }: { readonly clientId: string; readonly connection: MqttConnection },
): MqttPrincipal {
  const { account, vouches } = login;
  const { username, deviceId, agency, application } = account;
  const { publish, subscribe, retain = [], hide = [] } = account;
  const tie = deviceId === undefined ? {} : { deviceId };
  const names = { username, clientId, agency, application, ...tie };
  return {
    ...{ clientId, login },
    acl: compileAcl({ publish, subscribe, retain, hide }, names),
    sender: { credential: username, connection: connection.id, vouches, ...tie },
  };
}
