/**
 * A load at an open-loop rate: when each message is due stands before the first is sent, nothing
 * that the gateway does moves it, and every wait counts from then. A gateway that stands still for
 * half a second so shows it in the latency of all that was due meanwhile, not of one message.
 */
import assert from 'node:assert/strict';
import { createRandom } from '../random.ts';
import { createHistogram, type Histogram, type LatencySummary } from './histogram.ts';
import type { LoadClock } from './load-clock.ts';
import { createLoadConnection, type Door, type LoadConnection } from './load-connection.ts';
import { bodyOf, createLoadSource, type LoadMessage, topicOf } from './load-message.ts';
import { keepaliveSeconds, publishPacket } from './mqtt-packets.ts';

export interface LoadPlan {
  readonly door: Door;
  /** None where the broker lets everybody in. */
  readonly account: { readonly username: string; readonly password: string } | undefined;
  readonly connections: number;
  readonly devices: number;
  /** Messages a second, of all connections together. */
  readonly rate: number;
  readonly forMs: number;
  /** `poisson`: seeded gaps as of many devices that know nothing of each other. */
  readonly arrivals: 'even' | 'poisson';
  /** Over which the connections are opened, before the first message. */
  readonly rampMs: number;
  /** For which the last acknowledgements are waited for. */
  readonly drainMs: number;
  readonly seed: string;
  /** 8 hex digits, new in every run. */
  readonly run: string;
}

export interface LoadParts {
  readonly plan: LoadPlan;
  readonly clock: LoadClock;
  /** Ends the load in order: nothing new is sent, what is under way is waited for. */
  readonly signal: AbortSignal;
  /** Before a message is written for the first time; `due` is when it should have been. */
  readonly onSent?: (message: LoadMessage, due: number) => void;
  readonly onAcknowledged?: (number: number, latencyMs: number) => void;
  readonly onProgress?: (progress: LoadProgress) => void;
}

export interface LoadProgress {
  readonly phase: 'connecting' | 'sending' | 'draining' | 'done';
  readonly connected: number;
  readonly planned: number;
  /** Messages whose time has come. */
  readonly due: number;
  readonly sent: number;
  readonly acknowledged: number;
  readonly resent: number;
  readonly lostConnections: number;
  /** More messages waited than a load holds, so it ended before its time. */
  readonly isOverloaded: boolean;
  /** Since the first message, until now or the last acknowledgement. */
  readonly seconds: number;
  /** From when a message was due to its PUBACK. */
  readonly puback: LatencySummary;
  /** From when it was due to when it was written: what the load itself, or a full wire, adds. */
  readonly lateness: LatencySummary;
}

/** Two million messages are a history of about 400 MB. */
export const messagesMax = 2_000_000;
export const connectionsMax = 50_000;
/** Two messages of a device are at least so far apart, or their times would be the same. */
export const deviceRateMax = 500;
/** Messages that may wait because the gateway, or the wire to it, is slower than the rate. */
const waitingMax = 200_000;
const progressPeriodMs = 1_000;
const pingPeriodMs = (keepaliveSeconds * 1_000) / 3;
const drainPollMs = 20;

interface State {
  readonly due: Float64Array;
  readonly times: Float64Array;
  readonly puback: Histogram;
  readonly lateness: Histogram;
  readonly count: {
    due: number;
    sent: number;
    acknowledged: number;
    resent: number;
    lost: number;
  };
  phase: LoadProgress['phase'];
  isOverloaded: boolean;
  startedAt: number;
  endedAt: number | undefined;
}

/** Rejects, with the broker's reason, when a connection is not let in at the start. */
export async function runLoad(parts: LoadParts): Promise<LoadProgress> {
  const { plan, clock, onProgress } = parts;
  const planned = messagesOf(plan);
  const state = createState(planned, clock.now());
  const connections = createConnections(parts, state);
  const progress = () => progressOf(state, { planned, connections, now: clock.now() });
  const telling = setInterval(() => onProgress?.(progress()), progressPeriodMs);
  const pinging = setInterval(() => {
    for (const connection of connections) connection.ping();
  }, pingPeriodMs);
  try {
    await openAll(connections, parts);
    state.phase = 'sending';
    state.startedAt = clock.now();
    await sendAll(connections, parts, state);
    state.phase = 'draining';
    await drain(parts, state);
  } finally {
    clearInterval(telling);
    clearInterval(pinging);
    for (const connection of connections) connection.close();
  }
  state.phase = 'done';
  const end = progress();
  onProgress?.(end);
  return end;
}

export function messagesOf({ rate, forMs }: Pick<LoadPlan, 'rate' | 'forMs'>): number {
  return Math.max(1, Math.round((rate * forMs) / 1_000));
}

function createState(planned: number, now: number): State {
  assert.ok(planned <= messagesMax, 'the messages of a run are bounded');
  return {
    ...{ due: new Float64Array(planned), times: new Float64Array(planned) },
    ...{ puback: createHistogram(), lateness: createHistogram() },
    count: { due: 0, sent: 0, acknowledged: 0, resent: 0, lost: 0 },
    ...{ phase: 'connecting', isOverloaded: false, startedAt: now, endedAt: undefined },
  };
}

function createConnections(parts: LoadParts, state: State): LoadConnection[] {
  const { plan, clock, onSent, onAcknowledged } = parts;
  const source = createLoadSource(plan.seed, plan.devices);
  const messageOf = (number: number) => source.message(number, state.times[number] ?? 0);
  const isSent = new Uint8Array(state.due.length);
  return Array.from({ length: plan.connections }, (_, index) =>
    createLoadConnection({
      door: plan.door,
      login: { ...plan.account, clientId: `load-${plan.run}-${index}` },
      packetOf(number, packetId) {
        const message = messageOf(number);
        return publishPacket(topicOf(message), bodyOf(message, plan.run), packetId);
      },
      onWritten(number) {
        if (isSent[number] === 1) return;
        isSent[number] = 1;
        state.count.sent += 1;
        const due = state.due[number] ?? 0;
        state.lateness.record(clock.now() - due);
        onSent?.(messageOf(number), due);
      },
      onAcknowledged(number) {
        state.endedAt = clock.now();
        const latencyMs = state.endedAt - (state.due[number] ?? 0);
        state.count.acknowledged += 1;
        state.puback.record(latencyMs);
        onAcknowledged?.(number, latencyMs);
      },
      onLost(unacknowledged) {
        state.count.lost += 1;
        state.count.resent += unacknowledged;
      },
    }),
  );
}

/** Evenly over the ramp, so that the handshakes are a slope and not a wall. */
async function openAll(
  connections: readonly LoadConnection[],
  { plan, clock, signal }: LoadParts,
): Promise<void> {
  const start = clock.now();
  const opening: Promise<void>[] = [];
  let refusal: Error | undefined;
  for (const [index, connection] of connections.entries()) {
    const due = start + (plan.rampMs * index) / connections.length;
    const wait = due - clock.now();
    if (wait > 0) await clock.sleep(wait, signal);
    if (signal.aborted || refusal !== undefined) break;
    const opened = connection.open().catch((error: unknown) => {
      refusal ??= error instanceof Error ? error : new Error(String(error));
    });
    opening.push(opened);
  }
  await Promise.all(opening);
  if (refusal === undefined) return;
  const { host, port } = plan.door;
  throw new Error(`the broker at ${host}:${port} does not let the load in: ${refusal.message}`);
}

async function sendAll(
  connections: readonly LoadConnection[],
  { plan, clock, signal }: LoadParts,
  state: State,
): Promise<void> {
  const planned = state.due.length;
  const gap = createGaps(plan);
  const lastTimes = new Float64Array(plan.devices);
  let due = state.startedAt;
  while (state.count.due < planned && !signal.aborted) {
    const now = clock.now();
    const touched = new Set<LoadConnection>();
    while (due <= now && state.count.due < planned) {
      const number = state.count.due;
      const device = number % plan.devices;
      const time = Math.max(Math.floor(due), (lastTimes[device] ?? 0) + 1);
      lastTimes[device] = time;
      state.due[number] = due;
      state.times[number] = time;
      state.count.due += 1;
      // A device keeps to its connection, or its messages would overtake each other.
      const connection = connections[device % connections.length];
      assert.ok(connection !== undefined, 'there is a connection');
      connection.add(number);
      touched.add(connection);
      due += gap();
    }
    for (const connection of touched) connection.flush();
    if (state.count.due - state.count.acknowledged > waitingMax) {
      state.isOverloaded = true;
      return;
    }
    if (state.count.due < planned) await clock.sleep(Math.max(1, due - clock.now()), signal);
  }
}

function createGaps({ rate, arrivals, seed }: LoadPlan): () => number {
  const mean = 1_000 / rate;
  if (arrivals === 'even') return () => mean;
  const random = createRandom(`${seed}\narrivals`);
  return () => -mean * Math.log(1 - random.next());
}

/** Also after the signal: it has ended the sending, and what is under way is waited for. */
async function drain({ plan, clock }: LoadParts, state: State): Promise<void> {
  const deadline = clock.now() + plan.drainMs;
  const { signal } = new AbortController();
  while (state.count.acknowledged < state.count.due && clock.now() < deadline) {
    await clock.sleep(drainPollMs, signal);
  }
}

function progressOf(
  { phase, count, isOverloaded, startedAt, endedAt, puback, lateness }: State,
  parts: { planned: number; connections: readonly LoadConnection[]; now: number },
): LoadProgress {
  const { planned, connections, now } = parts;
  const until = phase === 'done' ? (endedAt ?? now) : now;
  return {
    ...{ phase, planned, connected: connections.filter((one) => one.isOpen()).length },
    ...{ due: count.due, sent: count.sent, acknowledged: count.acknowledged },
    ...{ resent: count.resent, lostConnections: count.lost, isOverloaded },
    seconds: phase === 'connecting' ? 0 : Math.max(0, until - startedAt) / 1_000,
    ...{ puback: puback.summary(), lateness: lateness.summary() },
  };
}
