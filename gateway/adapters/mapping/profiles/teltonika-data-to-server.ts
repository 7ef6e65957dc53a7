/**
 * Teltonika routers, "Data to Server". The JSON is the operator's own template; this reads the
 * default one with the router's segments in an array or alone. Change `all` for another template.
 */
import type { MappingProfile } from '../../../../config/mapping-schema.ts';

export const teltonikaDataToServer: MappingProfile = {
  name: 'teltonika-data-to-server',
  topics: ['teltonika/{deviceId}/data'],
  embedded: [{ at: '/D', as: 'json' }],
  rules: [
    {
      when: [{ from: '/D', is: 'object' }],
      deviceId: { from: 'topic:deviceId' },
      time: { from: '/TS', unit: 'auto' },
      all: [{ from: '/D', channel: '{/DT}' }],
    },
    {
      deviceId: { from: 'topic:deviceId' },
      each: {
        from: '',
        gives: 'samples',
        when: [{ from: './D', exists: true }],
      },
      time: { from: './TS', unit: 'auto' },
      measurements: [{ from: './D', name: 'data', channel: '{./DT}' }],
    },
  ],
};
