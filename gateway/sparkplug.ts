/**
 * Joins the Sparkplug host application to the broker: what it asks of nodes, and that it is there.
 */
import type { Config } from '../config/schema.ts';
import type { Adapter } from './adapters/adapter.ts';
import { createSparkplugHost, sparkplugLimitDefaults } from './adapters/sparkplug/host.ts';
import { type HostMessage, stateMessage } from './adapters/sparkplug/host-messages.ts';
import { createSampledWarning, type Log } from './log.ts';
import type { Clock } from './model/clock.ts';
import type { MqttBroker } from './transports/mqtt-broker.ts';

export interface SparkplugParts {
  readonly log: Pick<Log, 'warn'>;
  readonly clock: Clock;
}

export interface Sparkplug {
  readonly adapter: Adapter;
  /** Tells the nodes that the host is there; call it once the broker has started. */
  goOnline(): Promise<void>;
  /** Tells them that it leaves; without `goOnline` before it, it says nothing. */
  goOffline(): Promise<void>;
}

/**
 * `broker` is asked for when there is something to say: it needs the adapters before it is made.
 */
export function createSparkplug(
  { hostId }: Config['ingest']['sparkplug'],
  broker: () => Pick<MqttBroker, 'publish'>,
  { log, clock }: SparkplugParts,
): Sparkplug {
  const warn = createSampledWarning(log, clock.now);
  let isOnline = false;

  async function tell({ topic, payload }: HostMessage, retain: boolean): Promise<void> {
    try {
      await broker().publish(topic, payload, { retain });
    } catch (error) {
      warn(topic, { event: 'sparkplug-not-told', topic, error }, 'the nodes were not told');
    }
  }

  async function tellState(online: boolean): Promise<void> {
    if (hostId === null || isOnline === online) return;
    isOnline = online;
    await tell(stateMessage(hostId, { online, now: clock.now() }), true);
  }

  const { adapter } = createSparkplugHost({
    now: clock.now,
    limits: sparkplugLimitDefaults,
    requestRebirth: (command) => void tell(command, false),
  });
  return { adapter, goOnline: () => tellState(true), goOffline: () => tellState(false) };
}
