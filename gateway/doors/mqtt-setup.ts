/**
 * From the configuration to the broker's options and hooks: what it refuses is written down, too.
 */
import { readFileSync } from 'node:fs';
import type { Config } from '../../config/schema.ts';
import type { Holdings } from '../holdings/holdings.ts';
import type { Log } from '../log.ts';
import { type Clock, systemClock } from '../model/clock.ts';
import type { Inbound } from '../model/inbound.ts';
import type { Ingest } from '../pipeline/ingest.ts';
import type { MqttAuditEntry } from '../transports/mqtt/audit.ts';
import { createBanBook } from '../transports/mqtt/bans.ts';
import { createMqttBroker, type MqttBroker } from '../transports/mqtt/broker.ts';
import type { MqttAccountRules, MqttHooks, TooLargePacket } from '../transports/mqtt/options.ts';
import { readRevocationLists } from '../transports/mqtt/revocation-list.ts';
import { createTokenCheck, type TokenIssuer } from '../transports/mqtt/token.ts';
import { outLevel } from './out-topics.ts';

/** Not listening yet; what an earlier process has left is read. */
export function openBroker(
  config: Config,
  holdings: MqttHoldings & Pick<Holdings, 'audit'>,
  ingest: Pick<Ingest, 'refuse' | 'receive'>,
  { log, clock }: { readonly log: Log; readonly clock: Clock },
): MqttBroker {
  const hooks = mqttHooks(ingest, { log, clock, onAudit: holdings.audit.append });
  const options = mqttOptionsOf(config, holdings, { log, clock });
  return createMqttBroker(options, ingest.receive, hooks);
}

type MqttHoldings = Pick<Holdings, 'mqttSessions' | 'mqttBans' | 'deviceCredentials'>;

function mqttOptionsOf(
  { mqtt }: Config,
  holdings: MqttHoldings,
  { log, clock }: { readonly log: Log; readonly clock: Clock },
) {
  const { tcp, tls, limits } = mqtt;
  const bansMax = limits.bansMax;
  return {
    ...accountRulesOf(mqtt),
    ...{ limits, store: holdings.mqttSessions, ownLevel: outLevel },
    ...(tcp === null ? {} : { tcp }),
    ...(tls === undefined ? {} : { tls: { ...tls, ...readCertificates(tls, log) } }),
    deviceAccounts: holdings.deviceCredentials,
    bans: createBanBook({ store: holdings.mqttBans, bansMax, now: () => clock.now() }),
  };
}

type MqttTls = NonNullable<Config['mqtt']['tls']>;

/** At the start, and again when they have been renewed. */
export function readCertificates({ certFile, keyFile, caFile, crlFile }: MqttTls, log: Log) {
  const read = (file: string | undefined) => (file === undefined ? undefined : readFileSync(file));
  const crl = read(crlFile);
  if (crl !== undefined) warnOfOverdue(crl, log);
  return { cert: readFileSync(certFile), key: readFileSync(keyFile), ca: read(caFile), crl };
}

/** The TLS library lets nobody in by an authority whose list was to be replaced by now. */
function warnOfOverdue(crl: Buffer, log: Log): void {
  for (const { issuer, nextUpdate } of readRevocationLists(crl)) {
    if (nextUpdate === undefined || nextUpdate > systemClock.now()) continue;
    const since = new Date(nextUpdate).toISOString();
    log.warn({ event: 'crl-overdue', issuer, since }, 'clients of this authority are refused');
  }
}

/** Throws when a key file is unreadable, or a key is not one of its algorithm. */
export function accountRulesOf(mqtt: Config['mqtt']): MqttAccountRules {
  const { clients, anonymousProfile, devices } = mqtt;
  const tokenIssuers = tokenIssuersOf(mqtt);
  createTokenCheck(tokenIssuers, () => systemClock.now());
  return {
    ...{ clients, deviceProfile: devices, tokenIssuers },
    anonymous: mqtt.anonymous && (anonymousProfile ?? true),
  };
}

/** Throws when a file is unreadable; cross-check.ts has said so before the start. */
function tokenIssuersOf({ tokenIssuers }: Config['mqtt']): readonly TokenIssuer[] {
  return tokenIssuers.map(({ keys, ...issuer }) => ({
    ...issuer,
    keys: keys.map(({ publicKey = '', publicKeyFile, ...key }) => ({
      ...key,
      publicKey: publicKeyFile === undefined ? publicKey : readFileSync(publicKeyFile),
    })),
  }));
}

/** A message its sender may not publish: kept with the reason, then acknowledged. */
export function refuseForbidden(ingest: Pick<Ingest, 'refuse'>) {
  return (inbound: Inbound) =>
    ingest.refuse(inbound, 'TOPIC_FORBIDDEN', `${inbound.sender.credential} may not publish here`);
}

function mqttHooks(
  ingest: Pick<Ingest, 'refuse'>,
  parts: { readonly log: Log; readonly clock: Clock; onAudit(entry: MqttAuditEntry): void },
): MqttHooks {
  const { log, clock, onAudit } = parts;
  return {
    onForbidden: refuseForbidden(ingest),
    onTooLarge(packet) {
      const detail = `a packet of ${packet.declaredBytes} bytes from ${packet.address}`;
      const inbound = refusedPacket(packet, clock.now());
      ingest.refuse(inbound, 'INBOUND_TOO_LARGE', detail).catch(() => {});
    },
    ...{ log, clock, onAudit },
  };
}

/** Its bytes were never read: what is known of it is written down. */
function refusedPacket(
  { credential, clientId, address }: TooLargePacket,
  receivedAt: number,
): Inbound {
  return {
    transport: 'mqtt',
    route: '',
    body: Buffer.alloc(0),
    receivedAt,
    sender: {
      credential: credential ?? clientId ?? address,
      connection: `refused:${address}:${receivedAt}`,
      vouches: 'credential',
    },
    dup: false,
  };
}
