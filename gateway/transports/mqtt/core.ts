/** What the parts of one broker share, and the life of a connection in it. */
import assert from 'node:assert/strict';
import { performance } from 'node:perf_hooks';
import { setImmediate as nextTurn, setTimeout as wait } from 'node:timers/promises';
import { createLogThrottle } from '../log-throttle.ts';
import { guardPackets } from '../packet-guard.ts';
import type { Receive } from '../transport.ts';
import type { MqttAuditEntry } from './audit.ts';
import { type BanBook, createBanBook } from './bans.ts';
import type { AcceptedConnection, MqttConnection, ProtocolClient } from './connection.ts';
import { createMqttConnection } from './connection.ts';
import { gatherWrites } from './gathered-writes.ts';
import { createLimitCount, type LimitCount } from './limit-count.ts';
import type { MqttHooks, MqttLimits } from './options.ts';
import type { MqttReceiver } from './receive.ts';
import { createMqttReceiver } from './receive.ts';
import { createMqttRouter, type MqttRouter } from './sessions/router.ts';
import type { MqttSessionStore } from './sessions/session-store.ts';
import type { MqttSessions } from './sessions/sessions.ts';
import { createMqttSessions } from './sessions/sessions.ts';

export const monotonicMs = (): number => performance.now();

export interface MqttCore {
  readonly limits: MqttLimits;
  readonly hooks: MqttHooks;
  readonly receiver: MqttReceiver;
  readonly router: MqttRouter;
  readonly sessions: MqttSessions;
  readonly connections: WeakMap<object, MqttConnection>;
  /** By client id, once the client is admitted. */
  readonly live: Map<string, MqttConnection>;
  /** How many of these each account has. */
  readonly liveOf: Map<string, number>;
  readonly limitCount: LimitCount;
  /** Logs at most one line a minute of a kind and source. */
  readonly note: (event: string, fields: Readonly<Record<string, unknown>>) => void;
  readonly bans: BanBook;
  readonly audit: (entry: MqttAuditEntry) => void;
  /** The same for those turned away: at most one entry a minute of an address and reason. */
  readonly auditRefusal: (refused: Omit<MqttAuditEntry, 'event'>) => void;
  isStopping: boolean;
  droppedSlow: number;
  /** Clients that said nothing for longer than they had promised. */
  keepaliveTimeouts: number;
}

export interface MqttCoreOptions {
  readonly limits: MqttLimits;
  readonly store: MqttSessionStore;
  readonly ownLevel?: string | undefined;
  readonly bans?: BanBook | undefined;
}

export function createMqttCore(
  { limits, store, ownLevel, bans }: MqttCoreOptions,
  receive: Receive,
  hooks: MqttHooks,
): MqttCore {
  for (const [name, value] of Object.entries(limits)) {
    assert.ok(Number.isFinite(value) && value > 0, `limit ${name} is above zero`);
  }
  const connections = new WeakMap<object, MqttConnection>();
  const throttle = createLogThrottle(monotonicMs);
  const limitCount = createLimitCount();
  const onLimit = limitCount.hit;
  const sessions = createMqttSessions({
    ...{ limits, store, monotonicMs, onLimit, now: () => hooks.clock.now() },
    maySubscribe: (client, filter) =>
      connections.get(client)?.principal?.acl.maySubscribe(filter) === true,
    connectionOf: (client) => connections.get(client)?.principal?.sender.connection,
  });
  const now = () => hooks.clock.now();
  const audit = (entry: MqttAuditEntry): void => hooks.onAudit?.(entry);
  return {
    ...{ limits, hooks, connections, sessions, audit, limitCount },
    bans: bans ?? createBanBook({ bansMax: limits.bansMax, now }),
    auditRefusal: (refused) => {
      const heldBack = throttle(`audit ${refused.address} ${refused.detail}`);
      if (heldBack !== undefined) audit({ event: 'refuse', ...refused, heldBack });
    },
    ...{ live: new Map(), liveOf: new Map() },
    router: createMqttRouter(),
    receiver: createMqttReceiver(receive, {
      ...{ limits, hooks, keep: sessions.keep, ownLevel, onLimit },
    }),
    note: (event, fields) => {
      const heldBack = throttle(`${event} ${String(fields['address'])}`);
      if (heldBack !== undefined) hooks.log.warn({ event, ...fields, heldBack }, event);
    },
    isStopping: false,
    ...{ droppedSlow: 0, keepaliveTimeouts: 0 },
  };
}

/** Puts a new connection under guard and hands it to aedes. */
export function takeConnection(
  core: MqttCore,
  accepted: AcceptedConnection,
  handle: (conn: AcceptedConnection['conn']) => ProtocolClient,
): void {
  const { conn, address } = accepted;
  if (core.isStopping) {
    conn.destroy();
    return;
  }
  if (core.bans.find({ address }) !== undefined) {
    core.auditRefusal({ address, detail: 'banned' });
    conn.destroy();
    return;
  }
  const { limits, hooks } = core;
  const since = hooks.clock.now();
  const connection = createMqttConnection(accepted, { limits, since, monotonicMs });
  guardPackets(conn, {
    ...limits,
    isHeld: () =>
      core.isStopping || connection.isEntering || connection.waitingBytes > limits.receiveBytesMax,
    onFinding: (finding) => {
      const { principal } = connection;
      const who = principal && {
        credential: principal.sender.credential,
        clientId: principal.clientId,
      };
      core.note('mqtt-packet-refused', { address, ...who, ...finding });
      if (finding.kind !== 'too-large') return;
      core.limitCount.hit(finding.limit);
      hooks.onTooLarge({ address, ...who, declaredBytes: finding.declaredBytes });
    },
  });
  gatherWrites(conn);
  conn.once('close', () => endConnection(core, connection));
  const client = handle(conn);
  connection.client = client;
  core.connections.set(client, connection);
}

function endConnection(core: MqttCore, connection: MqttConnection): void {
  const { live, sessions } = core;
  const clientId = connection.principal?.clientId;
  if (clientId === undefined) return;
  if (live.get(clientId) === connection) unlist(core, clientId);
  sessions.release(clientId, { connection: connection.id, clean: connection.requested.clean });
}

function unlist({ live, liveOf }: MqttCore, clientId: string): void {
  const account = live.get(clientId)?.principal?.sender.credential ?? '';
  live.delete(clientId);
  const left = (liveOf.get(account) ?? 1) - 1;
  if (left > 0) liveOf.set(account, left);
  else liveOf.delete(account);
}

/**
 * Lists an admitted client; the one that had its client id before is closed by aedes
 * [MQTT-3.1.4-2].
 */
export function enterClient(core: MqttCore, connection: MqttConnection): void {
  const { live, liveOf, hooks } = core;
  const { principal, address, listener } = connection;
  assert.ok(principal);
  const { clientId, sender } = principal;
  const who = { clientId, credential: sender.credential, address };
  const before = live.get(clientId);
  if (before !== undefined) {
    const fields = { ...who, from: before.address };
    hooks.log.warn({ event: 'mqtt-takeover', ...fields }, 'mqtt-takeover');
    core.audit({ event: 'takeover', ...who, detail: `from ${before.address}` });
    unlist(core, clientId);
  }
  core.audit({ event: 'connect', ...who, detail: `${listener}, ${sender.vouches}` });
  live.set(clientId, connection);
  liveOf.set(sender.credential, (liveOf.get(sender.credential) ?? 0) + 1);
}

const flushStepMs = 10;
const flushStepsMax = 50;

/** Waits, within a limit, until the acknowledgements have left. */
export async function flushSockets({ live }: MqttCore): Promise<void> {
  // The acknowledgement is written some turns after the receipt.
  for (let turn = 0; turn < 3; turn += 1) await nextTurn();
  for (let step = 0; step < flushStepsMax; step += 1) {
    if ([...live.values()].every(({ conn }) => conn.writableLength === 0)) return;
    await wait(flushStepMs);
  }
}
