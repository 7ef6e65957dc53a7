/**
 * Runs a simulated city against a gateway, over MQTT as its networks and modems would: first the
 * hours that have passed, as fast as they are acknowledged, then live until the signal is given.
 */
import assert from 'node:assert/strict';
import { type CitySource, type Counters, createCitySources } from './city-traffic.ts';
import { type Account, connectPublisher, type Publisher } from './mqtt-publisher.ts';
import type { Envelope } from './networks/envelope.ts';
import { createRandom, type Random } from './random.ts';
import type { CityDevice, Scenario } from './scenario.ts';
import { sleepUntil } from './signal-sleep.ts';

export interface CityAccounts {
  readonly gatewayBridge: Account;
  readonly chirpstack: Account;
  readonly theThingsStack: Account;
  /** By device id. */
  readonly modems: Readonly<Record<string, Account>>;
}

export interface CityRun {
  /** The gateway's MQTT listener, `mqtt://host:port`. */
  readonly url: string;
  readonly accounts: CityAccounts;
  readonly scenario: Scenario;
  /** How many times as fast as real time the live part runs; 1 unless told. */
  readonly speed?: number;
  /** How much of the past is sent first; 0 for none. */
  readonly backfillHours?: number;
  readonly backfillIntervalMs?: number;
  /** The mean time between two live uplinks of a device, in simulated time. */
  readonly liveIntervalMs?: number;
  /** No live part: the run ends with the backfill. */
  readonly backfillOnly?: boolean;
  /** Epoch milliseconds at which the live part starts; now unless told. */
  readonly startTime?: number;
  readonly counters?: Counters;
  /** Ends the run in order: what is in flight is waited for. */
  readonly signal?: AbortSignal;
  /** Called on every change of phase and about once a second. */
  readonly onProgress?: (progress: CityProgress) => void;
}

export interface CityProgress {
  readonly phase: 'backfill' | 'live' | 'done';
  /** Backfilled uplinks that the whole backfill has. */
  readonly backfillTotal: number;
  /** Messages: a frame that three gateways heard is three. */
  readonly messagesSent: number;
  readonly messagesAcknowledged: number;
  readonly messagesFailed: number;
  readonly uplinksSent: number;
  /** Uplinks of which at least one message is acknowledged: the gateway owes them. */
  readonly uplinksAcknowledged: number;
  /** The next counter of every LoRaWAN device. */
  readonly counters: Counters;
}

const minuteMs = 60_000;
const progressPeriodMs = 1_000;
const closeGraceMs = 10_000;
const liveTickMsMin = 5;

export async function runCity(run: CityRun): Promise<CityProgress> {
  const { speed = 1, startTime = Date.now() } = run;
  assert.ok(speed > 0, 'time does not stand still');
  const sources = createCitySources(run.scenario, run.counters);
  const tally = createTally(sources);
  const publishers = await connectCity(run);
  const stop = (): void => {
    for (const publisher of publishers.all) publisher.stop();
  };
  run.signal?.addEventListener('abort', stop);
  const timer = setInterval(() => run.onProgress?.(tally.progress()), progressPeriodMs);
  try {
    tally.phase = 'backfill';
    await backfill({ run, sources, tally, publishers, startTime });
    run.onProgress?.(tally.progress());
    if (run.backfillOnly !== true) {
      tally.phase = 'live';
      const clock = { startTime, startedAt: Date.now(), speed };
      await live({ run, sources, tally, publishers, clock });
    }
  } finally {
    clearInterval(timer);
    run.signal?.removeEventListener('abort', stop);
    await Promise.all([...publishers.all].map((publisher) => publisher.close(closeGraceMs)));
  }
  tally.phase = 'done';
  const progress = tally.progress();
  run.onProgress?.(progress);
  return progress;
}

interface City {
  readonly all: ReadonlySet<Publisher>;
  of(device: CityDevice): Publisher;
}

async function connectCity({ url, accounts, scenario }: CityRun): Promise<City> {
  const networks = new Map<string, Publisher>();
  const connect = async (name: string, account: Account): Promise<void> => {
    const clientId = `simulated-${name}`;
    networks.set(name, await connectPublisher({ url, account, clientId }));
  };
  const modems = scenario.devices.filter(({ network }) => network === 'modem');
  const outcomes = await Promise.allSettled([
    connect('gateway-bridge', accounts.gatewayBridge),
    connect('chirpstack', accounts.chirpstack),
    connect('the-things-stack', accounts.theThingsStack),
    ...modems.map(({ id }) => {
      const account = accounts.modems[id];
      assert.ok(account !== undefined, `the modem ${id} has an account`);
      return connect(id, account);
    }),
  ]);
  const refused = outcomes.find((outcome) => outcome.status === 'rejected');
  if (refused !== undefined) {
    await Promise.all([...networks.values()].map((publisher) => publisher.close(0)));
    throw refused.reason;
  }
  return {
    all: new Set(networks.values()),
    of(device) {
      const publisher = networks.get(device.network === 'modem' ? device.id : device.network);
      assert.ok(publisher !== undefined, 'every device has its connection');
      return publisher;
    },
  };
}

interface Tally {
  phase: CityProgress['phase'];
  backfillTotal: number;
  /** Counts an uplink and gives the function that counts each of its acknowledgements. */
  uplink(messages: number): (error?: Error) => void;
  progress(): CityProgress;
}

function createTally(sources: readonly CitySource[]): Tally {
  const count = { sent: 0, acknowledged: 0, failed: 0, uplinks: 0, uplinksAcknowledged: 0 };
  const lorawan = sources.filter(({ device }) => device.network !== 'modem');
  const tally: Tally = {
    phase: 'backfill',
    backfillTotal: 0,
    uplink(messages) {
      count.uplinks += 1;
      count.sent += messages;
      let isAcknowledged = false;
      return (error) => {
        if (error !== undefined) {
          count.failed += 1;
          return;
        }
        count.acknowledged += 1;
        if (!isAcknowledged) count.uplinksAcknowledged += 1;
        isAcknowledged = true;
      };
    },
    progress: () => ({
      phase: tally.phase,
      backfillTotal: tally.backfillTotal,
      messagesSent: count.sent,
      messagesAcknowledged: count.acknowledged,
      messagesFailed: count.failed,
      uplinksSent: count.uplinks,
      uplinksAcknowledged: count.uplinksAcknowledged,
      counters: Object.fromEntries(lorawan.map((source) => [source.device.id, source.nextFCnt()])),
    }),
  };
  return tally;
}

interface Part {
  readonly run: CityRun;
  readonly sources: readonly CitySource[];
  readonly tally: Tally;
  readonly publishers: City;
}

/** All devices, one moment after the other, so that each device's frames go in order. */
async function backfill(part: Part & { startTime: number }): Promise<void> {
  const { run, sources, tally, startTime } = part;
  const { backfillHours = 0, backfillIntervalMs = 15 * minuteMs, signal } = run;
  const steps = Math.floor((backfillHours * 60 * minuteMs) / backfillIntervalMs);
  tally.backfillTotal = steps * sources.length;
  const first = startTime - steps * backfillIntervalMs;
  const random = createRandom(`${run.scenario.seed}\nbackfill`);
  for (let step = 0; step < steps; step += 1) {
    for (const source of sources) {
      if (signal?.aborted === true) return;
      const jitter = random.integer(0, Math.floor(backfillIntervalMs / 2));
      await send(part, source, first + step * backfillIntervalMs + jitter);
    }
  }
}

interface Clock {
  readonly startTime: number;
  readonly startedAt: number;
  readonly speed: number;
}

/** Every device at its own jittered pace; the earliest is always the next. */
async function live(part: Part & { clock: Clock }): Promise<void> {
  const { run, sources, clock } = part;
  const { liveIntervalMs = 5_000, signal } = run;
  const random = createRandom(`${run.scenario.seed}\nlive`);
  const due = sources.map((source) => ({
    source,
    time: clock.startTime + random.integer(0, liveIntervalMs),
  }));
  while (signal?.aborted !== true) {
    const now = clock.startTime + (Date.now() - clock.startedAt) * clock.speed;
    for (const entry of due) {
      if (entry.time > now) continue;
      await send(part, entry.source, Math.floor(entry.time));
      entry.time = Math.max(now, entry.time) + nextPause(liveIntervalMs, random);
    }
    const next = Math.min(...due.map(({ time }) => time));
    await sleepUntil(Math.max(liveTickMsMin, (next - now) / clock.speed), signal);
  }
}

/** Within a fifth around the mean. */
function nextPause(meanMs: number, random: Random): number {
  return Math.round(meanMs * random.between(0.8, 1.2));
}

async function send(part: Part, source: CitySource, time: number): Promise<void> {
  const messages: readonly Envelope[] = source.uplinkAt(time);
  const settled = part.tally.uplink(messages.length);
  const publisher = part.publishers.of(source.device);
  for (const { topic, payload } of messages) await publisher.publish(topic, payload, settled);
}
