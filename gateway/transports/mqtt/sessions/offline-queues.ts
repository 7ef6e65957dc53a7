/**
 * What waits for the clients of lasting sessions, in each one's queue and on disk, within limits of
 * number, bytes and age, for one client and over all.
 *
 * A message is on disk before its sender is told, which is before aedes routes it: `keep` writes it
 * and remembers it by its payload, which is one object from the wire to the queues; `enqueue` takes
 * it up again when aedes has numbered it.
 */
import type { OnLimit } from '../limit-count.ts';
import type { MqttLimits } from '../options.ts';
import type { Match, MqttSession, ReceivedMessage } from './session.ts';
import { type QueuedPacket, releasedOf } from './session-queue.ts';
import type { CopyState } from './session-records.ts';
import type { MqttSessionStore } from './session-store.ts';
import { createWaitingMessages, type WaitingMessage } from './waiting-messages.ts';

/** On disk, and not routed yet. */
interface KeptMessage {
  readonly message: WaitingMessage;
  readonly sessions: Map<string, MqttSession>;
}

export interface OfflineQueues {
  /** True when it waits for somebody now. */
  keep(matches: readonly Match[], message: ReceivedMessage): boolean;
  /** The message goes into the queues, with the number that aedes gave it. */
  enqueue(matches: readonly Match[], packet: QueuedPacket): void;
  /** Its delivery has come further; true when the client may be told only once that is on disk. */
  update(session: MqttSession, packet: QueuedPacket): boolean;
  remove(session: MqttSession, messageId: number): QueuedPacket | undefined;
  clear(session: MqttSession): void;
  dropOld(session: MqttSession): void;
  /** Drops what is too old for these clients, and what was kept and never routed. */
  expire(clientIds: Iterable<string>): void;
  /** Those that a limit kept out or took away. */
  dropped(): number;
  /** Of all clients together. */
  waiting(): { readonly messages: number; readonly bytes: number; readonly oldestAt?: number };
  /** Reads what an earlier process has left. */
  load(byKey: ReadonlyMap<string, MqttSession>): void;
}

export interface OfflineQueuesOptions {
  readonly limits: MqttLimits;
  readonly store: MqttSessionStore;
  readonly now: () => number;
  readonly sessions: ReadonlyMap<string, MqttSession>;
  readonly onLimit: OnLimit;
}

/** What a waiting message costs beside its bytes. */
const overheadBytes = 200;
/** A message is routed a few turns after it is kept, unless its sender is gone by then. */
const routedWithinMs = 60_000;

export function createOfflineQueues(options: OfflineQueuesOptions): OfflineQueues {
  const { limits, store, now, sessions, onLimit } = options;
  const waiting = createWaitingMessages(store);
  const keptByPayload = new WeakMap<Buffer, KeptMessage>();
  const unrouted = new Set<KeptMessage>();
  let dropped = 0;
  /** Over all queues. */
  let totalBytes = 0;

  function costOf({ queue }: MqttSession): number {
    return queue.bytes() + queue.size() * overheadBytes;
  }

  /** Every change of a queue goes through here, so that the sum is right. */
  function change<Result>(session: MqttSession, make: () => Result): Result {
    const before = costOf(session);
    const result = make();
    totalBytes += costOf(session) - before;
    return result;
  }

  function hasRoom(
    session: MqttSession,
    message: Pick<QueuedPacket, 'topic' | 'payload'>,
  ): boolean {
    const cost = overheadBytes + message.topic.length + message.payload.length;
    const isFull = totalBytes + cost > limits.offlineBytesTotalMax;
    const limit = isFull ? 'offlineBytesTotalMax' : session.queue.fullFor(message);
    if (limit !== undefined) onLimit(limit);
    return limit === undefined;
  }

  function add(session: MqttSession, packet: QueuedPacket): void {
    const isKept = hasRoom(session, packet);
    if (isKept && change(session, () => session.queue.add(packet))) return;
    dropped += 1;
    dropCopy(session, packet);
  }

  function dropCopy(session: MqttSession, { stored }: QueuedPacket): void {
    if (stored !== undefined) waiting.dropCopy(session.key, stored);
  }

  /** Copied, because the payload may be a small view of a whole read buffer. */
  function storeMessage(
    message: Pick<ReceivedMessage, 'topic' | 'payload' | 'qos'>,
  ): WaitingMessage {
    const { topic, payload, qos } = message;
    return waiting.add({ topic, payload: Buffer.from(payload), qos, keptAt: now() });
  }

  function dropOld(session: MqttSession): void {
    const keptAt = now() - limits.offlineAgeSecondsMax * 1_000;
    const old = change(session, () => session.queue.takeOlder(keptAt));
    for (const packet of old) {
      dropCopy(session, packet);
      onLimit('offlineAgeSecondsMax');
    }
    dropped += old.length;
  }

  function giveUp(kept: KeptMessage): void {
    unrouted.delete(kept);
    for (const { key } of kept.sessions.values()) waiting.dropCopy(key, kept.message.number);
  }

  return {
    keep: (matches, message) => {
      const open = matches.flatMap(({ clientId, qos }) => {
        const session = sessions.get(clientId);
        return session !== undefined && qos > 0 && hasRoom(session, message)
          ? [{ session, qos: Math.min(qos, message.qos) }]
          : [];
      });
      if (open.length === 0) return false;
      const kept = { message: storeMessage(message), sessions: new Map<string, MqttSession>() };
      for (const { session, qos } of open) {
        kept.sessions.set(session.clientId, session);
        waiting.addCopy(session.key, kept.message.number, qos);
      }
      keptByPayload.set(message.payload, kept);
      unrouted.add(kept);
      return true;
    },
    enqueue: (matches, packet) => {
      const kept = keptByPayload.get(packet.payload);
      // A subscription of the last few turns, or a message of the broker's own.
      let late: WaitingMessage | undefined;
      const queued = sharedPackets(packet);
      for (const { clientId, qos } of matches) {
        const session = sessions.get(clientId);
        if (session === undefined || qos === 0) continue;
        const isKept = kept?.sessions.get(clientId) === session;
        if (isKept) kept.sessions.delete(clientId);
        const lower = Math.min(qos, packet.qos);
        if (!isKept && !hasRoom(session, packet)) {
          dropped += 1;
          continue;
        }
        if (isKept) {
          add(session, queued(kept.message, lower));
          continue;
        }
        late ??= storeMessage(packet);
        waiting.addCopy(session.key, late.number, lower);
        add(session, queued(late, lower));
      }
      // Their clients have unsubscribed, or their sessions ended, in the last few turns.
      if (kept !== undefined) giveUp(kept);
    },
    update: (session, packet) => {
      const { messageId } = packet;
      if (messageId === undefined) return false;
      const changed =
        packet.cmd === 'pubrel'
          ? change(session, () => session.queue.release(messageId))
          : session.queue.markSent(packet.brokerCounter, messageId);
      if (changed?.stored === undefined) return false;
      const { qos, stored } = changed;
      const state: CopyState = changed.cmd === 'pubrel' ? 'released' : 'sent';
      waiting.update(session.key, stored, { qos, state, messageId });
      // At QoS 1 a second delivery is allowed; at QoS 2 the identifier is what prevents it.
      return qos === 2;
    },
    remove: (session, messageId) => {
      const packet = change(session, () => session.queue.remove(messageId));
      if (packet !== undefined) dropCopy(session, packet);
      return packet;
    },
    clear: (session) => {
      for (const packet of session.queue.list()) dropCopy(session, packet);
      change(session, () => session.queue.clear());
    },
    dropOld,
    expire: (clientIds) => {
      for (const clientId of clientIds) {
        const session = sessions.get(clientId);
        if (session !== undefined && session.queue.size() > 0) dropOld(session);
      }
      const oldest = now() - routedWithinMs;
      for (const kept of unrouted) if (kept.message.keptAt < oldest) giveUp(kept);
    },
    dropped: () => dropped,
    waiting: () => {
      let [messages, bytes, oldestAt] = [0, 0, Number.POSITIVE_INFINITY];
      for (const { queue } of sessions.values()) {
        messages += queue.size();
        bytes += queue.bytes();
        oldestAt = Math.min(oldestAt, queue.oldestAt() ?? oldestAt);
      }
      return { messages, bytes, ...(messages > 0 && { oldestAt }) };
    },
    load: (byKey) => {
      const copies = waiting.load();
      for (const [index, { client, message, qos, state, messageId }] of copies.entries()) {
        const session = byKey.get(client);
        if (session === undefined) {
          waiting.dropCopy(client, message.number);
          continue;
        }
        // Below zero, where aedes, which counts up from 1 in every process, never comes.
        const numbered = { brokerId: 'before', brokerCounter: index - copies.length };
        const packet = queuedOf(message, { packet: numbered, qos });
        const sent = state === 'waiting' ? packet : { ...packet, messageId };
        add(session, state === 'released' ? releasedOf(sent) : sent);
      }
    },
  };
}

/**
 * One object for all who wait for a message at one QoS: a thousand full queues then cost the memory
 * of their places alone.
 */
function sharedPackets(packet: Parameters<typeof queuedOf>[1]['packet']) {
  const made: QueuedPacket[] = [];
  return (message: WaitingMessage, qos: number): QueuedPacket => {
    const found = made.find((one) => one.stored === message.number && one.qos === qos);
    if (found !== undefined) return found;
    const fresh = queuedOf(message, { packet, qos });
    made.push(fresh);
    return fresh;
  };
}

function queuedOf(
  { topic, payload, keptAt, number }: WaitingMessage,
  by: {
    readonly packet: Pick<QueuedPacket, 'brokerId' | 'brokerCounter'>;
    readonly qos: number;
  },
): QueuedPacket {
  const { brokerId, brokerCounter } = by.packet;
  return {
    ...{ cmd: 'publish', brokerId, brokerCounter, topic, payload, qos: by.qos },
    ...{ retain: false, dup: false, messageId: undefined, keptAt, stored: number },
  };
}
