/** What Prometheus learns of the MQTT broker: who is there, what waits, which limits bite. */
import { Counter, Gauge, type Registry } from 'prom-client';
import type { AuditLog } from '../holdings/audit-log.ts';
import type { Clock } from '../model/clock.ts';
import { banKinds } from '../transports/mqtt/bans.ts';
import type { MqttBroker } from '../transports/mqtt/broker.ts';
import { type MqttLimits, mqttLimitDefaults } from '../transports/mqtt/options.ts';

export interface MqttMetricSources {
  readonly broker: Pick<MqttBroker, 'counts' | 'bans'>;
  readonly holdings: { readonly audit: Pick<AuditLog, 'counts'> };
  readonly config: { readonly mqtt: { readonly limits: Readonly<Partial<MqttLimits>> } };
  readonly clock: Clock;
}

/** How long something takes that another limit has begun: nobody comes up against these. */
const durations = ['flappingBanSeconds', 'stopTimeoutMs'];

/** All values are read when they are asked for. */
export function registerMqttMetrics(registry: Registry, sources: MqttMetricSources): void {
  registerCounts(registry, sources);
  registerLimits(registry, sources);
  registerBans(registry, sources);
  new Counter({
    name: 'fieldgate_audit_events_total',
    help: 'Entries of the audit log by event, of this process.',
    labelNames: ['event'] as const,
    registers: [registry],
    collect() {
      this.reset();
      for (const [event, count] of sources.holdings.audit.counts()) this.inc({ event }, count);
    },
  });
}

function registerCounts(registry: Registry, { broker, clock }: MqttMetricSources): void {
  const registers = [registry];
  const gauge = (name: string, help: string, read: () => number) => {
    new Gauge({
      ...{ name: `fieldgate_mqtt_${name}`, help, registers },
      collect() {
        this.set(read());
      },
    });
  };
  const counter = (name: string, help: string, read: () => number) => {
    new Counter({
      ...{ name: `fieldgate_mqtt_${name}`, help, registers },
      collect() {
        this.reset();
        this.inc(read());
      },
    });
  };
  const ageOf = (oldestAt: number | undefined) =>
    oldestAt === undefined ? 0 : Math.max(0, clock.now() - oldestAt) / 1_000;
  gauge('connections', 'Connections, signed in or not.', () => broker.counts().connections);
  gauge('connections_waiting', 'Those that wait for their turn to be opened.', () => {
    return broker.counts().connectionsWaiting;
  });
  gauge('sessions', 'Sessions, of clients that are connected or away.', () => {
    return broker.counts().sessions;
  });
  gauge('retained_messages', 'Retained messages.', () => broker.counts().retained);
  gauge('in_flight_messages', 'Messages from clients that have no receipt yet.', () => {
    return broker.counts().inFlight;
  });
  gauge('waiting_messages', 'Messages that wait for clients of lasting sessions.', () => {
    return broker.counts().waiting.messages;
  });
  gauge('waiting_bytes', 'Bytes of these messages.', () => broker.counts().waiting.bytes);
  gauge('waiting_age_seconds', 'Age of the oldest of them; 0 when none waits.', () => {
    return ageOf(broker.counts().waiting.oldestAt);
  });
  counter('keepalive_timeouts_total', 'Clients cut for their silence.', () => {
    return broker.counts().keepaliveTimeouts;
  });
}

function registerLimits(registry: Registry, { broker, config }: MqttMetricSources): void {
  const all = { ...mqttLimitDefaults, ...config.mqtt.limits };
  const configured = new Gauge({
    name: 'fieldgate_mqtt_limit',
    help: 'Limits of the MQTT broker as configured (mqtt.limits).',
    labelNames: ['limit'] as const,
    registers: [registry],
  });
  for (const [limit, value] of Object.entries(all)) configured.set({ limit }, value);
  new Counter({
    name: 'fieldgate_mqtt_limit_reached_total',
    help: 'How often each of these limits has kept something out, held it back or ended it.',
    labelNames: ['limit'] as const,
    registers: [registry],
    collect() {
      this.reset();
      for (const limit of Object.keys(all)) {
        if (!durations.includes(limit)) this.inc({ limit }, 0);
      }
      for (const [limit, count] of broker.counts().limited) this.inc({ limit }, count);
    },
  });
}

function registerBans(registry: Registry, { broker }: MqttMetricSources): void {
  new Gauge({
    name: 'fieldgate_mqtt_bans',
    help: 'Bans in force, by what they are for.',
    labelNames: ['kind'] as const,
    registers: [registry],
    collect() {
      const kinds = broker.bans.list().map(({ kind }) => kind);
      for (const kind of banKinds) {
        this.set({ kind }, kinds.filter((each) => each === kind).length);
      }
    },
  });
  new Counter({
    name: 'fieldgate_mqtt_bans_total',
    help: 'Bans made by this process, by reason: flapping, or an operator.',
    labelNames: ['reason'] as const,
    registers: [registry],
    collect() {
      this.reset();
      for (const [reason, count] of Object.entries(broker.bans.made())) this.inc({ reason }, count);
    },
  });
}
