/**
 * Aedes takes every acknowledged message through its queues and its subscriptions, in a dozen
 * steps. Of nearly all that devices send here nobody but the gateway wants to know.
 */

import { firstLevelOf } from '../topic-filter.ts';
import type { MqttRouter } from './sessions/router.ts';
import type { MqttSessions } from './sessions/sessions.ts';

type Done = (error?: Error | null) => void;

interface Routed {
  readonly topic: string;
  readonly retain: boolean;
}

interface Publisher {
  publish(packet: Routed, client: unknown, done: Done): void;
}

interface Listeners {
  readonly router: Pick<MqttRouter, 'mayBeHeard'>;
  readonly sessions: Pick<MqttSessions, 'mayBeAwaited'>;
}

/** Ends the way of a message that nobody can have subscribed to, nor is to be kept for anybody. */
export function passOverUnheard(broker: object, { router, sessions }: Listeners): void {
  if (!isPublisher(broker)) return;
  const publish = broker.publish.bind(broker);
  broker.publish = (packet, client, done) => {
    const level = firstLevelOf(packet.topic);
    const isHeard = packet.retain || router.mayBeHeard(level) || sessions.mayBeAwaited(level);
    if (isHeard || typeof done !== 'function') publish(packet, client, done);
    else done(null);
  };
}

function isPublisher(broker: object): broker is Publisher {
  return 'publish' in broker && typeof broker.publish === 'function';
}
