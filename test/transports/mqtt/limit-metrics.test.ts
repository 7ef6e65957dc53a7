/** Walks the broker's limits one by one, and looks whether each shows in `/metrics`. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { RootDatabase } from 'lmdb';
import { Registry } from 'prom-client';
import { type AuditLog, openAuditLog } from '../../../gateway/holdings/audit-log.ts';
import { openStateJournal } from '../../../gateway/holdings/state-journal.ts';
import { openState } from '../../../gateway/ledger/lmdb-files.ts';
import { registerMqttMetrics } from '../../../gateway/operation/mqtt-metrics.ts';
import {
  type MqttBrokerOptions,
  type MqttLimits,
  mqttLimitDefaults,
} from '../../../gateway/transports/mqtt/options.ts';
import { tick } from './abuse-bench.ts';
import { city, createGate, type MqttBench, now, startBench } from './bench.ts';
import {
  type ConnectPacket,
  connectPacket,
  connectRaw,
  disconnectPacket,
  openRaw,
  publishPacket,
  type RawClient,
  subscribePacket,
} from './wire.ts';

let directory: string;
let state: RootDatabase<unknown, string>;
let audit: AuditLog;
let bench: MqttBench;
let registry: Registry;

const log = { error: () => undefined };

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'fieldgate-limits-'));
  state = openState({ directory });
});
afterEach(async () => {
  await bench.stop();
  await audit.flushed();
});
afterAll(async () => {
  await state.close();
  await rm(directory, { recursive: true, force: true });
});

async function start(limits: Partial<MqttLimits>, options: Partial<MqttBrokerOptions> = {}) {
  audit = openAuditLog(state, { entriesMax: 1_000, now: () => now, log });
  bench = await startBench({ anonymous: true, limits, ...options, onAudit: audit.append });
  registry = new Registry();
  const { broker } = bench;
  const parts = { holdings: { audit }, config: { mqtt: { limits } }, clock: { now: bench.now } };
  registerMqttMetrics(registry, { broker, ...parts });
}

/** A sample of the metrics; 0 when there is none. */
async function sample(name: string): Promise<number> {
  const text = await registry.metrics();
  const line = text.split('\n').find((each) => each.startsWith(`${name} `));
  return Number(line?.slice(name.length) ?? 0);
}

/** Of waiting, so that a metric that stays where it is fails its test. */
const turnsMax = 1_000;

async function reaches(name: string, value = 1): Promise<void> {
  for (let turn = 0; (await sample(name)) < value; turn += 1) {
    if (turn > turnsMax) throw new Error(`${name} never came to ${value}`);
    await tick();
  }
}

const reachedBy = (limit: string) => `fieldgate_mqtt_limit_reached_total{limit="${limit}"}`;

/** Answered or cut. */
async function tryConnect(options: ConnectPacket = {}): Promise<RawClient> {
  const client = await openRaw(bench.port);
  client.send(connectPacket(options));
  await client.bytes(4).catch(() => '');
  return client;
}

async function connectAndSend(...packets: readonly Buffer[]): Promise<RawClient> {
  const client = await connectRaw(bench.port, { clientId: 'sender' });
  client.send(...packets);
  return client;
}

/** A lasting session that awaits `state/#`; its client is away. */
async function leaveSession(clientId: string): Promise<void> {
  const client = await connectRaw(bench.port, { clientId, clean: false });
  client.send(subscribePacket(['state/#']));
  await client.bytes(9);
  client.send(disconnectPacket);
  await client.closed();
}

const message = (id: number, bytes = 8, retain = false) =>
  publishPacket({ topic: `state/${id}`, payload: 'x'.repeat(bytes), id, retain });

async function fillUnread(qos: 0 | 1, isDone: () => Promise<boolean>): Promise<void> {
  const lazy = await connectRaw(bench.port, { clientId: 'lazy' });
  lazy.send(subscribePacket(['state/#'], qos));
  await lazy.bytes(9);
  lazy.socket.pause();
  const sender = await connectRaw(bench.port, { clientId: 'sender' });
  for (let id = 1; id < 2 * turnsMax && !(await isDone()); id += 1) {
    if (id > turnsMax) await tick();
    else sender.send(message(id, 20_000));
    await sender.bytes(4 + 4 * Math.min(id, turnsMax));
  }
  lazy.socket.destroy();
}

interface Walk {
  readonly limits: Partial<MqttLimits>;
  readonly options?: () => Partial<MqttBrokerOptions>;
  readonly provoke: () => Promise<unknown>;
}

const walks: Readonly<Record<string, Walk>> = {
  firstPacketBytesMax: {
    limits: { firstPacketBytesMax: 30 },
    provoke: () => tryConnect({ clientId: 'c'.repeat(30) }),
  },
  packetBytesMax: { limits: { packetBytesMax: 90 }, provoke: () => connectAndSend(message(1, 90)) },
  connectionsMax: {
    limits: { connectionsMax: 1 },
    provoke: () => Promise.all([tryConnect(), tryConnect()]),
  },
  connectionsPerAddressMax: {
    limits: { connectionsPerAddressMax: 1 },
    provoke: () => Promise.all([tryConnect(), tryConnect()]),
  },
  connectionsPerCredentialMax: {
    limits: { connectionsPerCredentialMax: 1 },
    provoke: async () => {
      await tryConnect({ clientId: 'a' });
      // Its own place is its own: a takeover is none more.
      expect((await tryConnect({ clientId: 'a' })).received()).toBe('20020000');
      expect((await tryConnect({ clientId: 'b' })).received()).toBe('20020005');
    },
  },
  connectTimeoutMs: {
    limits: { connectTimeoutMs: 100 },
    provoke: async () => (await openRaw(bench.port)).closed(),
  },
  keepaliveSecondsMax: {
    limits: { keepaliveSecondsMax: 60 },
    provoke: () => tryConnect({ keepalive: 0 }),
  },
  clientIdLengthMax: {
    limits: { clientIdLengthMax: 5 },
    provoke: () => tryConnect({ clientId: 'longer' }),
  },
  topicLevelsMax: { limits: { topicLevelsMax: 1 }, provoke: () => connectAndSend(message(1)) },
  topicLengthMax: {
    limits: { topicLengthMax: 3 },
    provoke: () => connectAndSend(subscribePacket(['state/#'])),
  },
  messagesPerSecondMax: {
    limits: { messagesPerSecondMax: 2 },
    provoke: () => connectAndSend(message(1), message(2), message(3)),
  },
  bytesPerSecondMax: {
    limits: { bytesPerSecondMax: 50 },
    provoke: () => connectAndSend(message(1, 40), message(2, 40)),
  },
  receiveBytesMax: {
    limits: { receiveBytesMax: 900 },
    provoke: async () => {
      const gate = createGate();
      bench.receiveBy(() => gate.opened);
      await connectAndSend(message(1), message(2));
      await reaches('fieldgate_mqtt_in_flight_messages', 2);
      gate.open();
    },
  },
  sendBytesMax: {
    limits: { sendBytesMax: 50_000 },
    provoke: () => fillUnread(0, async () => (await sample(reachedBy('sendBytesMax'))) > 0),
  },
  drainTimeoutMs: {
    limits: { drainTimeoutMs: 100 },
    provoke: () => fillUnread(0, async () => (await sample(reachedBy('drainTimeoutMs'))) > 0),
  },
  inflightMax: {
    limits: { inflightMax: 1 },
    provoke: () =>
      connectAndSend(
        publishPacket({ topic: 'up/x', qos: 2, id: 1 }),
        publishPacket({ topic: 'up/x', qos: 2, id: 2 }),
      ),
  },
  subscriptionsPerClientMax: {
    limits: { subscriptionsPerClientMax: 1 },
    provoke: () => connectAndSend(subscribePacket(['a', 'b'])),
  },
  sessionsMax: {
    limits: { sessionsMax: 1 },
    provoke: async () => {
      await leaveSession('a');
      await leaveSession('b');
    },
  },
  sessionExpirySeconds: {
    limits: { sessionExpirySeconds: 0.01 },
    provoke: async () => {
      await leaveSession('a');
      await tick();
      await tick();
      await tick();
      await leaveSession('b');
    },
  },
  offlineMessagesMax: {
    limits: { offlineMessagesMax: 1 },
    provoke: async () => {
      await leaveSession('a');
      await connectAndSend(message(1), message(2));
      await reaches('fieldgate_mqtt_waiting_messages', 1);
      expect(await sample('fieldgate_mqtt_waiting_bytes')).toBe(15);
      bench.setNow(now + 90_000);
      expect(await sample('fieldgate_mqtt_waiting_age_seconds')).toBe(90);
    },
  },
  offlineBytesMax: {
    limits: { offlineBytesMax: 20 },
    provoke: async () => {
      await leaveSession('a');
      await connectAndSend(message(1, 30));
    },
  },
  offlineBytesTotalMax: {
    limits: { offlineBytesTotalMax: 250 },
    provoke: async () => {
      await leaveSession('a');
      await connectAndSend(message(1, 100));
    },
  },
  offlineAgeSecondsMax: {
    limits: { offlineAgeSecondsMax: 10 },
    provoke: async () => {
      await leaveSession('a');
      await connectAndSend(message(1));
      await reaches('fieldgate_mqtt_waiting_messages', 1);
      bench.setNow(now + 11_000);
      await tryConnect({ clientId: 'a', clean: false });
    },
  },
  retainedMessagesMax: {
    limits: { retainedMessagesMax: 1 },
    provoke: () => connectAndSend(message(1, 8, true), message(2, 8, true)),
  },
  retainedBytesMax: {
    limits: { retainedBytesMax: 10 },
    provoke: () => connectAndSend(message(1, 11, true)),
  },
  retainedAgeSecondsMax: {
    limits: { retainedAgeSecondsMax: 1 },
    // Left by an earlier process, long ago.
    options: () => {
      const store = openStateJournal(state, 'retained', log);
      return { store };
    },
    provoke: async () => {
      bench.setNow(now - 10_000);
      await connectAndSend(message(1, 8, true));
      await reaches('fieldgate_mqtt_retained_messages');
      await bench.stop();
      const store = openStateJournal(state, 'retained', log);
      await start({ retainedAgeSecondsMax: 1 }, { store });
    },
  },
  authFailuresPerMinuteMax: {
    limits: { authFailuresPerMinuteMax: 1 },
    provoke: async () => {
      for (let attempt = 0; attempt < 3; attempt += 1) {
        await tryConnect({ username: 'city', password: 'wrong' });
      }
    },
  },
  passwordChecksMax: {
    limits: { passwordChecksMax: 1 },
    provoke: () =>
      Promise.all(
        Array.from({ length: 8 }, (_, index) =>
          tryConnect({ clientId: `${index}`, username: 'nobody', password: 'wrong' }),
        ),
      ),
  },
  connectsPerMinuteMax: {
    limits: { connectsPerMinuteMax: 1 },
    provoke: async () => {
      const login = { username: 'city', password: city.password ?? '', clientId: 'flapping' };
      await tryConnect(login);
      await tryConnect(login);
      expect(await sample('fieldgate_mqtt_bans{kind="clientId"}')).toBe(1);
      expect(await sample('fieldgate_mqtt_bans_total{reason="flapping"}')).toBe(1);
    },
  },
  bansMax: {
    limits: { bansMax: 1 },
    provoke: async () => {
      const ban = { kind: 'address', reason: 'test', by: 'me', until: now + 1_000 } as const;
      bench.broker.ban({ ...ban, value: '192.0.2.1' });
      bench.broker.ban({ ...ban, value: '192.0.2.2' });
      expect(await sample('fieldgate_mqtt_bans{kind="address"}')).toBe(1);
      expect(await sample('fieldgate_mqtt_bans_total{reason="operator"}')).toBe(1);
    },
  },
};

describe('Metrics of the broker', () => {
  it.each(Object.entries(walks))(
    'tell that %s was reached',
    async (limit, { limits, provoke, options }) => {
      await start(limits, options?.());
      expect(await sample(reachedBy(limit))).toBe(0);
      await provoke();
      await reaches(reachedBy(limit));
    },
    20_000,
  );

  it('have every limit, as it is configured', async () => {
    await start({ connectionsMax: 7 });
    expect(await sample('fieldgate_mqtt_limit{limit="connectionsMax"}')).toBe(7);
    const names = Object.keys(mqttLimitDefaults);
    const durations = ['flappingBanSeconds', 'stopTimeoutMs'];
    expect(names.filter((name) => !(name in walks))).toEqual(durations);
    for (const name of names) {
      expect(await sample(`fieldgate_mqtt_limit{limit="${name}"}`)).toBeGreaterThan(0);
    }
  });

  it('count connections that wait for their turn while many come', async () => {
    await start({});
    const clients = await Promise.all(Array.from({ length: 300 }, () => openRaw(bench.port)));
    for (const [index, client] of clients.entries()) {
      client.send(connectPacket({ clientId: `burst-${index}` }));
    }
    while ((await sample('fieldgate_mqtt_connections_waiting')) === 0) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    await Promise.all(clients.map((client) => client.bytes(4)));
    expect(await sample('fieldgate_mqtt_connections_waiting')).toBe(0);
    for (const { socket } of clients) socket.destroy();
  });

  it('count connections, clients that fall silent, and what the audit log is told', async () => {
    await start({});
    const client = await connectRaw(bench.port, { clientId: 'silent', keepalive: 1 });
    expect(await sample('fieldgate_mqtt_connections')).toBe(1);
    expect(await sample('fieldgate_mqtt_sessions')).toBe(1);
    await client.closed();
    await reaches('fieldgate_mqtt_keepalive_timeouts_total');
    await tryConnect({ username: 'city', password: 'wrong' });
    expect(await sample('fieldgate_audit_events_total{event="connect"}')).toBe(1);
    expect(await sample('fieldgate_audit_events_total{event="refuse"}')).toBe(1);
  });
});
