/**
 * The gateway as a client of brokers that are there already: a network server's own, Mosquitto,
 * EMQX. PUBACK goes out once the receiver has resolved, in the order of arrival; when nothing can
 * be written the connection is ended without one, and the broker sends again.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { createInFlight } from '../in-flight.ts';
import type { Receive, Transport } from '../transport.ts';
import type { TransportHooks } from '../transport-hooks.ts';
import type { RemoteBroker, RemoteBrokerLimits, RemoteCertificates } from './remote-options.ts';
import { type PublishRemote, type RemoteSession, runRemoteSession } from './remote-session.ts';

export interface RemoteBrokersOptions {
  readonly brokers: readonly RemoteBroker[];
  readonly limits: RemoteBrokerLimits;
  /** From 0 to 1, so that gateways that lost one broker together do not come back together. */
  readonly random: () => number;
}

export interface RemoteBrokers extends Transport {
  /** By name: whether it is connected and subscribed now. */
  states(): ReadonlyMap<string, boolean>;
  /** To the broker of this name; rejects while it is not connected. */
  publish(broker: string, message: RemoteMessage): Promise<void>;
  /** By name, for the next connection to each of them; open ones stay. */
  setCertificates(certificates: ReadonlyMap<string, RemoteCertificates>): void;
  /** Back on the connection that an inbound message came by; false when it is none of these. */
  answer(connection: string, message: RemoteMessage): Promise<boolean>;
}

export interface RemoteMessage {
  readonly topic: string;
  readonly payload: Buffer;
}

export function createRemoteBrokers(
  { brokers, limits, random }: RemoteBrokersOptions,
  receive: Receive,
  hooks: TransportHooks,
): RemoteBrokers {
  const ended = new AbortController();
  const running = createInFlight();
  const states = new Map(brokers.map(({ name }) => [name, false]));
  const renewed = new Map<string, RemoteCertificates>();
  const publishers = new Map<string, PublishRemote>();
  /** By connection: whose it is. */
  const connections = new Map<string, string>();

  async function keepConnected(broker: RemoteBroker): Promise<void> {
    let failures = 0;
    while (!ended.signal.aborted) {
      const connection = randomUUID();
      const session: RemoteSession = {
        broker: { ...broker, ...renewed.get(broker.name) },
        ...{ limits, receive, hooks, signal: ended.signal, connection },
        onConnected: (publish) => {
          if (publish === undefined) {
            publishers.delete(broker.name);
            connections.delete(connection);
          } else {
            publishers.set(broker.name, publish);
            connections.set(connection, broker.name);
          }
        },
        onState: (isUp) => states.set(broker.name, isUp),
      };
      const { wasUseful, reason } = await runRemoteSession(session);
      failures = wasUseful ? 1 : failures + 1;
      if (ended.signal.aborted) return;
      const retryMs = retryAfter(failures, { limits, random });
      const fields = { event: 'remote-broker-lost', broker: broker.name, reason, retryMs };
      hooks.log.warn(fields, 'not connected to a remote broker');
      await wait(retryMs, undefined, { signal: ended.signal }).catch(() => {});
    }
  }

  async function publish(broker: string, { topic, payload }: RemoteMessage): Promise<void> {
    const publishTo = publishers.get(broker);
    if (publishTo === undefined) throw new Error(`${broker} is not connected`);
    await publishTo(topic, payload);
  }

  return {
    states: () => states,
    publish,
    setCertificates: (certificates) => {
      for (const [name, each] of certificates) renewed.set(name, each);
    },
    answer: async (connection, message) => {
      const broker = connections.get(connection);
      if (broker === undefined) return false;
      await publish(broker, message);
      return true;
    },
    // A broker that is away must not keep the gateway from starting.
    start: async () => {
      for (const broker of brokers) running.track(keepConnected(broker));
      return [];
    },
    stop: async () => {
      ended.abort();
      await running.settle(limits.stopTimeoutMs + 1_000);
    },
  };
}

/** Half of the time is certain, half is chance. */
function retryAfter(
  failures: number,
  { limits, random }: Pick<RemoteBrokersOptions, 'limits' | 'random'>,
): number {
  const { firstRetryMs, retryMsMax } = limits;
  const whole = Math.min(retryMsMax, firstRetryMs * 2 ** Math.min(failures - 1, 30));
  return Math.round(whole * (0.5 + random() / 2));
}
