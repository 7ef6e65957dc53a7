/** The city against a real MQTT broker on a real socket. */
import { createServer, type Server } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Aedes } from 'aedes';
import { openWires } from '../../simulators/capture/wires.ts';
import { NotSent } from '../../simulators/not-sent.ts';
import {
  type CityAccounts,
  type CityProgress,
  replayAccounts,
  runCity,
} from '../../simulators/run.ts';
import { createScenario } from '../../simulators/scenario.ts';

const scenario = createScenario({ seed: 'run', devices: 20 });
const account = (username: string) => ({ username, password: `${username}-secret` });
const accounts: CityAccounts = {
  gatewayBridge: account('gateway-bridge'),
  chirpstack: account('chirpstack'),
  theThingsStack: account('the-things-stack'),
  modems: Object.fromEntries(
    scenario.devices
      .filter(({ network }) => network === 'modem')
      .map(({ id }) => [id, account(id)]),
  ),
};

interface Broker {
  readonly url: string;
  readonly messages: { topic: string; payload: string; username: string }[];
  close(): Promise<void>;
}

const brokers: Broker[] = [];
afterEach(async () => {
  for (const broker of brokers.splice(0)) await broker.close();
});

/** Takes `username` with `username-secret` and keeps what is published. */
async function startBroker(): Promise<Broker> {
  const usernames = new Map<unknown, string>();
  const messages: Broker['messages'] = [];
  const aedes = await Aedes.createBroker({
    authenticate: (client, username, password, done) => {
      usernames.set(client, username ?? '');
      done(null, password?.toString() === `${username}-secret`);
    },
    authorizePublish: (client, packet, done) => {
      const username = usernames.get(client) ?? '';
      messages.push({ topic: packet.topic, payload: packet.payload.toString(), username });
      done(null);
    },
  });
  const server: Server = createServer(aedes.handle);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const broker: Broker = {
    url: `mqtt://127.0.0.1:${port}`,
    messages,
    close: async () => {
      await new Promise<void>((resolve) => aedes.close(() => resolve()));
      await new Promise((resolve) => server.close(resolve));
    },
  };
  brokers.push(broker);
  return broker;
}

const startTime = Date.UTC(2026, 5, 15, 6);

function wiresTo(url: string, own: CityAccounts = accounts) {
  return openWires({ targets: [url], accounts: replayAccounts(own), clientId: 'simulated' });
}

describe('City run', () => {
  it('backfills the hours before it starts and counts every acknowledgement', async () => {
    const broker = await startBroker();
    const seen: CityProgress[] = [];
    const progress = await runCity({
      wires: await wiresTo(broker.url),
      scenario,
      startTime,
      backfillHours: 3,
      liveMs: 0,
      onProgress: (now) => seen.push(now),
    });
    expect(progress.backfillTotal).toBe(20 * 12);
    expect(progress.uplinksSent).toBe(20 * 12);
    expect(progress.uplinksAcknowledged).toBe(20 * 12);
    expect(progress.messagesAcknowledged).toBe(progress.messagesSent);
    expect(progress.messagesFailed).toBe(0);
    expect(broker.messages).toHaveLength(progress.messagesSent);
    expect(seen.at(-1)?.phase).toBe('done');
    const times = broker.messages
      .filter(({ topic }) => topic.startsWith('up/'))
      .map(({ payload }) => JSON.parse(payload))
      .map((body) => (Array.isArray(body) ? body[0].bt * 1000 : body.ts));
    expect(Math.max(...times)).toBeLessThan(startTime);
    expect(Math.min(...times)).toBeGreaterThanOrEqual(startTime - 3 * 3_600_000);
  });

  it('publishes the same bytes in the same order of each device for the same seed', async () => {
    const runs = [await startBroker(), await startBroker()];
    for (const { url } of runs) {
      const run = { scenario, startTime, backfillHours: 1, liveMs: 0 };
      await runCity({ ...run, wires: await wiresTo(url) });
    }
    const [first, second] = runs.map(({ messages }) =>
      [...messages].sort((left, right) => (left.topic < right.topic ? -1 : 1)),
    );
    expect(first).toEqual(second);
  });

  it('speaks for every device with the account of its own network or modem', async () => {
    const broker = await startBroker();
    const run = { scenario, startTime, backfillHours: 1, liveMs: 0 };
    await runCity({ ...run, wires: await wiresTo(broker.url) });
    const accountOf = new Map([
      ['eu868', 'gateway-bridge'],
      ['application', 'chirpstack'],
      ['v3', 'the-things-stack'],
    ]);
    for (const { topic, username } of broker.messages) {
      const [root = '', id = ''] = topic.split('/');
      expect(username).toBe(root === 'up' ? id : accountOf.get(root));
    }
  });

  it('counts as sent only what was on its way when it ended', async () => {
    const end = new AbortController();
    let sent = 0;
    const progress = await runCity({
      wires: {
        tally: { sent: 0, acknowledged: 0, failed: 0, unaddressed: 0, reasons: [] },
        async send(_message, settled) {
          sent += 1;
          if (sent === 40) end.abort();
          settled?.(sent < 40 ? undefined : new NotSent());
        },
        stop: () => undefined,
        close: async () => undefined,
      },
      ...{ scenario, startTime, speed: 1_000, signal: end.signal },
    });
    const { messagesSent, messagesAcknowledged, messagesFailed } = progress;
    expect([messagesSent, messagesAcknowledged, messagesFailed]).toEqual([39, 39, 0]);
    expect(progress.uplinksSent).toBe(progress.uplinksAcknowledged);
  });

  it('goes on live, faster when told, until the signal', async () => {
    const broker = await startBroker();
    const end = new AbortController();
    const progress = await runCity({
      wires: await wiresTo(broker.url),
      scenario,
      startTime,
      speed: 100,
      counters: { [scenario.devices[0]?.id ?? '']: 500 },
      signal: end.signal,
      onProgress: ({ uplinksAcknowledged }) => {
        if (uplinksAcknowledged > 40) end.abort();
      },
    });
    expect(progress.uplinksAcknowledged).toBeGreaterThan(40);
    expect(progress.uplinksAcknowledged).toBe(progress.uplinksSent);
    expect(progress.counters[scenario.devices[0]?.id ?? '']).toBeGreaterThan(500);
  });

  it('fails when the broker refuses an account', async () => {
    const broker = await startBroker();
    const chirpstack = { username: 'chirpstack', password: 'wrong' };
    const wires = await wiresTo(broker.url, { ...accounts, chirpstack });
    const refused = runCity({ wires, scenario });
    await expect(refused).rejects.toThrow(/Not authorized/);
  });
});
