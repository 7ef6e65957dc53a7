/**
 * The broker's sessions and retained messages in memory, each within a limit. It has the form of an
 * aedes persistence; unlike aedes' own it bounds every queue, forgets absent clients, keeps no
 * payload of an inbound QoS 2 message, and stores no subscription that the ACL refused.
 */
import { Readable } from 'node:stream';
import type { GrantedFilters } from './granted-filters.ts';
import { createGrantedFilters } from './granted-filters.ts';
import type { MqttLimits } from './mqtt-options.ts';
import type { QueuedPacket, SessionQueue } from './mqtt-session-queue.ts';
import { createSessionQueue } from './mqtt-session-queue.ts';
import { compileFilter, matchesTopic } from './topic-filter.ts';
import { createTopicTrie } from './topic-trie.ts';

interface ClientKey {
  readonly id: string;
}

interface StoredSubscription {
  readonly topic: string;
  readonly qos: number;
}

interface RetainedMessage {
  readonly topic: string;
  readonly payload: Buffer;
}

interface Match {
  readonly clientId: string;
  readonly qos: number;
}

interface MqttSession {
  readonly owner: string;
  /** The connection that holds it now; undefined while the client is away. */
  connection: string | undefined;
  readonly granted: GrantedFilters;
  readonly queue: SessionQueue;
  /** Packet identifiers between PUBLISH and PUBREL [MQTT-4.3.3-2]. */
  readonly incoming: Set<number>;
  goneAtMs: number;
}

/** How the broker itself, beside aedes, uses the sessions. */
export interface MqttSessions {
  /** The account that a session with this client id belongs to, connected or not. */
  ownerOf(clientId: string): string | undefined;
  /** A connection takes the session over, which is made when there is none. */
  claim(clientId: string, by: { readonly owner: string; readonly connection: string }): void;
  /** The connection ended. A session with nothing to remember is forgotten. */
  release(clientId: string, by: { readonly connection: string; readonly clean: boolean }): void;
  /** Forgets the sessions whose clients were away for too long. */
  expire(): void;
  counts(): SessionCounts;
  /** What aedes calls; its form is aedes-persistence 11's. */
  readonly persistence: object;
}

export interface SessionCounts {
  readonly sessions: number;
  readonly retained: number;
  readonly droppedOffline: number;
  readonly droppedRetained: number;
}

export interface MqttSessionsOptions {
  readonly limits: MqttLimits;
  readonly monotonicMs: () => number;
  readonly maySubscribe: (client: object, filter: string) => boolean;
  /** The id of the connection that is behind a client of aedes, once that is admitted. */
  readonly connectionOf: (client: object) => string | undefined;
}

export function createMqttSessions(options: MqttSessionsOptions): MqttSessions {
  const { limits, monotonicMs } = options;
  const sessions = new Map<string, MqttSession>();
  /** Client ids of the absent, the one away for longest first. */
  const away = new Set<string>();
  const lasting = createTopicTrie<string>();
  const retained = createRetainedMessages(limits);
  let droppedOffline = 0;

  function forget(clientId: string): void {
    const session = sessions.get(clientId);
    if (session !== undefined) clearSession(clientId, session);
    sessions.delete(clientId);
    away.delete(clientId);
  }

  function clearSession(clientId: string, session: MqttSession): void {
    for (const { topic } of session.granted.list()) lasting.remove(topic, clientId);
    session.granted.clear();
    session.queue.clear();
    session.incoming.clear();
  }

  function expire(): void {
    const oldestMs = monotonicMs() - limits.sessionExpirySeconds * 1_000;
    for (const clientId of away) {
      const goneAtMs = sessions.get(clientId)?.goneAtMs ?? 0;
      if (goneAtMs > oldestMs && sessions.size <= limits.sessionsMax) return;
      forget(clientId);
    }
  }

  function enqueue({ clientId, qos }: Match, packet: QueuedPacket): void {
    const queue = sessions.get(clientId)?.queue;
    if (queue === undefined) return;
    const { brokerId, brokerCounter, topic, payload } = packet;
    // Copied, because the payload may be a small view of a whole read buffer.
    const copy = { cmd: 'publish', brokerId, brokerCounter, topic } as const;
    const flags = { qos: Math.min(qos, packet.qos), retain: false, dup: false };
    const isKept = queue.add({
      ...copy,
      ...flags,
      payload: Buffer.from(payload),
      messageId: undefined,
    });
    if (!isKept) droppedOffline += 1;
  }

  const persistence = {
    // Aedes tells by the constructor's name whether this is an async function.
    async setup() {},
    storeRetained: async (message: RetainedMessage) => retained.store(message),
    createRetainedStreamCombi: (filters: readonly string[]) =>
      Readable.from(retained.match(filters)),
    async addSubscriptions(client: ClientKey, subscriptions: readonly StoredSubscription[]) {
      const session = sessions.get(client.id);
      if (session === undefined) return;
      for (const { topic, qos } of subscriptions) {
        if (!options.maySubscribe(client, topic)) continue;
        session.granted.grant(topic, qos);
        // A QoS 0 subscription gets nothing while its client is away.
        if (qos > 0) lasting.add(topic, client.id);
        else lasting.remove(topic, client.id);
      }
    },
    async removeSubscriptions(client: ClientKey, filters: readonly string[]) {
      for (const filter of filters) {
        sessions.get(client.id)?.granted.revoke(filter);
        lasting.remove(filter, client.id);
      }
    },
    async subscriptionsByClient(client: ClientKey): Promise<readonly StoredSubscription[]> {
      return sessions.get(client.id)?.granted.list() ?? [];
    },
    /** One match a client, with the highest QoS of its overlapping filters [MQTT-3.3.5-1]. */
    async subscriptionsByTopic(topic: string): Promise<Match[]> {
      if (lasting.isEmpty()) return [];
      return [...new Set(lasting.match(topic))].map((clientId) => {
        return { clientId, qos: sessions.get(clientId)?.granted.highestQos(topic) ?? 0 };
      });
    },
    async cleanSubscriptions(client: ClientKey) {
      const session = sessions.get(client.id);
      if (session !== undefined) clearSession(client.id, session);
    },
    async outgoingEnqueueCombi(matches: readonly Match[], packet: QueuedPacket) {
      for (const match of matches) enqueue(match, packet);
    },
    async outgoingUpdate(client: ClientKey, packet: QueuedPacket) {
      const queue = sessions.get(client.id)?.queue;
      if (packet.messageId === undefined) return;
      if (packet.cmd === 'pubrel') queue?.release(packet.messageId);
      else queue?.markSent(packet.brokerCounter, packet.messageId);
    },
    async outgoingClearMessageId(client: ClientKey, packet: QueuedPacket) {
      if (packet.messageId === undefined) return undefined;
      return sessions.get(client.id)?.queue.remove(packet.messageId);
    },
    outgoingStream: (client: ClientKey) =>
      Readable.from(sessions.get(client.id)?.queue.list() ?? []),
    async incomingStorePacket(client: ClientKey, packet: { readonly messageId: number }) {
      sessions.get(client.id)?.incoming.add(packet.messageId);
    },
    async incomingGetPacket(client: ClientKey, packet: { readonly messageId: number }) {
      const isStored = sessions.get(client.id)?.incoming.has(packet.messageId) === true;
      if (!isStored) throw new Error('no such packet');
      return packet;
    },
    async incomingDelPacket(client: ClientKey, packet: { readonly messageId: number }) {
      sessions.get(client.id)?.incoming.delete(packet.messageId);
    },
    /** Also called for a client that was refused, or whose session another connection took over. */
    async cleanIncoming(client: ClientKey) {
      const session = sessions.get(client.id);
      const isHolder = session?.connection === options.connectionOf(client);
      if (isHolder) session?.incoming.clear();
    },
    // A will lives with its connection, and sessions do not outlive the process: none to store.
    async putWill() {},
    async delWill() {},
    streamWill: () => Readable.from([]),
  };

  return {
    ownerOf: (clientId) => sessions.get(clientId)?.owner,
    claim: (clientId, { owner, connection }) => {
      const session = sessions.get(clientId) ?? createSession(owner, limits);
      session.connection = connection;
      sessions.set(clientId, session);
      away.delete(clientId);
      if (sessions.size > limits.sessionsMax) expire();
    },
    release: (clientId, { connection, clean }) => {
      const session = sessions.get(clientId);
      // Another connection may have taken the session over in the meantime.
      if (session?.connection !== connection) return;
      session.connection = undefined;
      session.goneAtMs = monotonicMs();
      const isEmpty = session.granted.size() === 0 && session.incoming.size === 0;
      if (clean || isEmpty) forget(clientId);
      else away.add(clientId);
      expire();
    },
    expire,
    counts: () => ({
      sessions: sessions.size,
      retained: retained.size(),
      droppedOffline,
      droppedRetained: retained.dropped(),
    }),
    persistence,
  };
}

function createSession(owner: string, limits: MqttLimits): MqttSession {
  return {
    owner,
    connection: undefined,
    granted: createGrantedFilters(),
    queue: createSessionQueue(limits),
    incoming: new Set(),
    goneAtMs: 0,
  };
}

function createRetainedMessages(limits: MqttLimits) {
  const byTopic = new Map<string, RetainedMessage>();
  let bytes = 0;
  let dropped = 0;
  return {
    size: () => byTopic.size,
    dropped: () => dropped,
    /** An empty payload deletes [MQTT-3.3.1-10]; above the limits the old message stays. */
    store: (message: RetainedMessage) => {
      const old = byTopic.get(message.topic);
      const growth = message.payload.length - (old?.payload.length ?? 0);
      const isFull =
        (old === undefined && byTopic.size >= limits.retainedMessagesMax) ||
        bytes + growth > limits.retainedBytesMax;
      if (message.payload.length === 0) byTopic.delete(message.topic);
      else if (isFull) dropped += 1;
      else byTopic.set(message.topic, { ...message, payload: Buffer.from(message.payload) });
      const isStored = message.payload.length === 0 || !isFull;
      if (isStored) bytes += growth;
    },
    *match(filters: readonly string[]) {
      for (const filter of filters.map(compileFilter)) {
        for (const message of byTopic.values()) {
          if (matchesTopic(filter, message.topic)) yield message;
        }
      }
    },
  };
}
