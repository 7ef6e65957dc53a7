/**
 * The sessions in the form of an aedes persistence. Unlike aedes' own it keeps no payload of an
 * inbound QoS 2 message, stores no subscription that the ACL refused, and answers what a client
 * will be told of only when it is on disk.
 */
import { Readable } from 'node:stream';
import type { OfflineQueues } from './offline-queues.ts';
import type { RetainedMessages } from './retained.ts';
import type { Match, ReceivedMessage } from './session.ts';
import type { SessionBook } from './session-book.ts';
import type { QueuedPacket } from './session-queue.ts';
import type { MqttSessionStore } from './session-store.ts';

interface ClientKey {
  readonly id: string;
}

interface StoredSubscription {
  readonly topic: string;
  readonly qos: number;
}

export interface MqttPersistenceParts {
  readonly book: SessionBook;
  readonly queues: OfflineQueues;
  readonly retained: RetainedMessages;
  readonly store: MqttSessionStore;
  /** True for a message that is written down already, told by its payload. */
  readonly wasKept: (payload: Buffer) => boolean;
  readonly maySubscribe: (client: object, filter: string) => boolean;
  /** The id of the connection that is behind a client of aedes, once that is admitted. */
  readonly connectionOf: (client: object) => string | undefined;
}

/** Its form is aedes-persistence 11's. */
export function createMqttPersistence(parts: MqttPersistenceParts): object {
  return {
    // Aedes tells by the constructor's name whether this is an async function.
    async setup() {},
    ...subscriptionsOf(parts),
    ...outgoingOf(parts),
    ...incomingOf(parts),
    async storeRetained(message: ReceivedMessage) {
      if (!parts.wasKept(message.payload)) parts.retained.store(message);
    },
    createRetainedStreamCombi: (filters: readonly string[]) =>
      Readable.from(parts.retained.match(filters)),
    // A will lives with its connection and its process: none to store.
    async putWill() {},
    async delWill() {},
    streamWill: () => Readable.from([]),
  };
}

function subscriptionsOf({ book, queues, store, maySubscribe }: MqttPersistenceParts) {
  return {
    async addSubscriptions(client: ClientKey, subscriptions: readonly StoredSubscription[]) {
      const session = book.sessions.get(client.id);
      if (session === undefined) return;
      for (const subscription of subscriptions) {
        const { topic, qos } = subscription;
        // Aedes hands over the whole list for each of its filters.
        if (session.granted.qosOf(topic) === qos || !maySubscribe(client, topic)) continue;
        book.grant(session, subscription);
      }
      if (session.isStored) await store.flushed();
    },
    async removeSubscriptions(client: ClientKey, filters: readonly string[]) {
      const session = book.sessions.get(client.id);
      if (session === undefined) return;
      for (const filter of filters) book.revoke(session, filter);
      if (session.isStored) await store.flushed();
    },
    async subscriptionsByClient(client: ClientKey): Promise<readonly StoredSubscription[]> {
      return book.sessions.get(client.id)?.granted.list() ?? [];
    },
    subscriptionsByTopic: async (topic: string) => book.matchesOf(topic),
    async cleanSubscriptions(client: ClientKey) {
      const session = book.sessions.get(client.id);
      if (session === undefined) return;
      queues.clear(session);
      book.clear(session);
    },
  };
}

function outgoingOf({ book, queues, store }: MqttPersistenceParts) {
  return {
    async outgoingEnqueueCombi(matches: readonly Match[], packet: QueuedPacket) {
      queues.enqueue(matches, packet);
    },
    async outgoingUpdate(client: ClientKey, packet: QueuedPacket) {
      const session = book.sessions.get(client.id);
      if (session !== undefined && queues.update(session, packet)) await store.flushed();
    },
    async outgoingClearMessageId(client: ClientKey, packet: QueuedPacket) {
      const session = book.sessions.get(client.id);
      if (packet.messageId === undefined || session === undefined) return undefined;
      return queues.remove(session, packet.messageId);
    },
    outgoingStream: (client: ClientKey) => {
      const session = book.sessions.get(client.id);
      if (session === undefined) return Readable.from([]);
      queues.dropOld(session);
      return Readable.from(session.queue.list());
    },
  };
}

function incomingOf({ book, store, wasKept, connectionOf }: MqttPersistenceParts) {
  return {
    async incomingStorePacket(client: ClientKey, packet: ReceivedMessage) {
      const session = book.sessions.get(client.id);
      if (session === undefined || packet.messageId === undefined) return;
      session.incoming.add(packet.messageId);
      if (!session.isLasting || wasKept(packet.payload)) return;
      book.storeIncoming(session, packet.messageId);
      await store.flushed();
    },
    async incomingGetPacket(client: ClientKey, packet: { readonly messageId: number }) {
      const isStored = book.sessions.get(client.id)?.incoming.has(packet.messageId) === true;
      if (!isStored) throw new Error('no such packet');
      return packet;
    },
    async incomingDelPacket(client: ClientKey, packet: { readonly messageId: number }) {
      const session = book.sessions.get(client.id);
      if (session === undefined) return;
      book.forgetIncoming(session, packet.messageId);
      // Or the client's next message of this identifier would be taken for this one, and lost.
      if (session.isStored) await store.flushed();
    },
    /** Also called for a client that was refused, or whose session another connection took over. */
    async cleanIncoming(client: ClientKey) {
      const session = book.sessions.get(client.id);
      const isHolder = session?.connection === connectionOf(client);
      if (session !== undefined && isHolder) book.clearIncoming(session);
    },
  };
}
