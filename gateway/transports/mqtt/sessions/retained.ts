/** The retained messages, within limits of number, bytes and age, in memory and in the store. */

import { compileFilter, matchesTopic } from '../../topic-filter.ts';
import type { OnLimit } from '../limit-count.ts';
import type { MqttLimits } from '../options.ts';
import { decodeMessage, encodeMessage, retainedKey } from './session-records.ts';
import type { MqttSessionStore } from './session-store.ts';

export interface RetainedMessage {
  readonly topic: string;
  readonly payload: Buffer;
  readonly qos: number;
}

interface KeptMessage extends RetainedMessage {
  readonly cmd: 'publish';
  readonly retain: true;
  readonly keptAt: number;
}

export interface RetainedMessages {
  size(): number;
  /** Those that a limit kept out. */
  dropped(): number;
  /** An empty payload deletes [MQTT-3.3.1-10]; above the limits the old message stays. */
  store(message: RetainedMessage): void;
  match(filters: readonly string[]): Iterable<KeptMessage>;
  /** Forgets what is too old. */
  expire(): void;
  /** Reads what an earlier process has left; what is beyond the limits of today goes. */
  load(): void;
}

type Limits = Pick<
  MqttLimits,
  'retainedMessagesMax' | 'retainedBytesMax' | 'retainedAgeSecondsMax'
>;

export function createRetainedMessages(
  limits: Limits,
  parts: {
    readonly store: MqttSessionStore;
    readonly now: () => number;
    readonly onLimit: OnLimit;
  },
): RetainedMessages {
  const { store, now, onLimit } = parts;
  /** The oldest first: a message that is set anew goes to the end. */
  const byTopic = new Map<string, KeptMessage>();
  let bytes = 0;
  let dropped = 0;

  function forget(topic: string): void {
    const old = byTopic.get(topic);
    if (old === undefined) return;
    byTopic.delete(topic);
    bytes -= old.payload.length;
    store.remove(retainedKey(topic));
  }

  /** False when there is no room. */
  function keep(message: KeptMessage): boolean {
    const old = byTopic.get(message.topic);
    const growth = message.payload.length - (old?.payload.length ?? 0);
    const isFull = old === undefined && byTopic.size >= limits.retainedMessagesMax;
    if (isFull || bytes + growth > limits.retainedBytesMax) {
      onLimit(isFull ? 'retainedMessagesMax' : 'retainedBytesMax');
      return false;
    }
    byTopic.delete(message.topic);
    byTopic.set(message.topic, message);
    bytes += growth;
    return true;
  }

  function expire(): void {
    const oldest = now() - limits.retainedAgeSecondsMax * 1_000;
    for (const { topic, keptAt } of byTopic.values()) {
      if (keptAt >= oldest) return;
      onLimit('retainedAgeSecondsMax');
      forget(topic);
    }
  }

  return {
    size: () => byTopic.size,
    dropped: () => dropped,
    store: ({ topic, payload, qos }) => {
      if (payload.length === 0) {
        forget(topic);
        return;
      }
      // Copied, because the payload may be a small view of a whole read buffer.
      const copy = { topic, payload: Buffer.from(payload), qos, keptAt: now() };
      if (keep({ cmd: 'publish', retain: true, ...copy })) {
        store.put(retainedKey(topic), encodeMessage(copy));
      } else {
        dropped += 1;
      }
    },
    *match(filters) {
      for (const filter of filters.map(compileFilter)) {
        for (const message of byTopic.values()) {
          if (matchesTopic(filter, message.topic)) yield message;
        }
      }
    },
    expire,
    load: () => {
      const found = [...store.entries('r:')].map(({ key, value }) => ({
        key,
        message: decodeMessage(value),
      }));
      found.sort((left, right) => (left.message?.keptAt ?? 0) - (right.message?.keptAt ?? 0));
      for (const { key, message } of found) {
        const isKept = message !== undefined && keep({ cmd: 'publish', retain: true, ...message });
        if (!isKept) store.remove(key);
      }
      expire();
    },
  };
}
