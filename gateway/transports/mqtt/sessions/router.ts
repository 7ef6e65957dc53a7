/**
 * Hands a published packet to every live subscription that matches. Aedes' own emitter waits until
 * all subscribers have taken a message before it starts more than a hundred others, so that one
 * that stops reading stalls every publisher; this one never waits. What a subscriber leaves unread
 * is bounded where the broker forwards (`sendBytesMax`).
 */
import { createTopicTrie } from './topic-trie.ts';

interface Routed {
  readonly topic: string;
}

type Deliver = (packet: Routed, done: () => void) => void;
type Done = (error?: Error) => void;

/** The part of the mqemitter interface that aedes 1.2 uses. */
export interface MqttRouter {
  on(filter: string, deliver: Deliver, done?: Done): void;
  removeListener(filter: string, deliver: Deliver, done?: Done): void;
  emit(packet: Routed, done?: Done): void;
  /** Whether anybody who is connected has subscribed to it. */
  isHeard(topic: string): boolean;
  /** Whether anybody may hear a topic that begins with this level. */
  mayBeHeard(firstLevel: string): boolean;
  close(done?: Done): void;
}

/**
 * The topic of a packet that is acknowledged but must reach nobody. Clients can neither publish to
 * `$SYS` nor, because the router drops it, receive it.
 */
export const withheldTopic = '$SYS/withheld';

export function createMqttRouter(): MqttRouter {
  const subscriptions = createTopicTrie<Deliver>();
  return {
    on: (filter, deliver, done) => {
      subscriptions.add(filter, deliver);
      if (done !== undefined) setImmediate(done);
    },
    removeListener: (filter, deliver, done) => {
      subscriptions.remove(filter, deliver);
      if (done !== undefined) setImmediate(done);
    },
    emit: (packet, done) => {
      if (packet.topic !== withheldTopic) {
        for (const deliver of subscriptions.match(packet.topic)) deliver(packet, ignore);
      }
      done?.();
    },
    mayBeHeard: subscriptions.mayMatch,
    isHeard: (topic) => subscriptions.match(topic).length > 0,
    close: (done) => {
      if (done !== undefined) setImmediate(done);
    },
  };
}

function ignore(): void {}
