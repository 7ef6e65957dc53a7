/**
 * A PUBLISH from a client on its way to the receiver: checked, slowed down, and acknowledged in
 * order. This runs once a message, so it counts allocations: one closure, one promise reaction, no
 * spreads.
 */
import { setTimeout as wait } from 'node:timers/promises';
import type { Inbound } from '../model/inbound.ts';
import { isSystemTopic } from './mqtt-connect.ts';
import type { MqttConnection, MqttPrincipal, PendingReceipt, Routing } from './mqtt-connection.ts';
import type { MqttHooks, MqttLimits } from './mqtt-options.ts';
import { isTopicName, isWithinLimits } from './topic-filter.ts';
import type { Receive } from './transport.ts';

export interface PublishFields {
  /** Absent for a will, which was never a packet of its own. */
  readonly cmd?: string;
  readonly topic: string;
  readonly payload: Buffer | string;
  readonly qos: number;
  readonly dup: boolean;
  readonly messageId?: number | undefined;
}

export interface MqttReceiver {
  /**
   * Calls `done` once, later, and for one connection in the order of the calls [MQTT-4.6.0-2]: with
   * a routing when the message may be acknowledged, with an error when the connection has to close.
   */
  take(connection: MqttConnection, packet: PublishFields, done: PendingReceipt['done']): void;
  /** Resolves when no receipt is in flight, or at the time-out; true when none is left. */
  settle(timeoutMs: number): Promise<boolean>;
}

/** What a waiting message costs beside its bytes: its packet, its promises, perhaps a timer. */
const overheadBytes = 512;

export function createMqttReceiver(
  receive: Receive,
  { limits, hooks }: { readonly limits: MqttLimits; readonly hooks: MqttHooks },
): MqttReceiver {
  let inFlight = 0;
  const whenSettled = new Set<() => void>();

  function deliver(connection: MqttConnection, inbound: Inbound, pending: PendingReceipt): void {
    const size = inbound.body.length + inbound.route.length + overheadBytes;
    connection.waitingBytes += size;
    inFlight += 1;
    const isAllowed = mayPublish(connection, inbound.route, limits);
    const finish = (outcome: Routing | Error): void => {
      connection.waitingBytes -= size;
      inFlight -= 1;
      pending.outcome = outcome;
      acknowledgeInOrder(connection.receipts);
      if (inFlight === 0) announceSettled();
    };
    const pass = (): void => {
      const written = isAllowed ? receive(inbound) : hooks.onForbidden(inbound);
      written.then(
        () => finish(isAllowed ? 'route' : 'withhold'),
        (error: unknown) => finish(error instanceof Error ? error : new Error(String(error))),
      );
    };
    const delayMs = delayOf(connection, inbound.body.length);
    if (delayMs < 1) pass();
    else setTimeout(pass, delayMs);
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
      deliver(connection, toInbound(packet, principal, hooks.clock.now()), pending);
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

function mayPublish(connection: MqttConnection, topic: string, limits: MqttLimits): boolean {
  if (connection.lastTopic.topic === topic) return connection.lastTopic.isAllowed;
  const acl = connection.principal?.acl;
  const isAllowed = acl?.mayPublish(topic) === true && isWithinLimits(topic, limits);
  connection.lastTopic = { topic, isAllowed };
  return isAllowed;
}

function delayOf({ messageRate, byteRate }: MqttConnection, bytes: number): number {
  return Math.max(messageRate.delayMs(1), byteRate.delayMs(bytes));
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
