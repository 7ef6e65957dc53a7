/**
 * Joins the Sparkplug host application to the brokers: what it asks of nodes, by the broker that
 * each was heard on, and that it is there.
 */
import type { Config } from '../../config/schema.ts';
import type { Adapter } from '../adapters/adapter.ts';
import { createSparkplugHost, sparkplugLimitDefaults } from '../adapters/sparkplug/host.ts';
import { type HostMessage, stateMessage } from '../adapters/sparkplug/host-messages.ts';
import { createSampledWarning, type Log } from '../log.ts';
import type { Clock } from '../model/clock.ts';
import type { MqttBroker } from '../transports/mqtt/broker.ts';
import type { RemoteBrokers } from '../transports/remote/remote-broker.ts';

export interface SparkplugParts {
  readonly log: Pick<Log, 'warn'>;
  readonly clock: Clock;
}

/** Asked for when there is something to say: both need the adapters before they are made. */
export interface SparkplugBrokers {
  readonly own: () => Pick<MqttBroker, 'publish'>;
  readonly remote: () => Pick<RemoteBrokers, 'answer'>;
}

export interface Sparkplug {
  readonly adapter: Adapter;
  /** Tells the nodes that the host is there; call it once the broker has started. */
  goOnline(): Promise<void>;
  /** Tells them that it leaves; without `goOnline` before it, it says nothing. */
  goOffline(): Promise<void>;
}

export function createSparkplug(
  { hostId }: Config['ingest']['sparkplug'],
  { own, remote }: SparkplugBrokers,
  { log, clock }: SparkplugParts,
): Sparkplug {
  const warn = createSampledWarning(log, clock.now);
  let isOnline = false;

  async function tell({ topic }: HostMessage, publish: () => Promise<void>): Promise<void> {
    try {
      await publish();
    } catch (error) {
      warn(topic, { event: 'sparkplug-not-told', topic, error }, 'the nodes were not told');
    }
  }

  /** What was not heard by a remote broker was heard by our own. */
  async function ask(command: HostMessage, connection: string): Promise<void> {
    const { topic, payload } = command;
    if (!(await remote().answer(connection, command))) await own().publish(topic, payload);
  }

  async function tellState(online: boolean): Promise<void> {
    if (hostId === null || isOnline === online) return;
    isOnline = online;
    const message = stateMessage(hostId, { online, now: clock.now() });
    await tell(message, () => own().publish(message.topic, message.payload, { retain: true }));
  }

  const { adapter } = createSparkplugHost({
    now: clock.now,
    limits: sparkplugLimitDefaults,
    requestRebirth: (command, connection) => void tell(command, () => ask(command, connection)),
  });
  return { adapter, goOnline: () => tellState(true), goOffline: () => tellState(false) };
}
