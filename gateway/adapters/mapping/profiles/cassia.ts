/** Cassia gateways with a cellular uplink: the status that they publish every five minutes. */
import type { MappingProfile } from '../../../../config/mapping-schema.ts';

export const cassia: MappingProfile = {
  name: 'cassia',
  topics: ['up/{gateway}/gateway_status'],
  rules: [
    {
      when: [{ from: '/action', equals: 'gateway_status' }],
      event: 'gateway_status',
      deviceId: { from: '/gateway' },
      gateways: { id: { from: '/gateway' } },
      rxTime: { from: '/timestamp', unit: 'ms' },
      time: { from: '/timestamp', unit: 'ms' },
      measurements: [
        { from: '/data/uptime', name: 'uptime', unit: 's', type: 'number' },
        { from: '/data/RSSI', name: 'rssi', unit: 'dBm', type: 'number' },
        { from: '/data/uplink', name: 'uplink', type: 'text' },
        { from: '/data/model', name: 'model', type: 'text' },
        { from: '/data/version', name: 'version', type: 'text' },
      ],
    },
  ],
};
