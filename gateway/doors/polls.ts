/**
 * Devices that tell nothing unless they are asked: on an interval, each is sent the names of what
 * is wanted. The answers come in like any other message, and a mapping reads them.
 */
import { setTimeout as wait } from 'node:timers/promises';
import type { Config } from '../../config/schema.ts';
import { createSampledWarning, type Log } from '../log.ts';
import type { Clock } from '../model/clock.ts';
import type { MqttBroker } from '../transports/mqtt/broker.ts';
import type { RemoteBrokers } from '../transports/remote/remote-broker.ts';
import { pollRequestsPerSecond } from './door-check.ts';

type Poll = Config['ingest']['polls'][number];

export interface PollParts {
  readonly own: () => Pick<MqttBroker, 'publish'>;
  readonly remote: () => Pick<RemoteBrokers, 'publish'>;
  readonly log: Pick<Log, 'warn'>;
  readonly clock: Clock;
}

export interface Polls {
  /** Call it once the brokers have started. */
  start(): void;
  stop(): Promise<void>;
}

/** What a broker has not taken by then is given up, so that the others are asked. */
const publishTimeoutMs = 5_000;

export function createPolls(polls: readonly Poll[], parts: PollParts): Polls {
  const ended = new AbortController();
  const warn = createSampledWarning(parts.log, parts.clock.now);
  const pause = async (milliseconds: number, signal = ended.signal) => {
    await wait(milliseconds, undefined, { signal }).catch(() => {});
  };
  let running: Promise<void>[] = [];

  async function keepAsking(poll: Poll): Promise<void> {
    const { name, intervalSeconds } = poll;
    while (!ended.signal.aborted) {
      const startedMs = performance.now();
      for (const request of requestsOf(poll)) {
        if (ended.signal.aborted) return;
        await ask(poll, request).catch((error: unknown) => {
          warn(name, { event: 'poll-not-sent', poll: name, error }, 'a device was not asked');
        });
        await pause(1_000 / pollRequestsPerSecond);
      }
      const passedMs = performance.now() - startedMs;
      await pause(Math.max(0, intervalSeconds * 1_000 - passedMs));
    }
  }

  async function ask({ broker }: Poll, request: Request): Promise<void> {
    const { topic, payload } = request;
    const done = new AbortController();
    const published =
      broker === undefined
        ? parts.own().publish(topic, payload)
        : parts.remote().publish(broker, request);
    const tooLate = wait(publishTimeoutMs, undefined, { signal: done.signal }).then(() => {
      throw new Error('the broker does not take it');
    });
    // Once it is aborted, nobody waits for it any longer.
    tooLate.catch(() => {});
    await Promise.race([published, tooLate]).finally(() => done.abort());
  }

  return {
    start: () => {
      running = polls.map(keepAsking);
    },
    stop: async () => {
      ended.abort();
      await Promise.all(running);
    },
  };
}

interface Request {
  readonly topic: string;
  readonly payload: Buffer;
}

function requestsOf({ topic, devices, ask }: Poll): Request[] {
  return devices.flatMap((device) =>
    ask.map((word) => ({
      topic: topic.replaceAll('{device}', device),
      payload: Buffer.from(word),
    })),
  );
}
