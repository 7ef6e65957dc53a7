/**
 * Sends what a fleet's gateways hear through their doors: each device's messages in their order,
 * those of different devices side by side, at the pace of real time, faster, or as fast as they are
 * acknowledged.
 */
import assert from 'node:assert/strict';
import { fleetEvents } from '../lorawan/fleet.ts';
import {
  createCounts,
  type FleetCounts,
  type FleetDownlink,
  type FleetEvent,
  type FleetSpan,
  type FleetUplink,
} from '../lorawan/fleet-event.ts';
import type { FleetMemory } from '../lorawan/fleet-memory.ts';
import type { Door, Fleet } from '../lorawan/fleet-plan.ts';
import type { Reception } from '../lorawan/radio.ts';
import { sleepUntil } from '../signal-sleep.ts';
import type { GatewayDoor, Taken } from './door.ts';

export type FleetDoors = Readonly<Partial<Record<Door, GatewayDoor>>>;

export interface FleetRun {
  readonly fleet: Fleet;
  readonly span: FleetSpan;
  /** One for each kind that the fleet's gateways speak. */
  readonly doors: FleetDoors;
  /** How many times as fast as real time; Infinity, as it is without it, for as fast as it goes. */
  readonly speed?: number;
  /** What the devices know of an earlier run; filled with what they know now. */
  readonly memory?: FleetMemory;
  /**
   * Resolves once the gateway has written down all that was handed in and that nobody acknowledges,
   * of which `count` tells the number by now. At high speed seconds of the air pass in no time, so
   * that otherwise a device's next frame, by another door, could overtake its last one.
   */
  readonly written?: (count: () => number) => Promise<void>;
  /** Filled while the fleet runs. */
  readonly progress: FleetProgress;
  /** Each uplink once all doors have taken it, or have not. */
  readonly onUplink?: (sent: SentUplink) => void;
  readonly onDownlink?: (downlink: FleetDownlink) => void;
  /** Ends the run in order: what is in flight is waited for. */
  readonly signal?: AbortSignal;
}

export interface FleetProgress {
  /** Simulated time, epoch milliseconds; undefined before the first event. */
  at: number | undefined;
  readonly counts: FleetCounts;
  readonly doors: Map<Door, DoorTally>;
}

/** Messages of a door: receptions, and downlinks that it told of. */
export type DoorTally = { handedIn: number } & Record<Taken, number>;

export interface SentUplink {
  readonly uplink: FleetUplink;
  /** By gateway id, in the order of the receptions. */
  readonly taken: readonly {
    readonly gatewayId: string;
    readonly door: Door;
    readonly how: Taken;
  }[];
}

/** Events under way or waiting for their device's last one. */
const eventsMax = 64;
/** No timer is longer. */
const sleepMsMax = 60_000;
/** What is in flight at the signal is waited for so long. */
const graceMs = 10_000;

export function createFleetProgress(): FleetProgress {
  return { at: undefined, counts: createCounts(), doors: new Map() };
}

export async function runFleet(run: FleetRun): Promise<void> {
  const { fleet, span, progress, signal, speed = Number.POSITIVE_INFINITY } = run;
  const lanes = new Map<string, Promise<void>>();
  const underWay = new Set<Promise<void>>();
  let wake = (): void => undefined;
  const stop = (): void => wake();
  signal?.addEventListener('abort', stop);
  const deliver = createDelivery(run);
  const due = createPace(span.from, speed, signal);
  for (const event of fleetEvents(fleet, span, progress.counts, run.memory)) {
    await due(event.time);
    while (underWay.size >= eventsMax && signal?.aborted !== true) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
    if (signal?.aborted === true) break;
    progress.at = event.time;
    const before = lanes.get(event.devEui) ?? Promise.resolve();
    const sending: Promise<void> = before.then(async () => {
      const taken = await deliver(event);
      if (event.kind === 'up') run.onUplink?.({ uplink: event, taken });
      else run.onDownlink?.(event);
      underWay.delete(sending);
      wake();
    });
    lanes.set(event.devEui, sending);
    underWay.add(sending);
  }
  await settledBefore(Promise.all(underWay), signal);
  signal?.removeEventListener('abort', stop);
}

/** Resolves with the work, or a while after the signal: a gateway that is gone never answers. */
async function settledBefore(work: Promise<unknown>, signal: AbortSignal | undefined) {
  const isDone = new AbortController();
  const patience = signal === undefined ? [] : [graceAfter(signal, isDone.signal)];
  await Promise.race([work, ...patience]);
  isDone.abort();
}

async function graceAfter(signal: AbortSignal, isDone: AbortSignal): Promise<void> {
  if (!signal.aborted) {
    await new Promise<void>((resolve) => {
      signal.addEventListener('abort', () => resolve(), { signal: isDone });
    });
  }
  await sleepUntil(graceMs, isDone);
}

/** Resolves when a time of the simulation has come, or at the signal. */
function createPace(from: number, speed: number, signal: AbortSignal | undefined) {
  assert.ok(speed > 0, 'time does not stand still');
  const start = performance.now();
  return async (time: number): Promise<void> => {
    if (speed === Number.POSITIVE_INFINITY) return;
    const due = start + (time - from) / speed;
    for (let wait = due - performance.now(); wait > 0; wait = due - performance.now()) {
      if (signal?.aborted === true) return;
      await sleepUntil(Math.min(wait, sleepMsMax), signal);
    }
  };
}

function createDelivery({ fleet, doors, written, progress }: FleetRun) {
  const doorOf = new Map(fleet.gateways.map(({ id, door }) => [id, door]));

  async function hand(
    { gateway }: Reception,
    how: (door: GatewayDoor) => Promise<Taken>,
  ): Promise<SentUplink['taken'][number]> {
    const name = doorOf.get(gateway.id) ?? 'gateway-bridge';
    const door = doors[name];
    assert.ok(door !== undefined, `the door ${name} is open`);
    const tally = tallyOf(progress, name);
    tally.handedIn += 1;
    const taken = { gatewayId: gateway.id, door: name, how: await how(door) };
    if (taken.how === 'unknown') await written?.(() => door.unacknowledged());
    tally[taken.how] += 1;
    return taken;
  }

  return (event: FleetEvent): Promise<SentUplink['taken']> => {
    if (event.kind === 'down') {
      return Promise.all([hand(event.answers, (door) => door.down(event))]);
    }
    const { receptions } = event.transmission;
    return Promise.all(
      receptions.map((reception) => hand(reception, (door) => door.up(event, reception))),
    );
  };
}

function tallyOf({ doors }: FleetProgress, door: Door): DoorTally {
  const known = doors.get(door) ?? { handedIn: 0, acknowledged: 0, refused: 0, unknown: 0 };
  doors.set(door, known);
  return known;
}
