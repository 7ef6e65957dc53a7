/** A fleet through doors that somebody else holds: its pace, its tally, its end and its memory. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { GatewayDoor, Taken } from '../../simulators/doors/door.ts';
import { createFleetProgress, runFleet } from '../../simulators/doors/fleet-run.ts';
import { fleetEvents } from '../../simulators/lorawan/fleet.ts';
import { createCounts, type FleetUplink } from '../../simulators/lorawan/fleet-event.ts';
import {
  type FleetMemory,
  readFleetMemory,
  writeFleetMemory,
} from '../../simulators/lorawan/fleet-memory.ts';
import { createFleet } from '../../simulators/lorawan/fleet-plan.ts';
import { createEar } from './fleet-ear.ts';

const from = Date.UTC(2026, 5, 1);
const hour = 3_600_000;
const span = { from, to: from + hour, intervalMs: hour / 12 };
const fleet = createFleet({ seed: 'run', devices: 14, doors: ['semtech-udp'] });

function doorThat(takes: (uplink: FleetUplink) => Promise<Taken>): GatewayDoor {
  return {
    up: takes,
    down: async () => 'acknowledged',
    unacknowledged: () => 0,
    close: async () => undefined,
  };
}

describe('A run of a fleet', () => {
  it('hands in each copy once, each device in its own order, and says who refused', async () => {
    const progress = createFleetProgress();
    const counters = new Map<string, number>();
    const door = doorThat(async ({ devEui, reading }) => {
      await new Promise((resolve) => setTimeout(resolve, devEui.charCodeAt(15) % 3));
      if (reading === undefined) return 'acknowledged';
      const place = reading.session * 100_000 + reading.fCnt;
      expect(place).toBeGreaterThanOrEqual(counters.get(devEui) ?? 0);
      counters.set(devEui, place);
      return reading.confirmed ? 'refused' : 'acknowledged';
    });
    let uplinks = 0;
    const doors = { 'semtech-udp': door };
    await runFleet({ fleet, span, doors, progress, onUplink: () => (uplinks += 1) });
    const { counts } = progress;
    const tally = progress.doors.get('semtech-udp');
    expect(uplinks).toBe(counts.heard);
    expect(tally?.handedIn).toBe(counts.copies + counts.downlinks);
    expect(tally?.refused).toBeGreaterThan(0);
    expect((tally?.acknowledged ?? 0) + (tally?.refused ?? 0)).toBe(tally?.handedIn);
    expect(counts.confirmedAcknowledged).toBeLessThanOrEqual(counts.confirmed);
  });

  it('ends at the signal, with what is in flight', async () => {
    const progress = createFleetProgress();
    const end = new AbortController();
    const door = doorThat(async () => {
      end.abort();
      return 'acknowledged';
    });
    const doors = { 'semtech-udp': door };
    const endless = { ...span, to: Number.POSITIVE_INFINITY };
    const { signal } = end;
    await runFleet({ fleet, span: endless, doors, progress, signal, speed: 100_000 });
    const { handedIn = 0, acknowledged } = progress.doors.get('semtech-udp') ?? {};
    expect(handedIn).toBeGreaterThan(0);
    expect(acknowledged).toBe(handedIn);
  });
});

describe('The memory of a fleet', () => {
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'fleet-memory-'));
  });
  afterAll(() => rm(directory, { recursive: true }));

  it('lets no nonce and no counter come twice', () => {
    const ear = createEar(fleet);
    const memory: FleetMemory = new Map();
    for (const start of [from, from + hour, from + 2 * hour]) {
      const run = { ...span, from: start, to: start + hour };
      const events = [...fleetEvents(fleet, run, createCounts(), memory)];
      expect(events.flatMap((event) => ear.complaint(event) ?? [])).toEqual([]);
    }
    expect(ear.proven['down join-accept']).toBeGreaterThan(30);
    const given = fleet.devices.find(({ identity }) => identity.activation.kind === 'abp');
    expect(memory.get(given?.identity.devEui ?? '')?.nextUp).toBeGreaterThan(20);
  });

  it('is kept in a file of its seed', async () => {
    const file = join(directory, 'fleet.json');
    expect(await readFleetMemory(file, 'a')).toEqual(new Map());
    const counters = { devNonces: 1, rejoins: 2, joinNonce: 3, nextUp: 4, nextDown: 5 };
    const memory = new Map([['02f1e1d500000000', counters]]);
    await writeFleetMemory(file, 'a', memory);
    expect(await readFleetMemory(file, 'a')).toEqual(memory);
    await expect(readFleetMemory(file, 'b')).rejects.toThrow('is of the seed a, not of b');
  });

  it.each([
    ['no JSON', 'is no memory of a fleet'],
    ['{"format":"other"}', 'is no memory of a fleet'],
    [
      '{"format":"fieldgate-fleet-memory","seed":"a","devices":{"x":{"devNonces":-1}}}',
      'devNonces is no counter',
    ],
  ])('is refused: %s', async (text, reason) => {
    const file = join(directory, 'broken.json');
    await writeFile(file, text);
    await expect(readFleetMemory(file, 'a')).rejects.toThrow(reason);
  });
});
