/**
 * Records by listening: an MQTT client that subscribes at any broker and writes down what passes,
 * at the time at which it came.
 */
import mqtt, { type IClientOptions } from 'mqtt';
import type { Account } from '../mqtt-publisher.ts';
import type { CapturedMessage } from './message.ts';

export interface MqttListening {
  /** `mqtt://host:port` or `mqtts://host:port`. */
  readonly url: string;
  readonly account?: Account | undefined;
  readonly clientId: string;
  readonly topics: readonly string[];
  /** Called in the order of arrival; the next message waits for it. */
  readonly take: (message: CapturedMessage) => Promise<void>;
  /** The broker lets it pass by that the connection was lost: so must the operator know. */
  readonly onLost: () => void;
}

export interface MqttListener {
  /** Messages that arrived are taken before it resolves. */
  close(): Promise<void>;
}

const connectTimeoutMs = 10_000;
const reconnectPeriodMs = 1_000;

/** Rejects when the broker cannot be reached or refuses the account or a topic. */
export async function listenToMqtt(listening: MqttListening): Promise<MqttListener> {
  const { url, account, clientId, topics } = listening;
  const options: IClientOptions = {
    ...account,
    clientId,
    clean: true,
    protocolVersion: 4,
    connectTimeout: connectTimeoutMs,
    reconnectPeriod: reconnectPeriodMs,
  };
  const client = await mqtt.connectAsync(url, options, false);
  client.on('error', () => undefined);
  let isClosing = false;
  client.on('close', () => {
    if (!isClosing) listening.onLost();
  });
  let taken = Promise.resolve();
  // Set by the library: the acknowledgement, and with it the next packet, waits for the callback.
  client.handleMessage = (packet, done) => {
    const { topic, payload, retain } = packet;
    const message: CapturedMessage = {
      ...{ at: Date.now(), via: 'mqtt', route: topic, body: Buffer.from(payload) },
      ...(retain ? { isRetained: true } : {}),
    };
    taken = listening.take(message);
    taken.then(() => done(), done);
  };
  try {
    const granted = await client.subscribeAsync([...topics], { qos: 1 });
    const refused = granted.find(({ qos }) => qos === 128);
    if (refused !== undefined) throw new Error(`the broker refuses the topic ${refused.topic}`);
  } catch (error) {
    isClosing = true;
    await client.endAsync(true);
    throw error;
  }
  return {
    async close() {
      isClosing = true;
      await client.endAsync();
      await taken;
    },
  };
}
