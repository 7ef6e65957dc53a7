/** The same seed gives the same city and the same bytes; identifiers cannot be real ones. */
import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { createCitySources } from '../../simulators/city-traffic.ts';
import { devicePlans } from '../../simulators/device-plan.ts';
import { createScenario } from '../../simulators/scenario.ts';

const start = Date.UTC(2026, 5, 15, 4);

/** A digest over every topic and payload of some hours of a city. */
function trafficDigest(seed: string, devices = 24): string {
  const digest = createHash('sha256');
  const sources = createCitySources(createScenario({ seed, devices }));
  for (let step = 0; step < 8; step += 1) {
    for (const source of sources) {
      for (const { topic, payload } of source.uplinkAt(start + step * 900_000)) {
        digest.update(topic).update('\n').update(payload).update('\n');
      }
    }
  }
  return digest.digest('hex');
}

describe('Scenario', () => {
  it('gives the same bytes for the same seed', () => {
    expect(trafficDigest('baku')).toBe(trafficDigest('baku'));
  });

  it('gives these bytes on every machine', () => {
    expect(trafficDigest('baku')).toBe(
      '05c0a7b59bb4e662370177ab53b6118f09260ce9fc27c9d0232edfe00cd5c373',
    );
  });

  it('gives other bytes for another seed', () => {
    expect(trafficDigest('baku')).not.toBe(trafficDigest('bakı'));
  });

  it('marks every identifier as simulated', () => {
    const { devices, gateways } = createScenario({ seed: 'ids', devices: 500 });
    for (const device of devices) {
      expect(device.id).toMatch(/^(02f1e1d5[0-9a-f]{8}|modem-[0-9a-f]{8})$/);
      // NetID 000000: the highest seven bits of the address are zero.
      expect(Number.parseInt(device.devAddr, 16)).toBeLessThan(2 ** 25);
    }
    for (const gateway of gateways) expect(gateway.id).toMatch(/^02f1e1d0[0-9a-f]{8}$/);
  });

  it('never gives an identifier twice', () => {
    const { devices } = createScenario({ seed: 'unique', devices: 3_000 });
    expect(new Set(devices.map(({ id }) => id)).size).toBe(3_000);
    expect(new Set(devices.map(({ devAddr }) => devAddr)).size).toBe(3_000);
    expect(new Set(devices.map(({ appSKey }) => appSKey.toString('hex'))).size).toBe(3_000);
  });

  it('has every network and kind in a city of the usual size', () => {
    const { devices } = createScenario({ seed: 'baku' });
    expect(devices).toHaveLength(60);
    expect(devicePlans.reduce((sum, { share }) => sum + share, 0)).toBe(60);
    expect(new Set(devices.map(({ network }) => network)).size).toBe(4);
    expect(new Set(devices.map(({ kind }) => kind)).size).toBe(8);
    expect(devices.filter(({ network }) => network === 'gateway-bridge')).toHaveLength(33);
  });

  it('has every network in a small city', () => {
    const { devices } = createScenario({ seed: 'baku', devices: 16 });
    expect(new Set(devices.map(({ network }) => network)).size).toBe(4);
  });

  it('places every device in or near Baku', () => {
    for (const { location } of createScenario({ seed: 'map', devices: 200 }).devices) {
      expect(Math.abs(location.latitude - 40.39)).toBeLessThan(0.15);
      expect(Math.abs(location.longitude - 49.87)).toBeLessThan(0.3);
    }
  });

  it('refuses a city without devices', () => {
    expect(() => createScenario({ seed: 'none', devices: 0 })).toThrow('a city has devices');
  });
});
