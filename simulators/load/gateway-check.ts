/**
 * Asks a gateway, by its HTTP API, what it holds of a load, and holds it against the history: each
 * entry of the ledger and each reading of the store.
 */
import { fetchStored } from '../gateway-metrics.ts';
import type { History, SentMessage } from './history-file.ts';
import type { LoadClock } from './load-clock.ts';
import { type Comparison, createComparison, isSound } from './oracle.ts';

export interface GatewayDoor {
  /** `http://host:port`, without a slash at its end. */
  readonly url: string;
  /** A viewer's is enough. */
  readonly token: string;
}

export interface Verdict {
  readonly messages: number;
  readonly acknowledged: number;
  readonly ledger: Comparison;
  readonly store: Comparison;
  /** Entries of the load's devices, by outcome; only accepted ones are telemetry. */
  readonly outcomes: Readonly<Record<string, number>>;
  /** The store had read the ledger to its end before it was asked. */
  readonly isCaughtUp: boolean;
  readonly isSound: boolean;
}

export interface CheckParts {
  readonly door: GatewayDoor;
  readonly history: History;
  readonly clock: LoadClock;
  /** For which the store may still read the ledger. */
  readonly settleMs: number;
}

const uplinksPage = 1_000;
const readingsPage = 10_000;
const devicesAtOnce = 4;
const requestTimeoutMs = 60_000;
const settlePollMs = 250;

/** Rejects with a sentence for the operator when the gateway does not answer. */
export async function checkGateway({
  door,
  history,
  clock,
  settleMs,
}: CheckParts): Promise<Verdict> {
  const { messages } = history;
  const isCaughtUp = await settled(door, clock, settleMs);
  const { ledger, outcomes } = await compareLedger(door, history);
  const store = await compareStore(door, messages);
  return {
    ...{ messages: messages.length, ledger, store, outcomes, isCaughtUp },
    acknowledged: messages.filter((one) => one.isAcknowledged).length,
    isSound: isSound(ledger) && isSound(store),
  };
}

/** The number of the newest entry of the ledger; 0 while it has none. */
export async function ledgerHead(door: GatewayDoor): Promise<number> {
  const [newest] = (await answerOf(door, '/uplinks?limit=1')).items;
  return typeof newest?.['seq'] === 'number' ? newest['seq'] : 0;
}

/** False when the store has not read the ledger to its end in that time. */
export async function settled(
  door: GatewayDoor,
  clock: LoadClock,
  settleMs: number,
): Promise<boolean> {
  const { signal } = new AbortController();
  const deadline = clock.now() + settleMs;
  for (;;) {
    // A gateway that starts again does not answer at once.
    const stored = await fetchStored(door.url, door.token).catch(() => undefined);
    if (stored?.isCaughtUp === true) return true;
    if (clock.now() > deadline) return false;
    await clock.sleep(settlePollMs, signal);
  }
}

async function compareLedger(door: GatewayDoor, { header, messages }: History) {
  const comparison = createComparison(messages, ({ device, fCnt, time, values }) => [
    { key: `${device} ${fCnt}`, content: `${new Date(time).toISOString()} ${textOf(values)}` },
  ]);
  const devices = new Set(messages.map(({ device }) => device));
  const outcomes = new Map<string, number>();
  let place = `after=${header.ledgerAfter}`;
  for (;;) {
    const page = await answerOf(door, `/uplinks?${place}&limit=${uplinksPage}`);
    for (const { seq, device, outcome, fCnt, rxTime, object } of page.items) {
      if (typeof device !== 'string' || !devices.has(device)) continue;
      outcomes.set(String(outcome), (outcomes.get(String(outcome)) ?? 0) + 1);
      if (outcome !== 'accepted') continue;
      const content = `${rxTime} ${textOf(object)}`;
      comparison.found({ key: `${device} ${fCnt}`, content, place: `ledger entry ${seq}` });
    }
    if (page.nextCursor === undefined) break;
    place = `cursor=${page.nextCursor}`;
  }
  return { ledger: comparison.result(), outcomes: Object.fromEntries(outcomes) };
}

/** The same text of the same values, in whatever order they come. */
function textOf(values: unknown): string {
  if (typeof values !== 'object' || values === null) return 'without values';
  return JSON.stringify(Object.entries(values).sort(([left], [right]) => (left < right ? -1 : 1)));
}

async function compareStore(
  door: GatewayDoor,
  messages: readonly SentMessage[],
): Promise<Comparison> {
  const comparison = createComparison(messages, ({ device, time, values }) =>
    Object.entries(values).map(([quantity, value]) => ({
      key: `${device} ${quantity} ${new Date(time).toISOString()}`,
      content: String(value),
    })),
  );
  const spans = spansOf(messages);
  const quantities = new Set(messages.flatMap(({ values }) => Object.keys(values)));
  const ask = async (): Promise<void> => {
    for (let next = spans.shift(); next !== undefined; next = spans.shift()) {
      const [device, { from, to }] = next;
      const range = `from=${new Date(from).toISOString()}&to=${new Date(to + 1).toISOString()}`;
      const path = `/readings?device=${device}&${range}&limit=${readingsPage}`;
      for (let page = await answerOf(door, path); ; ) {
        for (const { quantity, time, value, seq } of page.items) {
          if (typeof quantity !== 'string' || !quantities.has(quantity)) continue;
          const key = `${device} ${quantity} ${time}`;
          comparison.found({ key, content: String(value), place: `reading of entry ${seq}` });
        }
        if (page.nextCursor === undefined) break;
        page = await answerOf(door, `${path}&cursor=${page.nextCursor}`);
      }
    }
  };
  await Promise.all(Array.from({ length: devicesAtOnce }, ask));
  return comparison.result();
}

function spansOf(messages: readonly SentMessage[]) {
  const spans = new Map<string, { from: number; to: number }>();
  for (const { device, time } of messages) {
    const span = spans.get(device);
    if (span === undefined) spans.set(device, { from: time, to: time });
    else {
      span.from = Math.min(span.from, time);
      span.to = Math.max(span.to, time);
    }
  }
  return [...spans];
}

/** A page of a list of the HTTP API. */
interface Page {
  readonly items: readonly Readonly<Record<string, unknown>>[];
  readonly nextCursor?: string;
}

/** Rejects when the answer is not 200. */
export async function answerOf({ url, token }: GatewayDoor, path: string): Promise<Page> {
  const response = await fetch(`${url}/api/v1${path}`, {
    headers: { authorization: `Bearer ${token}` },
    signal: AbortSignal.timeout(requestTimeoutMs),
  });
  if (!response.ok) throw new Error(`GET ${path} answers ${response.status}`);
  const body: unknown = await response.json();
  const { items, nextCursor } = fieldsOf(body);
  return {
    items: Array.isArray(items) ? items.map(fieldsOf) : [],
    ...(typeof nextCursor === 'string' ? { nextCursor } : {}),
  };
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
    ? Object.fromEntries(Object.entries(value))
    : {};
}
