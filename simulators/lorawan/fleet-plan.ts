/**
 * A seeded fleet: devices of every LoRaWAN version that join over the air or were given a session,
 * and gateways of all three kinds around them. Identifiers are of those blocks that cannot collide
 * with real ones, as in scenario.ts.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { districts } from '../districts.ts';
import { createRandom, type Random } from '../random.ts';
import { type CityGateway, devEuiPrefix, gatewayEuiPrefix, type Place } from '../scenario.ts';
import type { DeviceIdentity, MacVersion } from './end-device.ts';
import type { RejoinType } from './join-frame.ts';
import { abpSession } from './session.ts';

/** How a gateway speaks to its server. */
export type Door = 'gateway-bridge' | 'semtech-udp' | 'basic-station';

export interface FleetGateway extends CityGateway {
  readonly door: Door;
}

export interface FleetDevice {
  readonly identity: DeviceIdentity;
  readonly location: Place;
  /** Every uplink asks for an acknowledgement. */
  readonly isConfirmed: boolean;
  /** After some uplinks it asks for a new session: a power cut, or a rejoin of LoRaWAN 1.1. */
  readonly rejoins?: 'power-cut' | RejoinType;
}

export interface Fleet {
  readonly seed: string;
  readonly devices: readonly FleetDevice[];
  readonly gateways: readonly FleetGateway[];
}

export const fleetDevicesMax = 20_000;
/** Each device's way to each gateway is worked out. */
export const fleetGatewaysMax = 200;
const joinEui = '02f1e1d6ffffffff';
/** NetID 000000 is for experimental networks. */
export const netId = '000000';
export const allDoors: readonly Door[] = ['gateway-bridge', 'semtech-udp', 'basic-station'];
const gatewaysDefault = 12;

/** One in seven was given its session. */
const kinds: readonly { macVersion: MacVersion; isOtaa: boolean }[] = [
  { macVersion: '1.0.3', isOtaa: true },
  { macVersion: '1.1', isOtaa: true },
  { macVersion: '1.0.4', isOtaa: true },
  { macVersion: '1.0.2', isOtaa: true },
  { macVersion: '1.1', isOtaa: true },
  { macVersion: '1.0.3', isOtaa: false },
  { macVersion: '1.0.4', isOtaa: true },
];

export interface FleetOptions {
  readonly seed: string;
  readonly devices?: number;
  readonly gateways?: number;
  /** What the gateways speak, in turn; all of them unless told. */
  readonly doors?: readonly Door[];
}

export function createFleet(options: FleetOptions): Fleet {
  const { seed, devices = 60, gateways = gatewaysDefault, doors = allDoors } = options;
  const isSound = Number.isInteger(devices) && devices >= 1 && devices <= fleetDevicesMax;
  assert.ok(isSound, `a fleet has 1 to ${fleetDevicesMax} devices`);
  const isHeard = Number.isInteger(gateways) && gateways >= 1 && gateways <= fleetGatewaysMax;
  assert.ok(isHeard, `a fleet has 1 to ${fleetGatewaysMax} gateways`);
  const random = createRandom(`${seed}\nfleet`);
  return {
    seed,
    gateways: Array.from({ length: gateways }, (_, index) => ({
      id: gatewayEuiPrefix + digits(seed, 'fleet gateway', index).slice(0, 8),
      location: placeIn(index, random),
      door: doors[index % doors.length] ?? 'gateway-bridge',
    })),
    devices: Array.from({ length: devices }, (_, index) => createDevice(seed, index, random)),
  };
}

function createDevice(seed: string, index: number, random: Random): FleetDevice {
  const { macVersion, isOtaa } = kinds[index % kinds.length] ?? {
    macVersion: '1.0.3',
    isOtaa: true,
  };
  const key = (name: string) => Buffer.from(digits(seed, name, index), 'hex');
  // Index and digest together: no two devices of a fleet share an identifier.
  const own = index.toString(16).padStart(4, '0');
  const devEui = devEuiPrefix + digits(seed, 'fleet devEui', 0).slice(0, 4) + own;
  const nwkKey = macVersion === '1.1' ? { nwkKey: key('nwkKey') } : {};
  const session = { nwkSKey: key('nwkSKey'), appSKey: key('appSKey') };
  const rejoins = isOtaa ? rejoinsOf(index, macVersion) : undefined;
  return {
    identity: {
      ...{ devEui, joinEui, macVersion },
      activation: isOtaa
        ? { kind: 'otaa', roots: { appKey: key('appKey'), ...nwkKey } }
        : {
            kind: 'abp',
            session: abpSession(`01${digits(seed, 'abp', 0).slice(0, 2)}${own}`, session),
          },
    },
    location: placeIn(random.integer(0, districts.length - 1), random),
    isConfirmed: index % 3 === 1,
    ...(rejoins === undefined ? {} : { rejoins }),
  };
}

function rejoinsOf(index: number, macVersion: MacVersion): FleetDevice['rejoins'] {
  if (macVersion !== '1.1') return index % 4 === 0 ? 'power-cut' : undefined;
  const types: readonly RejoinType[] = [0, 1, 2];
  return types[index % 5];
}

/** 32 hex digits. */
function digits(seed: string, name: string, index: number): string {
  return createHash('sha256').update(`${seed}\n${name}\n${index}`).digest('hex').slice(0, 32);
}

function placeIn(index: number, random: Random): Place {
  const district = districts[index % districts.length];
  assert.ok(district !== undefined, 'there are districts');
  const near = (centre: number, spread: number) =>
    Math.round((centre + random.between(-spread, spread)) * 1e5) / 1e5;
  return { latitude: near(district.latitude, 0.012), longitude: near(district.longitude, 0.016) };
}
