/**
 * The broker's sessions and retained messages, each within a limit: in memory for every use, in the
 * store for the next process. What a client was promised is on disk before it is told: a
 * subscription before SUBACK, a message that waits for others before PUBACK and PUBREC, a QoS 2
 * identifier before PUBREC, PUBREL and PUBCOMP. The rest is written as it comes.
 */
import type { MqttAcl } from '../../acl.ts';
import type { OnLimit } from '../limit-count.ts';
import type { MqttLimits } from '../options.ts';
import { createOfflineQueues, type OfflineQueues } from './offline-queues.ts';
import { createMqttPersistence } from './persistence.ts';
import { createRetainedMessages } from './retained.ts';
import { createSession, type MqttSession, type ReceivedMessage } from './session.ts';
import { createSessionBook } from './session-book.ts';
import type { MqttSessionStore } from './session-store.ts';

export interface SessionClaim {
  readonly owner: string;
  readonly connection: string;
  /** As the client asked; a clean one takes nothing over and leaves nothing behind. */
  readonly clean: boolean;
  /** What the client may subscribe to today: what it may not is taken from its session. */
  readonly acl: Pick<MqttAcl, 'maySubscribe'>;
}

/** A connection, and the client it belongs to. */
export interface SessionHolder {
  readonly clientId: string;
  readonly connection: string;
}

/** How the broker itself, beside aedes, uses the sessions. */
export interface MqttSessions {
  /** The account that a session with this client id belongs to, connected or not. */
  ownerOf(clientId: string): string | undefined;
  /** What waits for a client, or is on its way to it. */
  waitingFor(clientId: string): { readonly messages: number; readonly bytes: number };
  /** Whether a lasting session has subscribed to it above QoS 0. */
  isAwaited(topic: string): boolean;
  /** Whether one may have subscribed to a topic that begins with this level. */
  mayBeAwaited(firstLevel: string): boolean;
  /** A connection takes the session over, which is made when there is none. */
  claim(clientId: string, by: SessionClaim): void;
  /** What its client may not subscribe to any more is taken from its session, as in a claim. */
  restrict(clientId: string, by: Pick<SessionClaim, 'acl'>): void;
  /** The connection ended. A session with nothing to remember is forgotten. */
  release(clientId: string, by: { readonly connection: string; readonly clean: boolean }): void;
  /**
   * Writes down for whom a message waits; when the promise resolves, its sender may be told.
   * Undefined when there is nothing to write, as there is for a publisher without subscribers.
   */
  keep(message: ReceivedMessage, from?: SessionHolder): Promise<void> | undefined;
  /** Forgets the sessions whose clients were away for too long, and messages that are too old. */
  expire(): void;
  /** Resolves when every change so far is on disk. */
  flushed(): Promise<void>;
  counts(): SessionCounts;
  /** What aedes calls. */
  readonly persistence: object;
}

export interface SessionCounts {
  readonly sessions: number;
  readonly retained: number;
  readonly droppedOffline: number;
  readonly droppedRetained: number;
  /** What waits for clients, absent or slow, in lasting sessions. */
  readonly waiting: ReturnType<OfflineQueues['waiting']>;
}

export interface MqttSessionsOptions {
  readonly limits: MqttLimits;
  readonly store: MqttSessionStore;
  readonly monotonicMs: () => number;
  /** Epoch milliseconds, for what has to be compared with another process. */
  readonly now: () => number;
  readonly maySubscribe: (client: object, filter: string) => boolean;
  readonly connectionOf: (client: object) => string | undefined;
  readonly onLimit?: OnLimit;
}

/** Reads what an earlier process has left in the store. */
export function createMqttSessions(options: MqttSessionsOptions): MqttSessions {
  const { limits, store, monotonicMs, now, onLimit = () => {} } = options;
  const book = createSessionBook(options);
  const { sessions, away } = book;
  const retained = createRetainedMessages(limits, { store, now, onLimit });
  const queues = createOfflineQueues({ limits, store, now, sessions, onLimit });
  /** By payload, which is one object from the wire to aedes' last call. */
  const kept = new WeakSet<Buffer>();

  function forget(clientId: string): void {
    const session = sessions.get(clientId);
    if (session !== undefined) clear(session);
    sessions.delete(clientId);
    away.delete(clientId);
  }

  function clear(session: MqttSession): void {
    queues.clear(session);
    book.clear(session);
  }

  function restrict(session: MqttSession, acl: SessionClaim['acl']): void {
    for (const { topic } of session.granted.list()) {
      if (!acl.maySubscribe(topic)) book.revoke(session, topic);
    }
  }

  function forgetAbsent(): void {
    const oldestMs = monotonicMs() - limits.sessionExpirySeconds * 1_000;
    for (const clientId of away) {
      const goneAtMs = sessions.get(clientId)?.goneAtMs ?? 0;
      const isFull = sessions.size > limits.sessionsMax;
      if (goneAtMs > oldestMs && !isFull) return;
      onLimit(isFull ? 'sessionsMax' : 'sessionExpirySeconds');
      forget(clientId);
    }
  }

  function expire(): void {
    retained.expire();
    queues.expire(away);
    forgetAbsent();
  }

  /** The session of a sender that has to recognise this QoS 2 message when it comes again. */
  function remembering(
    { qos, messageId }: ReceivedMessage,
    from: SessionHolder | undefined,
  ): MqttSession | undefined {
    if (qos !== 2 || messageId === undefined || from === undefined) return undefined;
    const session = sessions.get(from.clientId);
    return session?.connection === from.connection ? session : undefined;
  }

  queues.load(book.load());
  retained.load();
  expire();
  return {
    ownerOf: (clientId) => sessions.get(clientId)?.owner,
    waitingFor: (clientId) => {
      const queue = sessions.get(clientId)?.queue;
      return { messages: queue?.size() ?? 0, bytes: queue?.bytes() ?? 0 };
    },
    mayBeAwaited: book.mayMatch,
    isAwaited: (topic) => book.matchesOf(topic).length > 0,
    claim: (clientId, { owner, connection, clean, acl }) => {
      const session = sessions.get(clientId) ?? createSession(clientId, { owner, limits });
      if (clean) clear(session);
      session.isLasting = !clean;
      restrict(session, acl);
      session.connection = connection;
      sessions.set(clientId, session);
      away.delete(clientId);
      book.touch(session);
      if (sessions.size > limits.sessionsMax) forgetAbsent();
    },
    restrict: (clientId, { acl }) => {
      const session = sessions.get(clientId);
      if (session !== undefined) restrict(session, acl);
    },
    release: (clientId, { connection, clean }) => {
      const session = sessions.get(clientId);
      // Another connection may have taken the session over in the meantime.
      if (session?.connection !== connection) return;
      session.connection = undefined;
      session.goneAtMs = monotonicMs();
      const { granted, incoming, queue } = session;
      const isEmpty = granted.size() === 0 && incoming.size === 0 && queue.size() === 0;
      if (clean || isEmpty) {
        forget(clientId);
        return;
      }
      away.add(clientId);
      book.touch(session);
      forgetAbsent();
    },
    keep: (message, from) => {
      if (message.qos === 0 && !message.retain) return undefined;
      const sender = remembering(message, from);
      const { messageId = 0 } = message;
      if (sender?.incoming.has(messageId) === true) return undefined;
      const matches = message.qos === 0 ? [] : book.matchesOf(message.topic);
      const isAwaited = matches.length > 0 && queues.keep(matches, message);
      const isRemembered = sender?.isLasting === true;
      if (isRemembered) book.storeIncoming(sender, messageId);
      if (message.retain) retained.store(message);
      if (!isAwaited && !isRemembered && !message.retain) return undefined;
      kept.add(message.payload);
      // At QoS 0 nobody waits for an answer.
      return message.qos === 0 ? undefined : store.flushed();
    },
    expire,
    flushed: () => store.flushed(),
    counts: () => ({
      sessions: sessions.size,
      retained: retained.size(),
      droppedOffline: queues.dropped(),
      droppedRetained: retained.dropped(),
      waiting: queues.waiting(),
    }),
    persistence: createMqttPersistence({
      ...{ book, queues, retained, store, wasKept: (payload) => kept.has(payload) },
      maySubscribe: options.maySubscribe,
      connectionOf: options.connectionOf,
    }),
  };
}
