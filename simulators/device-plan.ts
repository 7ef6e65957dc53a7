/**
 * What the simulated city is made of: each line is a kind of device, the network it speaks through,
 * the bytes it sends, and how many of 60 devices are like that.
 */
export type SensorKind =
  | 'air-quality'
  | 'noise'
  | 'weather'
  | 'water-level'
  | 'parking'
  | 'energy'
  | 'bin'
  | 'people';

/** Whose messages a device's readings come in: a network server's, or its own modem's. */
export type Network =
  | 'gateway-bridge'
  | 'chirpstack'
  | 'chirpstack-v3'
  | 'the-things-stack'
  | 'thingpark'
  | 'loriot'
  | 'modem';

/** How these messages reach the gateway: published, or posted to a webhook or over CoAP. */
export type Carrier = 'mqtt' | 'http' | 'coap';

/** What the message carries. `object`: the network server's own codec has decoded it. */
export type Format =
  | 'cayenne'
  | 'elsys'
  | 'lht65'
  | 'em300'
  | 'object'
  | 'flat-json'
  | 'thingsboard'
  | 'senml';

export interface DevicePlan {
  readonly kind: SensorKind;
  readonly network: Network;
  readonly format: Format;
  readonly model: string;
  readonly agency: string;
  /** Devices like this in a city of 60. */
  readonly share: number;
  readonly via: Carrier;
}

const environment = 'Ministry of Ecology and Natural Resources';
const transport = 'Azerbaijan Land Transport Agency';
const city = 'Baku City Executive Power';
const water = 'State Water Resources Agency';
const energy = 'Ministry of Energy';

export const devicePlans: readonly DevicePlan[] = [
  plan('air-quality', 'gateway-bridge', 'elsys', 'ELSYS ERS CO2', environment, 8),
  plan('noise', 'gateway-bridge', 'elsys', 'ELSYS ERS Sound', environment, 6),
  plan('weather', 'gateway-bridge', 'lht65', 'Dragino LHT65', environment, 6),
  plan('parking', 'gateway-bridge', 'cayenne', 'Parking sensor', transport, 5),
  plan('water-level', 'gateway-bridge', 'elsys', 'ELSYS ELT Ultrasonic', water, 4),
  plan('people', 'gateway-bridge', 'em300', 'Milesight EM300-DI', city, 4),
  plan('air-quality', 'chirpstack', 'object', 'Roadside PM station', environment, 4),
  plan('air-quality', 'modem', 'flat-json', '5G air station', environment, 3),
  plan('bin', 'chirpstack', 'object', 'Bin level sensor', city, 3),
  plan('people', 'the-things-stack', 'em300', 'Milesight EM300-DI', city, 2),
  plan('energy', 'chirpstack', 'cayenne', 'Street light cabinet meter', energy, 2),
  plan('weather', 'modem', 'flat-json', '5G weather station', environment, 2),
  plan('water-level', 'modem', 'senml', 'NB-IoT river gauge', water, 2),
  plan('energy', 'modem', 'flat-json', 'LTE-M feeder meter', energy, 2),
  plan('weather', 'the-things-stack', 'lht65', 'Dragino LHT65', environment, 2),
  plan('noise', 'chirpstack', 'elsys', 'ELSYS ERS Sound', environment, 2),
  plan('air-quality', 'the-things-stack', 'elsys', 'ELSYS ERS CO2', environment, 2),
  plan('people', 'modem', 'senml', '5G people counter', city, 1),
];

/** A city that has every network, over all that they can send by. */
export const everyNetworkPlans: readonly DevicePlan[] = [
  plan('air-quality', 'gateway-bridge', 'elsys', 'ELSYS ERS CO2', environment, 5),
  plan('noise', 'gateway-bridge', 'elsys', 'ELSYS ERS Sound', environment, 4),
  plan('weather', 'gateway-bridge', 'lht65', 'Dragino LHT65', environment, 3),
  plan('parking', 'gateway-bridge', 'cayenne', 'Parking sensor', transport, 3),
  plan('water-level', 'gateway-bridge', 'elsys', 'ELSYS ELT Ultrasonic', water, 3),
  plan('people', 'gateway-bridge', 'em300', 'Milesight EM300-DI', city, 2),
  plan('air-quality', 'chirpstack', 'object', 'Roadside PM station', environment, 2),
  plan('energy', 'chirpstack', 'cayenne', 'Street light cabinet meter', energy, 2),
  plan('bin', 'chirpstack', 'object', 'Bin level sensor', city, 2, 'http'),
  plan('noise', 'chirpstack', 'elsys', 'ELSYS ERS Sound', environment, 1, 'http'),
  plan('people', 'chirpstack-v3', 'em300', 'Milesight EM300-DI', city, 2),
  plan('bin', 'chirpstack-v3', 'object', 'Bin level sensor', city, 1),
  plan('weather', 'chirpstack-v3', 'lht65', 'Dragino LHT65', environment, 1, 'http'),
  plan('air-quality', 'chirpstack-v3', 'object', 'Roadside PM station', environment, 1, 'http'),
  plan('weather', 'the-things-stack', 'lht65', 'Dragino LHT65', environment, 2),
  plan('people', 'the-things-stack', 'em300', 'Milesight EM300-DI', city, 1),
  plan('air-quality', 'the-things-stack', 'elsys', 'ELSYS ERS CO2', environment, 2, 'http'),
  plan('parking', 'thingpark', 'cayenne', 'Parking sensor', transport, 2),
  plan('bin', 'thingpark', 'object', 'Bin level sensor', city, 1),
  plan('noise', 'thingpark', 'elsys', 'ELSYS ERS Sound', environment, 1),
  plan('water-level', 'thingpark', 'elsys', 'ELSYS ELT Ultrasonic', water, 2, 'http'),
  plan('parking', 'loriot', 'cayenne', 'Parking sensor', transport, 2),
  plan('air-quality', 'loriot', 'elsys', 'ELSYS ERS CO2', environment, 1),
  plan('weather', 'loriot', 'lht65', 'Dragino LHT65', environment, 2, 'http'),
  plan('air-quality', 'modem', 'flat-json', '5G air station', environment, 2),
  plan('water-level', 'modem', 'senml', 'NB-IoT river gauge', water, 1),
  plan('energy', 'modem', 'thingsboard', 'LTE-M feeder meter', energy, 1),
  plan('air-quality', 'modem', 'flat-json', '5G air station', environment, 2, 'http'),
  plan('weather', 'modem', 'thingsboard', '5G weather station', environment, 2, 'http'),
  plan('people', 'modem', 'senml', '5G people counter', city, 1, 'http'),
  plan('water-level', 'modem', 'senml', 'NB-IoT river gauge', water, 2, 'coap'),
  plan('energy', 'modem', 'flat-json', 'LTE-M feeder meter', energy, 1, 'coap'),
];

function plan(
  kind: SensorKind,
  network: Network,
  format: Format,
  model: string,
  agency: string,
  share: number,
  via: Carrier = 'mqtt',
): DevicePlan {
  return { kind, network, format, model, agency, share, via };
}

/**
 * The plan of each of `count` devices. Kinds are interleaved by their share, so that a small city
 * has a bit of everything and a city of twice the size has twice of each.
 */
export function planDevices(count: number, plans = devicePlans): DevicePlan[] {
  const slots = plans.flatMap((entry) =>
    Array.from({ length: entry.share }, (_, place) => ({
      entry,
      position: (place + 0.5) / entry.share,
    })),
  );
  slots.sort((left, right) => left.position - right.position);
  return Array.from({ length: count }, (_, index) => slots[index % slots.length]?.entry).filter(
    (entry) => entry !== undefined,
  );
}
