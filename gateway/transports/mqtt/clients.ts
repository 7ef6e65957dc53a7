/**
 * The connected clients as operators see them and act on them, and those that have to go: banned,
 * revoked, or with a password or token that has run out.
 */

import { type AccountReview, reviewConnection } from './account-review.ts';
import type { Ban, BanInput } from './bans.ts';
import type { CertificateTrust } from './certificate-trust.ts';
import type { MqttConnection, TrafficLook } from './connection.ts';
import type { MqttCore } from './core.ts';
import type { MqttIdentity } from './identity.ts';
import type { MqttClientView } from './options.ts';

export interface MqttClients {
  /** Those that are connected now. */
  list(): readonly MqttClientView[];
  /** Ends a client's connection; false when it has none. */
  disconnect(clientId: string): boolean;
  /** Undefined when there are as many bans as there may be. Those it is for are cut. */
  ban(input: BanInput): Ban | undefined;
  /** Ends the connections whose certificate is not good any more. */
  distrust(trust: CertificateTrust): void;
  /** Holds all of them against the accounts of now: some are ended, some may less or more. */
  review(identity: Pick<MqttIdentity, 'review'>): AccountReview;
  /** Looks at all of them, once in a while; the caller has the timer. */
  sweep(identity: MqttIdentity, generation: number): void;
}

/** Between two sweeps. */
export const sweepIntervalMs = 1_000;
/** Two looks at least this far apart make a rate. */
const lookIntervalMs = 5_000;
const looksKept = 2;
/** For so long, a client may still come in whose certificate was looked at before a change. */
const enteringMsMax = 60_000;

export function createMqttClients(core: MqttCore, monotonicMs: () => number): MqttClients {
  const { live, bans, hooks } = core;
  let lastGeneration = 0;
  let lastLookMs = monotonicMs();
  let latest: { readonly trust: CertificateTrust; readonly untilMs: number } | undefined;

  function cut(connection: MqttConnection, detail: string): void {
    const { principal, address } = connection;
    const { clientId, sender } = principal ?? {};
    core.audit({ event: 'disconnect', clientId, credential: sender?.credential, address, detail });
    connection.conn.destroy();
  }

  function isBanned({ principal, address }: MqttConnection): boolean {
    const { clientId, sender } = principal ?? {};
    return bans.find({ clientId, credential: sender?.credential, address }) !== undefined;
  }

  function reasonToGo(
    { principal, certificate }: MqttConnection,
    { identity, isChanged }: { readonly identity: MqttIdentity; readonly isChanged: boolean },
  ): string | undefined {
    if (principal === undefined) return undefined;
    const { login, sender } = principal;
    const { validUntil, device } = login;
    const nowMs = hooks.clock.now();
    if (validUntil !== undefined && validUntil <= nowMs) return 'credential has run out';
    if (certificate !== undefined && certificate.validUntil <= nowMs) {
      return 'certificate has run out';
    }
    if (!isChanged || device === undefined) return undefined;
    return identity.isStillKnown(sender.credential, device) ? undefined : 'credential was revoked';
  }

  function cutDistrusted(trust: CertificateTrust): void {
    for (const connection of live.values()) {
      const { certificate } = connection;
      const problem = certificate && trust.problemOf(certificate);
      if (problem !== undefined) cut(connection, problem);
    }
  }

  function look(): void {
    const nowMs = monotonicMs();
    if (nowMs - lastLookMs < lookIntervalMs) return;
    lastLookMs = nowMs;
    for (const connection of live.values()) {
      const { messages, bytes } = connection;
      connection.looks = [...connection.looks, { atMs: nowMs, messages, bytes }].slice(-looksKept);
    }
  }

  return {
    list: () => [...live.values()].flatMap((connection) => view(connection, core, monotonicMs())),
    disconnect: (clientId) => {
      const connection = live.get(clientId);
      connection?.conn.destroy();
      return connection !== undefined;
    },
    ban: (input) => {
      const ban = bans.add(input);
      if (ban === undefined) {
        core.limitCount.hit('bansMax');
        return undefined;
      }
      for (const connection of live.values()) if (isBanned(connection)) cut(connection, 'banned');
      return ban;
    },
    distrust: (trust) => {
      latest = { trust, untilMs: monotonicMs() + enteringMsMax };
      cutDistrusted(trust);
    },
    review: (identity) => {
      const count = { cut: 0, changed: 0 };
      for (const connection of live.values()) {
        const outcome = reviewConnection(core, connection, identity);
        if (outcome === 'kept') continue;
        count[outcome === 'changed' ? 'changed' : 'cut'] += 1;
        if (outcome !== 'changed') cut(connection, outcome.reasonToGo);
      }
      return count;
    },
    sweep: (identity, generation) => {
      look();
      if (latest !== undefined) cutDistrusted(latest.trust);
      if (latest !== undefined && latest.untilMs < monotonicMs()) latest = undefined;
      const isChanged = generation !== lastGeneration;
      lastGeneration = generation;
      for (const connection of live.values()) {
        const reason = reasonToGo(connection, { identity, isChanged });
        if (reason !== undefined) cut(connection, reason);
      }
    },
  };
}

function view(
  connection: MqttConnection,
  { sessions }: Pick<MqttCore, 'sessions'>,
  nowMs: number,
): MqttClientView[] {
  const { principal, address, listener, since, messages, bytes, requested } = connection;
  if (principal === undefined) return [];
  const { clientId, sender } = principal;
  const { deviceId, vouches, credential } = sender;
  return [
    {
      ...{ username: credential, clientId, address, listener, since, vouches, messages, bytes },
      ...(deviceId === undefined ? {} : { deviceId }),
      ...ratesOf(connection, nowMs),
      cleanSession: requested.clean,
      inFlight: connection.receipts.length,
      waiting: sessions.waitingFor(clientId).messages,
      subscriptions: connection.granted.list().map(({ topic, qos }) => ({ filter: topic, qos })),
    },
  ];
}

/** Since the look before the last one, so that it covers five to ten seconds. */
function ratesOf({ messages, bytes, looks, acceptedMs }: MqttConnection, nowMs: number) {
  const from: TrafficLook = looks[0] ?? { atMs: acceptedMs, messages: 0, bytes: 0 };
  const seconds = Math.max(1, (nowMs - from.atMs) / 1_000);
  const rateOf = (count: number) => Math.round((count / seconds) * 10) / 10;
  return {
    messagesPerSecond: rateOf(messages - from.messages),
    bytesPerSecond: rateOf(bytes - from.bytes),
  };
}
