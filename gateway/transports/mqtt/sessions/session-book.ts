/**
 * All sessions with their subscriptions and open packet identifiers: every change is made in memory
 * and, for a lasting session, queued for the store.
 */
import type { MqttLimits } from '../options.ts';
import { createSession, type Match, type MqttSession } from './session.ts';
import {
  decodeFilter,
  decodeSession,
  encodeFilter,
  encodeSession,
  filterKey,
  incomingKey,
  keyParts,
  numberOf,
  sessionKey,
} from './session-records.ts';
import type { MqttSessionStore } from './session-store.ts';
import { createTopicTrie } from './topic-trie.ts';

export interface SessionBook {
  readonly sessions: Map<string, MqttSession>;
  /** Client ids of the absent, the one away for longest first. */
  readonly away: Set<string>;
  grant(session: MqttSession, subscription: { readonly topic: string; readonly qos: number }): void;
  revoke(session: MqttSession, filter: string): void;
  /** Writes down that a QoS 2 packet identifier is taken. */
  storeIncoming(session: MqttSession, messageId: number): void;
  forgetIncoming(session: MqttSession, messageId: number): void;
  clearIncoming(session: MqttSession): void;
  /** Subscriptions, identifiers and its own record; what waits for it is somebody else's. */
  clear(session: MqttSession): void;
  /** Writes its record again when it has one: its client has come or gone. */
  touch(session: MqttSession): void;
  /** Those with a lasting subscription above QoS 0. */
  matchesOf(topic: string): readonly Match[];
  /** False when none of them can match a topic that begins with this level. */
  mayMatch(firstLevel: string): boolean;
  /** Reads what an earlier process has left; by their place in the store. */
  load(): ReadonlyMap<string, MqttSession>;
}

export interface SessionBookOptions {
  readonly limits: MqttLimits;
  readonly store: MqttSessionStore;
  readonly monotonicMs: () => number;
  /** Epoch milliseconds, for what has to be compared with another process. */
  readonly now: () => number;
}

export function createSessionBook(options: SessionBookOptions): SessionBook {
  const { limits, store, monotonicMs, now } = options;
  const sessions = new Map<string, MqttSession>();
  const away = new Set<string>();
  const lasting = createTopicTrie<string>();

  /** With the first thing that has to be remembered; many publishers have none. */
  function storeSession(session: MqttSession): void {
    const { clientId, owner, connection, goneAtMs } = session;
    const goneAt = Math.round(now() - (monotonicMs() - goneAtMs));
    const record = { clientId, owner, ...(connection === undefined ? { goneAt } : {}) };
    store.put(sessionKey(session.key), encodeSession(record));
    session.isStored = true;
  }

  function grantInMemory(session: MqttSession, topic: string, qos: number): void {
    session.granted.grant(topic, qos);
    // A QoS 0 subscription gets nothing while its client is away.
    if (qos > 0) lasting.add(topic, session.clientId);
    else lasting.remove(topic, session.clientId);
  }

  function revoke(session: MqttSession, filter: string): void {
    session.granted.revoke(filter);
    lasting.remove(filter, session.clientId);
    if (session.isStored) store.remove(filterKey(session.key, filter));
  }

  function forgetIncoming(session: MqttSession, messageId: number): void {
    session.incoming.delete(messageId);
    if (session.isStored) store.remove(incomingKey(session.key, messageId));
  }

  function clearIncoming(session: MqttSession): void {
    for (const messageId of session.incoming) forgetIncoming(session, messageId);
  }

  function loadSessions(): Map<string, MqttSession> {
    const startedAt = now();
    const byKey = new Map<string, MqttSession>();
    const found = [...store.entries('s:')].flatMap(({ key, value }) => {
      const record = decodeSession(value);
      if (record === undefined) store.remove(key);
      return record ?? [];
    });
    found.sort((left, right) => (left.goneAt ?? startedAt) - (right.goneAt ?? startedAt));
    for (const { clientId, owner, goneAt = startedAt } of found) {
      const session = createSession(clientId, { owner, limits });
      session.isLasting = true;
      session.isStored = true;
      session.goneAtMs = monotonicMs() - Math.max(0, startedAt - goneAt);
      sessions.set(clientId, session);
      byKey.set(session.key, session);
      away.add(clientId);
    }
    return byKey;
  }

  return {
    ...{ sessions, away, revoke, forgetIncoming, clearIncoming },
    grant: (session, { topic, qos }) => {
      grantInMemory(session, topic, qos);
      if (!session.isLasting) return;
      if (!session.isStored) storeSession(session);
      store.put(filterKey(session.key, topic), encodeFilter({ filter: topic, qos }));
    },
    storeIncoming: (session, messageId) => {
      if (!session.isStored) storeSession(session);
      store.put(incomingKey(session.key, messageId), Buffer.alloc(0));
    },
    clear: (session) => {
      for (const { topic } of session.granted.list()) revoke(session, topic);
      clearIncoming(session);
      if (session.isStored) store.remove(sessionKey(session.key));
      session.isStored = false;
    },
    touch: (session) => {
      if (session.isStored) storeSession(session);
    },
    matchesOf: (topic) => {
      if (lasting.isEmpty()) return [];
      // One match a client, with the highest QoS of its overlapping filters [MQTT-3.3.5-1].
      return [...new Set(lasting.match(topic))].map((clientId) => {
        return { clientId, qos: sessions.get(clientId)?.granted.highestQos(topic) ?? 0 };
      });
    },
    mayMatch: lasting.mayMatch,
    load: () => {
      const byKey = loadSessions();
      for (const { key, value } of store.entries('f:')) {
        const session = byKey.get(keyParts(key).client);
        const record = decodeFilter(value);
        if (session === undefined || record === undefined) store.remove(key);
        else grantInMemory(session, record.filter, record.qos);
      }
      for (const { key } of store.entries('i:')) {
        const { client, last } = keyParts(key);
        const messageId = numberOf(last, 10);
        const session = byKey.get(client);
        if (session === undefined || messageId === undefined) store.remove(key);
        else session.incoming.add(messageId);
      }
      return byKey;
    },
  };
}
