/**
 * Teltonika routers and TRB gateways, "Monitoring via MQTT": one bare value per topic, without a
 * time. They answer when asked: somebody has to publish the question, see docs/sources.
 */
import type { MappingProfile, MappingRule } from '../../../../config/mapping-schema.ts';

const device = { deviceId: { from: 'topic:serial' } } as const;

function named(parameter: string): Pick<MappingRule, 'when' | 'deviceId'> {
  return { ...device, when: [{ from: 'topic:parameter', equals: parameter }] };
}

export const teltonikaMonitoring: MappingProfile = {
  name: 'teltonika-monitoring',
  topics: ['router/{serial}/{parameter}', 'device/{serial}/{parameter}'],
  body: 'text',
  rules: [
    {
      ...named('temperature'),
      measurements: [
        { from: '', name: 'device_temperature', unit: 'Cel', type: 'number', scale: 0.1 },
      ],
    },
    { ...named('signal'), radio: { rssi: { from: '' } } },
    { ...named('network'), radio: { rat: { from: '' } } },
    {
      ...named('uptime'),
      measurements: [{ from: '', name: 'uptime', unit: 's', type: 'number' }],
    },
    { ...named('analog'), measurements: [{ from: '', name: 'analog_input', type: 'number' }] },
    {
      ...device,
      when: [{ from: 'topic:parameter', oneOf: ['digital1', 'digital2', 'pin'] }],
      measurements: [{ from: '', name: 'digital_input', channel: '{topic:parameter}' }],
    },
    {
      ...device,
      when: [{ from: 'topic:parameter', oneOf: ['connection', 'operator', 'name'] }],
      measurements: [{ from: '', name: '{topic:parameter}', type: 'text' }],
    },
    { ...named('wan'), event: 'wan' },
    { ...device, event: 'other' },
  ],
};
