/**
 * A PUBLISH from a client on its way to the receiver: checked, slowed down, and acknowledged in
 * order. This runs once a message, so it counts allocations: one closure, one promise reaction, no
 * spreads.
 */
import { setTimeout as wait } from 'node:timers/promises';
import type { Inbound } from '../../model/inbound.ts';
import { brokenLimit, isTopicName } from '../topic-filter.ts';
import type { Receive } from '../transport.ts';
import { isSystemTopic } from './connect.ts';
import type { MqttConnection, MqttPrincipal, PendingReceipt, Routing } from './connection.ts';
import type { OnLimit } from './limit-count.ts';
import type { MqttHooks, MqttLimits } from './options.ts';
import type { MqttSessions } from './sessions/sessions.ts';

export interface PublishFields {
  /** Absent for a will, which was never a packet of its own. */
  readonly cmd?: string;
  readonly topic: string;
  readonly payload: Buffer | string;
  readonly qos: number;
  readonly dup: boolean;
  readonly retain: boolean;
  readonly messageId?: number | undefined;
}

export interface MqttReceiverOptions {
  readonly limits: MqttLimits;
  readonly hooks: MqttHooks;
  readonly keep: MqttSessions['keep'];
  readonly onLimit: OnLimit;
  /** Topics that begin with this level are for the broker's owner alone to publish on. */
  readonly ownLevel?: string | undefined;
}

export interface MqttReceiver {
  /**
   * Calls `done` once, later, and for one connection in the order of the calls [MQTT-4.6.0-2]: with
   * a routing when the message may be acknowledged, with an error when the connection has to close.
   */
  take(connection: MqttConnection, packet: PublishFields, done: PendingReceipt['done']): void;
  /** Resolves when no receipt is in flight, or at the time-out; true when none is left. */
  settle(timeoutMs: number): Promise<boolean>;
  /** Messages without a receipt yet. */
  inFlight(): number;
}

/** What a waiting message costs beside its bytes: its packet, its promises, perhaps a timer. */
const overheadBytes = 512;

export function createMqttReceiver(
  receive: Receive,
  { limits, hooks, keep, ownLevel, onLimit }: MqttReceiverOptions,
): MqttReceiver {
  let inFlight = 0;
  const whenSettled = new Set<() => void>();
  const ownTopics = ownLevel === undefined ? undefined : `${ownLevel}/`;

  function deliver(
    connection: MqttConnection,
    { inbound, packet }: { readonly inbound: Inbound; readonly packet: PublishFields },
    pending: PendingReceipt,
  ): void {
    const size = inbound.body.length + inbound.route.length + overheadBytes;
    const wasHeld = connection.waitingBytes > limits.receiveBytesMax;
    connection.waitingBytes += size;
    if (!wasHeld && connection.waitingBytes > limits.receiveBytesMax) onLimit('receiveBytesMax');
    connection.messages += 1;
    connection.bytes += inbound.body.length;
    inFlight += 1;
    const isOwn = ownTopics !== undefined && inbound.route.startsWith(ownTopics);
    const isAllowed = !isOwn && mayPublish(connection, inbound.route);
    const finish = (outcome: Routing | Error): void => {
      connection.waitingBytes -= size;
      inFlight -= 1;
      pending.outcome = outcome;
      acknowledgeInOrder(connection.receipts);
      if (inFlight === 0) announceSettled();
    };
    const pass = (): void => {
      const written = isAllowed ? receive(inbound) : hooks.onForbidden(inbound);
      written.then(isAllowed ? keepFirst : () => finish('withhold'), fail);
    };
    const fail = (error: unknown): void => {
      finish(error instanceof Error ? error : new Error(String(error)));
    };
    const keepFirst = (): void => {
      const kept = keepFor(connection, packet, inbound.body);
      if (kept === undefined) finish('route');
      else kept.then(() => finish('route'), fail);
    };
    const delayMs = delayOf(connection, inbound.body.length);
    if (delayMs < 1) pass();
    else setTimeout(pass, delayMs);
  }

  function mayPublish(connection: MqttConnection, topic: string): boolean {
    const { lastTopic, principal } = connection;
    if (lastTopic.topic === topic) {
      if (lastTopic.limit !== undefined) onLimit(lastTopic.limit);
      return lastTopic.isAllowed;
    }
    const limit = brokenLimit(topic, limits);
    if (limit !== undefined) onLimit(limit);
    const isAllowed = limit === undefined && principal?.acl.mayPublish(topic) === true;
    connection.lastTopic = { topic, isAllowed, limit };
    return isAllowed;
  }

  function delayOf({ messageRate, byteRate }: MqttConnection, bytes: number): number {
    const messagesMs = messageRate.delayMs(1);
    const bytesMs = byteRate.delayMs(bytes);
    if (messagesMs >= 1) onLimit('messagesPerSecondMax');
    if (bytesMs >= 1) onLimit('bytesPerSecondMax');
    return Math.max(messagesMs, bytesMs);
  }

  /** What waits for somebody is on disk before its sender is told; mostly nothing does. */
  function keepFor(
    { principal, id }: MqttConnection,
    packet: PublishFields,
    payload: Buffer,
  ): Promise<void> | undefined {
    const { topic, qos, messageId } = packet;
    const retain = packet.retain && principal?.acl.mayRetain(topic) === true;
    if (principal === undefined || (qos === 0 && !retain)) return undefined;
    const from = { clientId: principal.clientId, connection: id };
    return keep({ topic, payload, qos, retain, messageId }, from);
  }

  function announceSettled(): void {
    for (const resolve of whenSettled) resolve();
    whenSettled.clear();
  }

  return {
    take: (connection, packet, done) => {
      const { principal } = connection;
      const problem = principal === undefined ? 'no principal' : findPublishFault(packet);
      if (principal === undefined || problem !== undefined) {
        setImmediate(done, new Error(problem));
        return;
      }
      const pending: PendingReceipt = { outcome: undefined, done };
      connection.receipts.push(pending);
      const inbound = toInbound(packet, principal, hooks.clock.now());
      deliver(connection, { inbound, packet }, pending);
    },
    settle: async (timeoutMs) => {
      if (inFlight === 0) return true;
      const abort = new AbortController();
      const settled = new Promise<void>((resolve) => whenSettled.add(resolve));
      const expired = wait(timeoutMs, undefined, { signal: abort.signal }).catch(() => undefined);
      await Promise.race([settled, expired]);
      abort.abort();
      return inFlight === 0;
    },
    inFlight: () => inFlight,
  };
}

/** Calls back for the oldest messages up to the first that has no receipt yet. */
function acknowledgeInOrder(receipts: PendingReceipt[]): void {
  let first = receipts[0];
  while (first?.outcome !== undefined) {
    receipts.shift();
    first.done(first.outcome);
    first = receipts[0];
  }
}

/** What closes the connection instead of being written down: it is no message at all. */
function findPublishFault(packet: PublishFields): string | undefined {
  if (!isTopicName(packet.topic)) return 'a topic that nobody can publish to';
  if (isSystemTopic(packet.topic)) return '$SYS belongs to the broker';
  if (packet.cmd === undefined || packet.qos === 0) return undefined;
  // [MQTT-2.3.1-1]; the parser gives -1 when the packet ends before the identifier.
  return (packet.messageId ?? 0) > 0 ? undefined : 'a packet identifier of 0, or none';
}

function toInbound(packet: PublishFields, principal: MqttPrincipal, receivedAt: number): Inbound {
  const { topic: route, payload, qos, dup, messageId } = packet;
  const body = typeof payload === 'string' ? Buffer.from(payload) : payload;
  const { sender } = principal;
  // DUP means nothing at QoS 0 [MQTT-3.3.1-2], and a will has no packet identifier.
  if (qos === 0 || messageId === undefined) {
    return { transport: 'mqtt', route, body, receivedAt, sender, dup: false };
  }
  return { transport: 'mqtt', route, body, receivedAt, sender, dup, messageId };
}
