/**
 * nRF91 modems with Nordic's device-to-cloud protocol: `appId` says what `data` is, numbers come as
 * text. A device that calls itself nrf-<IMEI> gets a hash for its id.
 */
import type { MappingProfile, MappingRule } from '../../../../config/mapping-schema.ts';

const header = {
  deviceId: { from: 'topic:deviceId', withoutPrefix: 'nrf-' },
} as const;

/** Older firmware calls the time of the message `time`. */
const stamped: MappingRule = { ...header, time: { from: '/ts', orFrom: '/time', unit: 'ms' } };

function of(appIds: readonly string[], parts: MappingRule): MappingRule {
  const own = { from: '/appId', oneOf: [...appIds] };
  return { ...stamped, ...parts, when: [own, ...(parts.when ?? [])] };
}

function value(name: string, unit?: string): MappingRule {
  return { measurements: [{ from: '/data', name, unit, type: 'number' }] };
}

function colour(name: string, index: number) {
  const part = { separator: ' ', index };
  return { from: '/data', name, type: 'number', part } as const;
}

export const nrfCloud: MappingProfile = {
  name: 'nrf-cloud',
  topics: ['{stage}/{tenant}/m/d/{deviceId}/d2c'],
  embedded: [{ at: '/data', as: 'nmea' }],
  rules: [
    of(['TEMP'], value('temperature', 'Cel')),
    of(['HUMID'], value('humidity', '%RH')),
    of(['AIR_PRESS'], value('pressure', 'Pa')),
    of(['AIR_QUAL'], value('air_quality_index')),
    of(['BUTTON'], value('button')),
    of(['FLIP'], {
      measurements: [{ from: '/data', name: 'orientation', type: 'text' }],
    }),
    of(['LIGHT'], {
      measurements: [
        colour('light_red', 0),
        colour('light_green', 1),
        colour('light_blue', 2),
        colour('light_infrared', 3),
      ],
    }),
    of(['RSRP'], { radio: { rsrp: { from: '/data' } } }),
    // GPS is the older word for GNSS; a sentence of the receiver was opened into an object.
    of(['GNSS', 'GPS'], {
      when: [{ from: '/data', is: 'object' }],
      measurements: [
        { from: '/data/lat', name: 'latitude', unit: 'lat', type: 'number' },
        { from: '/data/lng', name: 'longitude', unit: 'lon', type: 'number' },
        { from: '/data/alt', name: 'altitude', unit: 'm', type: 'number' },
        { from: '/data/acc', name: 'accuracy', unit: 'm', type: 'number' },
        { from: '/data/spd', name: 'speed', unit: 'm/s', type: 'number' },
        { from: '/data/hdg', name: 'heading', unit: 'deg', type: 'number' },
        { from: '/data/latitude', name: 'latitude', unit: 'lat', type: 'number' },
        { from: '/data/longitude', name: 'longitude', unit: 'lon', type: 'number' },
        { from: '/data/altitude', name: 'altitude', unit: 'm', type: 'number' },
        { from: '/data/satellites', name: 'satellites', type: 'number' },
      ],
    }),
    of(['DEVICE'], {
      measurements: [
        {
          from: '/data/deviceInfo/batteryVoltage',
          name: 'battery_voltage',
          unit: 'V',
          type: 'number',
          scale: 0.001,
        },
        { from: '/data/deviceInfo/modemFirmware', name: 'modem_firmware', type: 'text' },
        { from: '/data/deviceInfo/appVersion', name: 'application_version', type: 'text' },
        { from: '/data/deviceInfo/board', name: 'board', type: 'text' },
      ],
      radio: { known: { from: '/data/networkInfo' } },
    }),
    // -157 and -34.5 stand for "unknown"; no modem may report them, so the radio leaves them out.
    of(['CELL_POS', 'GROUND_FIX'], { radio: { known: { from: '/data/lte/0' } } }),
    of(['SCELL'], { radio: { known: { from: '/data' } } }),
    of(['ALERT'], {
      event: 'alert',
      measurements: [
        { from: '/value', name: 'alert_value', type: 'number' },
        { from: '/type', name: 'alert_type', type: 'number' },
        { from: '/desc', name: 'alert', type: 'text' },
      ],
    }),
    of(['LOG'], { event: 'log' }),
    { ...stamped, when: [{ from: '/appId', exists: true }], event: 'other' },
  ],
};
