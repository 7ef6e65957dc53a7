/**
 * A seeded city: which devices stand where, with which identifiers and keys. The same seed and size
 * give the same city, byte for byte, on every machine; nothing here depends on the time.
 *
 * Identifiers cannot collide with real ones: DevEUIs and gateway EUIs have the "locally
 * administered" bit of EUI-64 set (first byte 02), and DevAddrs lie in the block of NetID 000000,
 * which the LoRa Alliance reserves for experimental networks.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { type DevicePlan, devicePlans, everyNetworkPlans, planDevices } from './device-plan.ts';
import { type District, districts } from './districts.ts';
import { createRandom, type Random } from './random.ts';

export const devicesMax = 100_000;
/** Every simulated DevEUI starts with this, every gateway EUI with the other. */
export const devEuiPrefix = '02f1e1d5';
export const gatewayEuiPrefix = '02f1e1d0';

export interface Place {
  readonly latitude: number;
  readonly longitude: number;
}

export interface CityDevice extends DevicePlan {
  /** A LoRaWAN device's is its devEui; a modem's is `modem-` and 8 hex digits. */
  readonly id: string;
  readonly name: string;
  readonly district: District;
  readonly location: Place;
  /** 8 hex digits; LoRaWAN only, as are the keys, 16 bytes each. */
  readonly devAddr: string;
  readonly nwkSKey: Buffer;
  readonly appSKey: Buffer;
  /** The codec that a gateway needs for its bytes; none when the message is already decoded. */
  readonly codec?: string;
}

export interface CityGateway {
  readonly id: string;
  readonly location: Place;
}

/** The few that most towns have, or every one that a gateway can meet, with outages of modems. */
export type Networks = 'usual' | 'every';

export interface Scenario {
  readonly seed: string;
  readonly networks: Networks;
  readonly devices: readonly CityDevice[];
  readonly gateways: readonly CityGateway[];
}

const codecs: Record<DevicePlan['format'], string | undefined> = {
  cayenne: 'cayenne-lpp',
  elsys: 'elsys-generic',
  lht65: 'dragino-lht65',
  em300: 'milesight-em300',
  object: undefined,
  'flat-json': undefined,
  thingsboard: undefined,
  senml: undefined,
};

export interface ScenarioOptions {
  readonly seed: string;
  readonly devices?: number;
  readonly networks?: Networks;
}

export function createScenario(options: ScenarioOptions): Scenario {
  const { seed, devices = 60, networks = 'usual' } = options;
  assert.ok(
    Number.isInteger(devices) && devices >= 1 && devices <= devicesMax,
    'a city has devices',
  );
  const random = createRandom(`${seed}\nscenario`);
  const taken = new Set<string>();
  const plans = networks === 'usual' ? devicePlans : everyNetworkPlans;
  return {
    ...{ seed, networks },
    devices: planDevices(devices, plans).map((plan, index) =>
      createDevice({ seed, plan, index, random, taken }),
    ),
    gateways: createGateways(seed),
  };
}

const gatewaysPerDistrict = 2;

/** On roofs up to a kilometre and a half from the district's centre. */
function createGateways(seed: string): CityGateway[] {
  const random = createRandom(`${seed}\ngateways`);
  return districts.flatMap((district, place) =>
    Array.from({ length: gatewaysPerDistrict }, (_, index) => ({
      id: gatewayEuiPrefix + digits(seed, `gateway ${place}`, index).slice(0, 8),
      location: placeNear(district, random),
    })),
  );
}

interface Drawing {
  readonly seed: string;
  readonly plan: DevicePlan;
  readonly index: number;
  readonly random: Random;
  /** DevEUIs and DevAddrs given away so far. */
  readonly taken: Set<string>;
}

function createDevice({ seed, plan, index, random, taken }: Drawing): CityDevice {
  const district = drawFrom(districts, random);
  const place = drawFrom(district.places, random);
  const devEui = `${devEuiPrefix}${drawUnused(seed, 'devEui', index, taken)}`;
  const codec = codecs[plan.format];
  return {
    ...plan,
    id: plan.network === 'modem' ? `modem-${devEui.slice(8)}` : devEui,
    name: `${place} ${plan.kind} ${index + 1}`,
    district,
    location: placeNear(district, random),
    devAddr: `01${drawUnused(seed, 'devAddr', index, taken).slice(0, 6)}`,
    nwkSKey: Buffer.from(digits(seed, 'nwkSKey', index), 'hex'),
    appSKey: Buffer.from(digits(seed, 'appSKey', index), 'hex'),
    ...(codec === undefined ? {} : { codec }),
  };
}

/** 8 hex digits whose first 6 are not taken under this name yet. */
function drawUnused(seed: string, name: string, index: number, taken: Set<string>): string {
  for (let attempt = 0; ; attempt += 1) {
    const drawn = digits(seed, `${name} ${attempt}`, index).slice(0, 8);
    const claim = `${name} ${drawn.slice(0, 6)}`;
    if (taken.has(claim)) continue;
    taken.add(claim);
    return drawn;
  }
}

/** 32 hex digits. */
function digits(seed: string, name: string, index: number): string {
  return createHash('sha256').update(`${seed}\n${name}\n${index}`).digest('hex').slice(0, 32);
}

function drawFrom<T>(items: readonly T[], random: Random): T {
  const item = items[random.integer(0, items.length - 1)];
  assert.ok(item !== undefined, 'nothing to draw from');
  return item;
}

function placeNear(centre: Place, random: Random): Place {
  return {
    latitude: degrees(centre.latitude + random.between(-0.012, 0.012)),
    longitude: degrees(centre.longitude + random.between(-0.016, 0.016)),
  };
}

/** Five decimals are about a metre. */
function degrees(value: number): number {
  return Math.round(value * 1e5) / 1e5;
}
