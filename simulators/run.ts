/**
 * Runs a simulation over the wire: a city's past, as fast as it is acknowledged, and then its
 * present; or a bad day. All of it is messages that a player sends, as it sends a capture.
 */
import assert from 'node:assert/strict';
import type { CapturedMessage } from './capture/message.ts';
import { createPlayer, type Player } from './capture/player.ts';
import type { ReplayAccounts } from './capture/wire.ts';
import type { Wires } from './capture/wires.ts';
import { liveMessages, pastMessages, pastSteps } from './city-messages.ts';
import { type CitySource, type Counters, createCitySources } from './city-traffic.ts';
import type { Account } from './mqtt-publisher.ts';
import { NotSent } from './not-sent.ts';
import type { Scenario } from './scenario.ts';
import { sleepUntil } from './signal-sleep.ts';

export interface CityAccounts {
  readonly gatewayBridge: Account;
  readonly chirpstack: Account;
  readonly theThingsStack: Account;
  /** By device id. */
  readonly modems: Readonly<Record<string, Account>>;
  /** By sender: what a city of every network has beside these, webhooks among them. */
  readonly others?: Readonly<Record<string, Account>>;
}

/** By the sender's name in a message, as a file of accounts has them. */
export function accountsBySender(accounts: CityAccounts): Readonly<Record<string, Account>> {
  const { gatewayBridge, chirpstack, theThingsStack, modems, others } = accounts;
  const networks = { 'gateway-bridge': gatewayBridge, chirpstack };
  return { ...networks, 'the-things-stack': theThingsStack, ...others, ...modems };
}

export function replayAccounts(accounts: CityAccounts): ReplayAccounts {
  const named = new Map(Object.entries(accountsBySender(accounts)));
  return { of: (sender) => named.get(sender ?? '') };
}

interface Run {
  /** Closed at the end, however it ends. */
  readonly wires: Wires;
  /** How many times as fast as real time; 1 unless told, Infinity for as fast as it is taken. */
  readonly speed?: number;
  /** Ends the run in order: what is in flight is waited for. */
  readonly signal?: AbortSignal;
  /** Called on every change of phase and about once a second. */
  readonly onProgress?: (progress: CityProgress) => void;
  /** Gives the player of the part that begins, for whoever wants to pause it. */
  readonly onPlayer?: (player: Player) => void;
}

export interface CityRun extends Run {
  readonly scenario: Scenario;
  /** How much of the past is sent first; 0 for none. */
  readonly backfillHours?: number;
  readonly backfillIntervalMs?: number;
  /** The mean time between two live uplinks of a device, in simulated time. */
  readonly liveIntervalMs?: number;
  /** How long the live part goes on, in simulated time: 0 for none, for ever unless told. */
  readonly liveMs?: number;
  /** Epoch milliseconds at which the live part starts; now unless told. */
  readonly startTime?: number;
  readonly counters?: Counters;
}

export interface DayRun extends Run {
  /** In the order of their times, as `createTimeline` gives them. */
  readonly messages: readonly CapturedMessage[];
}

export interface CityProgress {
  readonly phase: 'backfill' | 'live' | 'done';
  /** Simulated time, epoch milliseconds; undefined before the first message. */
  readonly at: number | undefined;
  /** Uplinks that the whole backfill has. */
  readonly backfillTotal: number;
  /** Messages: a frame that three gateways heard is three. */
  readonly messagesSent: number;
  readonly messagesAcknowledged: number;
  readonly messagesFailed: number;
  readonly uplinksSent: number;
  /** Uplinks of which at least one message is acknowledged: the gateway owes them. */
  readonly uplinksAcknowledged: number;
  /** The same by sender, where one is a network and all modems together are one. */
  readonly networks: Readonly<Record<string, NetworkProgress>>;
  /** The next counter of every LoRaWAN device. */
  readonly counters: Counters;
}

export interface NetworkProgress {
  readonly sent: number;
  readonly acknowledged: number;
  readonly failed: number;
}

const minuteMs = 60_000;
const progressPeriodMs = 1_000;
const closeGraceMs = 10_000;

export function runCity(run: CityRun): Promise<CityProgress> {
  const { scenario, speed = 1, startTime = Date.now(), backfillHours = 0 } = run;
  const { backfillIntervalMs = 15 * minuteMs, liveIntervalMs = 5_000 } = run;
  const { liveMs = Number.POSITIVE_INFINITY } = run;
  const { seed } = scenario;
  const sources = createCitySources(scenario, run.counters);
  const past = { seed, hours: backfillHours, intervalMs: backfillIntervalMs, until: startTime };
  const live = { seed, from: startTime, forMs: liveMs, intervalMs: liveIntervalMs };
  return play(run, {
    sources,
    backfillTotal: pastSteps(past) * sources.length,
    parts: [
      {
        ...{ phase: 'backfill', speed: Number.POSITIVE_INFINITY },
        messages: pastMessages(sources, past),
        span: { first: startTime - backfillHours * 60 * minuteMs, last: startTime },
      },
      {
        ...{ phase: 'live', speed, messages: liveMessages(sources, live) },
        span: { first: startTime, last: startTime + Math.min(liveMs, Number.MAX_SAFE_INTEGER) },
      },
    ],
  });
}

/** The messages of a bad day; each of them is an uplink of its own, but for copies of a frame. */
export function runDay(run: DayRun): Promise<CityProgress> {
  const { messages, speed = 1 } = run;
  const span = { first: messages[0]?.at ?? 0, last: messages.at(-1)?.at ?? 0 };
  const parts = [{ phase: 'live', speed, messages, span } as const];
  return play(run, { sources: [], backfillTotal: 0, parts });
}

interface Part {
  readonly phase: 'backfill' | 'live';
  readonly speed: number;
  readonly messages: Iterable<CapturedMessage>;
  readonly span: { readonly first: number; readonly last: number };
}

interface Plan {
  readonly sources: readonly CitySource[];
  readonly backfillTotal: number;
  readonly parts: readonly Part[];
}

async function play(run: Run, { sources, backfillTotal, parts }: Plan): Promise<CityProgress> {
  const { wires, onProgress, onPlayer, signal = new AbortController().signal } = run;
  const tally = createTally(sources, backfillTotal);
  signal.addEventListener('abort', wires.stop);
  const timer = setInterval(() => onProgress?.(tally.progress()), progressPeriodMs);
  try {
    for (const { phase, speed, messages, span } of parts) {
      assert.ok(speed > 0, 'time does not stand still');
      tally.enter(phase);
      const player = createPlayer(
        {
          ...{ open: async () => taken(messages), span },
          clock: { now: Date.now, sleep: sleepUntil },
          send: (message) => wires.send(message, tally.count(message)),
        },
        { speed, shift: 0, rounds: 1, signal },
      );
      onPlayer?.(player);
      await player.play();
      onProgress?.(tally.progress());
    }
  } finally {
    clearInterval(timer);
    signal.removeEventListener('abort', wires.stop);
    await wires.close(closeGraceMs);
  }
  tally.enter('done');
  const progress = tally.progress();
  onProgress?.(progress);
  return progress;
}

async function* taken(messages: Iterable<CapturedMessage>): AsyncGenerator<CapturedMessage, void> {
  yield* messages;
}

interface Tally {
  enter(phase: CityProgress['phase']): void;
  /** Counts a message and gives the function that counts how it ended. */
  count(message: CapturedMessage): (error?: Error) => void;
  progress(): CityProgress;
}

interface Uplink {
  readonly device: string | undefined;
  readonly at: number;
  /** Copies of it that were sent. */
  copies: number;
  isAcknowledged: boolean;
}

function createTally(sources: readonly CitySource[], backfillTotal: number): Tally {
  const networks = new Map<string, { sent: number; acknowledged: number; failed: number }>();
  const count = { sent: 0, acknowledged: 0, failed: 0, uplinks: 0, uplinksAcknowledged: 0 };
  const lorawan = sources.filter(({ device }) => device.network !== 'modem');
  let phase: CityProgress['phase'] = 'backfill';
  let last: Uplink | undefined;
  return {
    enter(next) {
      phase = next;
    },
    count({ device, at, sender }) {
      // Copies of a frame come one after the other, with one time.
      if (last === undefined || device === undefined || last.device !== device || last.at !== at) {
        last = { device, at, copies: 0, isAcknowledged: false };
      }
      const [uplink, network] = [last, networkOf(networks, sender, device)];
      if (uplink.copies === 0) count.uplinks += 1;
      uplink.copies += 1;
      count.sent += 1;
      network.sent += 1;
      return (error) => {
        if (error instanceof NotSent) {
          uplink.copies -= 1;
          count.sent -= 1;
          network.sent -= 1;
          if (uplink.copies === 0) count.uplinks -= 1;
          return;
        }
        const kind = error === undefined ? 'acknowledged' : 'failed';
        count[kind] += 1;
        network[kind] += 1;
        if (error !== undefined || uplink.isAcknowledged) return;
        uplink.isAcknowledged = true;
        count.uplinksAcknowledged += 1;
      };
    },
    progress: () => ({
      ...{ phase, at: last?.at, backfillTotal, messagesSent: count.sent },
      ...{ messagesAcknowledged: count.acknowledged, messagesFailed: count.failed },
      ...{ uplinksSent: count.uplinks, uplinksAcknowledged: count.uplinksAcknowledged },
      networks: Object.fromEntries([...networks].map(([name, own]) => [name, { ...own }])),
      counters: Object.fromEntries(lorawan.map((source) => [source.device.id, source.nextFCnt()])),
    }),
  };
}

function networkOf(
  networks: Map<string, { sent: number; acknowledged: number; failed: number }>,
  sender = 'unknown',
  device: string | undefined,
) {
  const name = sender === device ? 'modems' : sender;
  const known = networks.get(name) ?? { sent: 0, acknowledged: 0, failed: 0 };
  networks.set(name, known);
  return known;
}
