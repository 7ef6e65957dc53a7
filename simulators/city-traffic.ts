/**
 * The messages of the city: for a device and a time, what its network or modem publishes. Frame
 * counters are the only state; asked in the same order, two cities of one seed give the same bytes.
 */

import { type CityWeather, createCityWeather } from './city-weather.ts';
import type { DeviceValues } from './device-curves.ts';
import { createDeviceCurve } from './device-values.ts';
import { createLorawanDevice } from './lorawan/abp-device.ts';
import { encodePayload, uplinkMessageId } from './lorawan/city-uplink.ts';
import { createRadio } from './lorawan/radio.ts';
import { chirpstackEnvelope } from './networks/chirpstack.ts';
import type { Envelope } from './networks/envelope.ts';
import { gatewayBridgeEnvelopes } from './networks/gateway-bridge.ts';
import { createModem } from './networks/modem.ts';
import { theThingsStackEnvelope } from './networks/the-things-stack.ts';
import type { CityDevice, Scenario } from './scenario.ts';

export interface CitySource {
  readonly device: CityDevice;
  /** The messages of one uplink: one, or a copy for each gateway that heard the frame. */
  uplinkAt(time: number): [Envelope, ...Envelope[]];
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
  return scenario.devices.map((device) =>
    createSource({ device, scenario, weather, adjust, firstFCnt: counters[device.id] ?? 0 }),
  );
}

interface SourceParts {
  readonly device: CityDevice;
  readonly scenario: Scenario;
  readonly weather: CityWeather;
  readonly firstFCnt: number;
  readonly adjust: AdjustValues;
}

function createSource({ device, scenario, weather, firstFCnt, adjust }: SourceParts): CitySource {
  const own = createDeviceCurve(device, { seed: scenario.seed, weather });
  const curve = { at: (time: number) => adjust(device, own.at(time), time) };
  if (device.network === 'modem') {
    const modem = createModem(device, scenario.seed);
    return { device, uplinkAt: (time) => [modem(curve.at(time), time)], nextFCnt: () => 0 };
  }
  const radio = createRadio(device, scenario);
  const lorawan = createLorawanDevice(device, firstFCnt);
  return {
    device,
    nextFCnt: lorawan.nextFCnt,
    uplinkAt: (time) => {
      const payload = encodePayload(device, curve.at(time));
      if (device.network === 'gateway-bridge') {
        const { phyPayload, fCnt } = lorawan.uplink(payload.fPort, payload.frmPayload);
        return gatewayBridgeEnvelopes(phyPayload, radio(fCnt, time));
      }
      const fCnt = lorawan.skip();
      const transmission = radio(fCnt, time);
      const messageId = uplinkMessageId(device, fCnt);
      const { fPort, frmPayload, object } = payload;
      // Field by field: this runs for every uplink, and spreading objects costs more.
      const plain = { device, time, fPort, fCnt, frmPayload, transmission, messageId };
      const uplink = object === undefined ? plain : { ...plain, object };
      return [
        device.network === 'chirpstack'
          ? chirpstackEnvelope(uplink)
          : theThingsStackEnvelope(uplink),
      ];
    },
  };
}
