/** A fleet on the air, heard by somebody with the tests' own cryptography. */
import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { fleetEvents } from '../../simulators/lorawan/fleet.ts';
import { createCounts, type FleetEvent } from '../../simulators/lorawan/fleet-event.ts';
import { createFleet, fleetDevicesMax } from '../../simulators/lorawan/fleet-plan.ts';
import { createEar } from './fleet-ear.ts';

const from = Date.UTC(2026, 5, 1);
const hour = 3_600_000;
const span = { from, to: from + 3 * hour, intervalMs: hour / 12 };

const digestOf = (seed: string): string => {
  const hash = createHash('sha256');
  for (const event of fleetEvents(createFleet({ seed, devices: 20 }), span)) {
    hash.update(JSON.stringify(event));
  }
  return hash.digest('hex');
};

describe('A fleet', () => {
  const fleet = createFleet({ seed: 'fleet', devices: 60 });
  const counts = createCounts();
  const events: readonly FleetEvent[] = [...fleetEvents(fleet, span, counts)];
  const uplinks = events.filter((event) => event.kind === 'up');

  it('is the same, byte for byte, for the same seed, and another for another', () => {
    expect(digestOf('one')).toBe(digestOf('one'));
    expect(digestOf('one')).not.toBe(digestOf('other'));
  });

  it('makes joins, rejoins and frames that another implementation verifies and opens', () => {
    const ear = createEar(fleet);
    expect(events.flatMap((event) => ear.complaint(event) ?? [])).toEqual([]);
    expect(ear.proven['up data']).toBeGreaterThan(1_000);
    expect(ear.proven['up join-request']).toBeGreaterThan(50);
    expect(ear.proven['up rejoin-request']).toBeGreaterThan(3);
    expect(ear.proven['down join-accept']).toBeGreaterThan(50);
  });

  it('has devices of every version, and all of them are heard', () => {
    const versions = new Set(fleet.devices.map(({ identity }) => identity.macVersion));
    expect([...versions].sort()).toEqual(['1.0.2', '1.0.3', '1.0.4', '1.1']);
    const heard = new Set(uplinks.filter(({ what }) => what === 'data').map((one) => one.devEui));
    expect(heard.size).toBe(fleet.devices.length);
    expect(new Set(fleet.devices.map(({ identity }) => identity.devEui)).size).toBe(60);
  });

  it('counts what is sent, heard and lost', () => {
    const { sent, heard, lost, joins } = counts;
    expect(heard).toBe(uplinks.length);
    expect(sent).toBe(heard + lost.collision + lost['gateway-busy'] + lost['too-weak']);
    expect(joins).toBeGreaterThan(50);
  });

  it('comes in the order of its time', () => {
    const times = events.map(({ time }) => time);
    expect(times).toEqual([...times].sort((one, other) => one - other));
  });

  it('keeps every device within one percent of an hour in each sub-band', () => {
    const sums = new Map<string, number>();
    for (const { devEui, time, transmission } of uplinks) {
      const band = transmission.frequency < 868_000_000 ? 'low' : 'high';
      const name = `${devEui} ${band} ${Math.floor((time - from) / hour)}`;
      // A symbol of a frame of 30 bytes at least: less than what it takes.
      const least = (2 ** transmission.spreadingFactor / 125_000) * 1_000 * 30;
      sums.set(name, (sums.get(name) ?? 0) + least);
    }
    expect(Math.max(...sums.values())).toBeLessThan(0.01 * hour * 1.1);
  });

  it('sends a confirmed frame again with the same counter until it is acknowledged', () => {
    const seen = new Set<string>();
    const repeats = uplinks.filter(({ devEui, reading }) => {
      const name = `${devEui} ${reading?.session} ${reading?.fCnt}`;
      const isKnown = reading !== undefined && seen.has(name);
      seen.add(name);
      return isKnown;
    });
    expect(counts.repeated).toBeGreaterThan(0);
    expect(repeats.every(({ reading }) => reading?.confirmed === true)).toBe(true);
  });

  it.each([0, 1.5, fleetDevicesMax + 1])('refuses %d devices', (devices) => {
    expect(() => createFleet({ seed: 'x', devices })).toThrow('a fleet has');
  });
});
