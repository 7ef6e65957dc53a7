/**
 * What became of a fleet's uplinks in a gateway, by its HTTP API: each that a door took over must
 * be in the ledger once, proven and as it was sent, and its values must be in the store.
 */
import { fetchSamples, type Sample } from '../gateway-metrics.ts';
import { answerOf, type GatewayDoor, ledgerHead, settled } from '../load/gateway-check.ts';
import type { LoadClock } from '../load/load-clock.ts';
import type { FleetReading } from '../lorawan/fleet-event.ts';
import type { Fleet } from '../lorawan/fleet-plan.ts';
import type { SentUplink } from './fleet-run.ts';

export interface FleetVerdict {
  /** Uplinks with a reading that a door took over; a repetition is none of its own. */
  readonly owed: number;
  /** Of these, in the ledger. */
  readonly found: number;
  readonly missing: number;
  readonly duplicated: number;
  /** In the ledger, of the fleet's devices, and never sent. */
  readonly unknown: number;
  /** In the ledger, and the store has no such values of it. */
  readonly notStored: number;
  /** Joins that the gateway has followed. */
  readonly joins: number;
  /** What it has refused, by the fault's code. */
  readonly faults: Readonly<Record<string, number>>;
  /** The store had read the ledger to its end before it was asked. */
  readonly isCaughtUp: boolean;
  readonly isSound: boolean;
}

interface Sent {
  readonly devEui: string;
  readonly reading: FleetReading;
  isOwed: boolean;
  /** Entries of the ledger. */
  readonly seqs: number[];
}

export interface FleetHistory {
  note(sent: SentUplink): void;
  /** No more are kept. */
  isFull(): boolean;
  /** Rejects when the gateway does not answer. */
  check(parts: { readonly clock: LoadClock; readonly settleMs: number }): Promise<FleetVerdict>;
}

/** Uplinks that a check remembers. */
const uplinksCheckedMax = 1_000_000;
const uplinksPage = 1_000;
const readingsPage = 10_000;
const marginMs = 3_600_000;

/** From what the ledger has now; to be opened before the first uplink. */
export async function openFleetHistory(fleet: Fleet, door: GatewayDoor): Promise<FleetHistory> {
  const after = await ledgerHead(door);
  const devices = new Set(fleet.devices.map(({ identity }) => identity.devEui));
  const byName = new Map<string, Sent>();
  /** By the bytes on the air: in LoRaWAN 1.1 each repetition has its own. */
  const byFrame = new Map<string, Sent>();
  let [first, last] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  return {
    note({ uplink, taken }) {
      const { devEui, reading, phyPayload, time } = uplink;
      if (reading === undefined) return;
      const name = `${devEui} ${reading.session} ${reading.fCnt}`;
      const sent = byName.get(name) ?? { devEui, reading, isOwed: false, seqs: [] };
      if (taken.some(({ how }) => how !== 'refused')) sent.isOwed = true;
      byName.set(name, sent);
      byFrame.set(phyPayload.toString('hex'), sent);
      [first, last] = [Math.min(first, time), Math.max(last, time)];
    },
    isFull: () => byFrame.size >= uplinksCheckedMax,
    async check({ clock, settleMs }) {
      const isCaughtUp = await settled(door, clock, settleMs);
      const ledger = await readLedger(door, { after, devices, byFrame });
      const all = [...byName.values()];
      const span = { from: first - marginMs, to: last + marginMs };
      const notStored = all.length === 0 ? 0 : await countNotStored(door, all, span);
      const owed = all.filter(({ isOwed }) => isOwed);
      const found = owed.filter(({ seqs }) => seqs.length > 0).length;
      const duplicated = all.filter(({ seqs }) => seqs.length > 1).length;
      const counts = { owed: owed.length, found, missing: owed.length - found, duplicated };
      const isSound = counts.missing + duplicated + ledger.unknown + notStored === 0 && isCaughtUp;
      return { ...counts, ...ledger, notStored, isCaughtUp, isSound };
    },
  };
}

interface LedgerParts {
  readonly after: number;
  readonly devices: ReadonlySet<string>;
  readonly byFrame: ReadonlyMap<string, Sent>;
}

async function readLedger(door: GatewayDoor, { after, devices, byFrame }: LedgerParts) {
  const faults: Record<string, number> = {};
  let [unknown, joins] = [0, 0];
  for (let place = `after=${after}`; ; ) {
    const page = await answerOf(door, `/uplinks?${place}&limit=${uplinksPage}`);
    for (const { seq, device, outcome, event, fCnt, phyPayload, fault } of page.items) {
      if (typeof device !== 'string' || !devices.has(device)) continue;
      if (outcome === 'event' && event === 'join-accept') joins += 1;
      if (typeof fault === 'object' && fault !== null && 'code' in fault) {
        const code = String(fault.code);
        faults[code] = (faults[code] ?? 0) + 1;
      }
      if (outcome !== 'accepted' || fCnt === undefined) continue;
      const sent = byFrame.get(String(phyPayload));
      if (sent === undefined) unknown += 1;
      else sent.seqs.push(Number(seq));
    }
    if (page.nextCursor === undefined) return { unknown, joins, faults };
    place = `cursor=${page.nextCursor}`;
  }
}

/** Of what is in the ledger: both values of an uplink must be there as they were measured. */
async function countNotStored(
  door: GatewayDoor,
  all: readonly Sent[],
  { from, to }: { readonly from: number; readonly to: number },
): Promise<number> {
  const range = `from=${new Date(from).toISOString()}&to=${new Date(to).toISOString()}`;
  let missing = 0;
  for (const [devEui, own] of byDevice(all)) {
    const stored = new Set<string>();
    const path = `/readings?device=${devEui}&${range}&limit=${readingsPage}`;
    for (let place = path; ; ) {
      const page = await answerOf(door, place);
      for (const { quantity, seq, value } of page.items) {
        if (String(quantity).includes('temperature')) stored.add(`${seq} temperature ${value}`);
        if (String(quantity).includes('humidity')) stored.add(`${seq} humidity ${value}`);
      }
      if (page.nextCursor === undefined) break;
      place = `${path}&cursor=${page.nextCursor}`;
    }
    for (const { seqs, reading } of own) {
      const [seq] = seqs;
      if (seq === undefined) continue;
      const { temperature, humidity } = reading;
      const wanted = [`${seq} temperature ${temperature}`, `${seq} humidity ${humidity}`];
      if (!wanted.every((one) => stored.has(one))) missing += 1;
    }
  }
  return missing;
}

function byDevice(all: readonly Sent[]): ReadonlyMap<string, Sent[]> {
  const groups = new Map<string, Sent[]>();
  for (const sent of all) {
    const group = groups.get(sent.devEui);
    if (group === undefined) groups.set(sent.devEui, [sent]);
    else group.push(sent);
  }
  return groups;
}

const writtenPollMs = 50;
/** What is not written by then never came in: its connection was lost, or the gateway began anew. */
const writtenMsMax = 60_000;

/**
 * For the run's `written`: asks the gateway how many messages of stations it has, from what it has
 * now. One asks for all who wait. Resolves at the signal, too, and at once for the rest of the run
 * when one has waited too long.
 */
export async function watchStations(
  { url, token }: GatewayDoor,
  { clock, signal }: { readonly clock: LoadClock; readonly signal: AbortSignal },
): Promise<(count: () => number) => Promise<void>> {
  const ask = async () => stationMessages(await fetchSamples(url, token));
  const before = await ask();
  let asking: Promise<number> | undefined;
  let hasGivenUp = false;
  return async (count) => {
    const deadline = clock.now() + writtenMsMax;
    while (!hasGivenUp) {
      asking ??= ask()
        .catch(() => before)
        .finally(() => {
          asking = undefined;
        });
      if ((await asking) - before >= count() || signal.aborted) return;
      hasGivenUp = clock.now() > deadline;
      await clock.sleep(writtenPollMs, signal);
    }
  };
}

function stationMessages(samples: readonly Sample[]): number {
  return samples
    .filter(
      ({ name, labels }) =>
        name === 'fieldgate_uplinks_total' && labels['source'] === 'basic-station',
    )
    .reduce((sum, { value }) => sum + value, 0);
}
