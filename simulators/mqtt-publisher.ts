/**
 * One MQTT account of the simulated city: publishes with QoS 1, keeps a bounded number of messages
 * in flight and settles a publish when the broker has acknowledged it.
 */
import mqtt, { type IClientOptions, type MqttClient } from 'mqtt';
import { NotSent } from './not-sent.ts';

/** Messages of one connection that wait for their PUBACK; the next publish waits for room. */
export const inFlightMax = 64;
const connectTimeoutMs = 10_000;
const reconnectPeriodMs = 1_000;

export interface Account {
  readonly username: string;
  readonly password: string;
}

export interface Publisher {
  /**
   * Resolves once there is room and the message is on its way. `settled` is called once: without an
   * error when the broker has acknowledged it, with one when it never will, which is NotSent when
   * the publisher was stopped before.
   */
  publish(topic: string, payload: Buffer, settled: (error?: Error) => void): Promise<void>;
  /** From now on nothing is sent; frees whoever waits for room on a connection that is gone. */
  stop(): void;
  /** Waits up to `graceMs` for outstanding acknowledgements, then closes. */
  close(graceMs: number): Promise<void>;
}

export interface PublisherOptions {
  readonly url: string;
  /** None where the broker lets everybody in. */
  readonly account?: Account | undefined;
  readonly clientId: string;
}

/** Throws when the broker cannot be reached or refuses the account. */
export async function connectPublisher(publisher: PublisherOptions): Promise<Publisher> {
  const { url, account, clientId } = publisher;
  const options: IClientOptions = {
    ...account,
    clientId,
    clean: true,
    protocolVersion: 4,
    connectTimeout: connectTimeoutMs,
    reconnectPeriod: reconnectPeriodMs,
    queueQoSZero: false,
  };
  const client = await mqtt.connectAsync(url, options, false);
  // Without a listener a lost connection would end the process; the client connects again itself.
  client.on('error', () => undefined);
  return createPublisher(client);
}

function createPublisher(client: MqttClient): Publisher {
  let inFlight = 0;
  const waiting: (() => void)[] = [];
  const release = (): void => {
    inFlight -= 1;
    waiting.shift()?.();
  };
  let isStopped = false;
  return {
    async publish(topic, payload, settled) {
      while (inFlight >= inFlightMax && !isStopped) {
        await new Promise<void>((resolve) => waiting.push(resolve));
      }
      if (isStopped) {
        settled(new NotSent());
        return;
      }
      inFlight += 1;
      client.publish(topic, payload, { qos: 1 }, (error) => {
        release();
        settled(error ?? undefined);
      });
    },
    stop() {
      isStopped = true;
      for (const wake of waiting.splice(0)) wake();
    },
    async close(graceMs) {
      const deadline = Date.now() + graceMs;
      while (inFlight > 0 && Date.now() < deadline) await pause(20);
      await client.endAsync(inFlight > 0);
    },
  };
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
