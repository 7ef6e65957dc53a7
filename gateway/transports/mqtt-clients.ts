/**
 * The connected clients as operators see them and act on them, and those that have to go: banned,
 * revoked, or with a password or token that has run out.
 */
import type { Ban, BanInput } from './mqtt-bans.ts';
import type { MqttConnection, TrafficLook } from './mqtt-connection.ts';
import type { MqttCore } from './mqtt-core.ts';
import type { MqttIdentity } from './mqtt-identity.ts';
import type { MqttClientView } from './mqtt-options.ts';

export interface MqttClients {
  /** Those that are connected now. */
  list(): readonly MqttClientView[];
  /** Ends a client's connection; false when it has none. */
  disconnect(clientId: string): boolean;
  /** Undefined when there are as many bans as there may be. Those it is for are cut. */
  ban(input: BanInput): Ban | undefined;
  /** Looks at all of them, once in a while; the caller has the timer. */
  sweep(identity: MqttIdentity, generation: number): void;
}

/** Between two sweeps. */
export const sweepIntervalMs = 1_000;
/** Two looks at least this far apart make a rate. */
const lookIntervalMs = 5_000;
const looksKept = 2;

export function createMqttClients(core: MqttCore, monotonicMs: () => number): MqttClients {
  const { live, bans, hooks } = core;
  let lastGeneration = 0;
  let lastLookMs = monotonicMs();

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
    { principal }: MqttConnection,
    { identity, isChanged }: { readonly identity: MqttIdentity; readonly isChanged: boolean },
  ): string | undefined {
    if (principal === undefined) return undefined;
    const { validUntil, device, sender } = principal;
    if (validUntil !== undefined && validUntil <= hooks.clock.now())
      return 'credential has run out';
    if (!isChanged || device === undefined) return undefined;
    return identity.isStillKnown(sender.credential, device) ? undefined : 'credential was revoked';
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
      if (ban === undefined) return undefined;
      for (const connection of live.values()) if (isBanned(connection)) cut(connection, 'banned');
      return ban;
    },
    sweep: (identity, generation) => {
      look();
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
