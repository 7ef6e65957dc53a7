/**
 * The messages of the city: for a device and a time, what its network or modem sends. Frame
 * counters and what modems keep in an outage are the only state; asked in the same order, two
 * cities of one seed give the same bytes.
 */
import { createCityWeather } from './city-weather.ts';
import type { DeviceValues } from './device-curves.ts';
import type { Carrier } from './device-plan.ts';
import { createDeviceCurve } from './device-values.ts';
import { createLorawanDevice } from './lorawan/abp-device.ts';
import { encodePayload, uplinkMessageId } from './lorawan/city-uplink.ts';
import { createRadio } from './lorawan/radio.ts';
import type { Envelope } from './networks/envelope.ts';
import { gatewayBridgeEnvelopes } from './networks/gateway-bridge.ts';
import { createModem } from './networks/modem.ts';
import { senderOf, serverMessages } from './networks/network-servers.ts';
import { type ThingParkTunnel, thingParkTunnel } from './networks/thingpark.ts';
import type { CityDevice, Scenario } from './scenario.ts';

export interface CitySource {
  readonly device: CityDevice;
  readonly via: Carrier;
  /** The name of the account that sends its messages. */
  readonly sender: string;
  /** The messages of one uplink: one, or a copy for each gateway that heard the frame. */
  uplinkAt(time: number): [Envelope, ...Envelope[]];
  /**
   * What goes out at a time. In a city of every network, modems have outages: then nothing does,
   * and afterwards the uplinks of all that time.
   */
  messagesAt(time: number): readonly Envelope[];
  /** The counter of the next uplink; 0 for a modem, which has none. */
  nextFCnt(): number;
}

/** The counters to start from, by device id: an earlier run's, so that none is used twice. */
export type Counters = Readonly<Record<string, number>>;

/** What a device measures instead of what its curve says: how bad days come about. */
export type AdjustValues = (device: CityDevice, values: DeviceValues, time: number) => DeviceValues;

export function createCitySources(
  scenario: Scenario,
  counters: Counters = {},
  adjust: AdjustValues = (_, values) => values,
): CitySource[] {
  const weather = createCityWeather(scenario.seed);
  const tunnel = thingParkTunnel(scenario.seed);
  return scenario.devices.map((device) => {
    const own = createDeviceCurve(device, { seed: scenario.seed, weather });
    const valuesAt = (time: number): DeviceValues => adjust(device, own.at(time), time);
    const parts = { device, scenario, valuesAt, tunnel, firstFCnt: counters[device.id] ?? 0 };
    return device.network === 'modem' ? modemSource(parts) : lorawanSource(parts);
  });
}

interface SourceParts {
  readonly device: CityDevice;
  readonly scenario: Scenario;
  readonly valuesAt: (time: number) => DeviceValues;
  readonly tunnel: ThingParkTunnel;
  readonly firstFCnt: number;
}

function modemSource({ device, scenario, valuesAt }: SourceParts): CitySource {
  const modem = createModem(device, scenario);
  const uplinkAt: CitySource['uplinkAt'] = (time) => modem.messages(valuesAt(time), time);
  return {
    ...{ device, via: device.via, sender: senderOf(device), uplinkAt, nextFCnt: () => 0 },
    messagesAt:
      scenario.networks === 'every'
        ? (time) => modem.messagesThrough(valuesAt(time), time)
        : uplinkAt,
  };
}

function lorawanSource({ device, scenario, valuesAt, tunnel, firstFCnt }: SourceParts): CitySource {
  const radio = createRadio(device, scenario);
  const lorawan = createLorawanDevice(device, firstFCnt);
  const head = { device, via: device.via, sender: senderOf(device), nextFCnt: lorawan.nextFCnt };
  if (device.network === 'gateway-bridge') {
    const uplinkAt: CitySource['uplinkAt'] = (time) => {
      const payload = encodePayload(device, valuesAt(time));
      const { phyPayload, fCnt } = lorawan.uplink(payload.fPort, payload.frmPayload);
      return gatewayBridgeEnvelopes(phyPayload, radio(fCnt, time));
    };
    return { ...head, uplinkAt, messagesAt: uplinkAt };
  }
  const messages = serverMessages(device, tunnel);
  const uplinkAt: CitySource['uplinkAt'] = (time) => {
    const { fPort, frmPayload, object } = encodePayload(device, valuesAt(time));
    const fCnt = lorawan.skip();
    const transmission = radio(fCnt, time);
    const messageId = uplinkMessageId(device, fCnt);
    // Field by field: this runs for every uplink, and spreading objects costs more.
    const plain = { device, time, fPort, fCnt, frmPayload, transmission, messageId };
    return messages(object === undefined ? plain : { ...plain, object });
  };
  return { ...head, uplinkAt, messagesAt: uplinkAt };
}
