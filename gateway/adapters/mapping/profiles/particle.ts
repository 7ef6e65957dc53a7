/** Particle's cellular boards by the webhook of its cloud, with the default fields. */
import type { MappingProfile } from '../../../../config/mapping-schema.ts';

export const particle: MappingProfile = {
  name: 'particle',
  embedded: [{ at: '/data', as: 'json' }],
  rules: [
    {
      when: [{ from: '/event', oneOf: ['spark/status', 'spark/device/last_reset'] }],
      event: 'status',
      deviceId: { from: '/coreid' },
      rxTime: { from: '/published_at', unit: 'iso' },
    },
    {
      when: [{ from: '/data', is: 'object' }],
      deviceId: { from: '/coreid' },
      rxTime: { from: '/published_at', unit: 'iso' },
      all: [{ from: '/data' }],
    },
    {
      deviceId: { from: '/coreid' },
      rxTime: { from: '/published_at', unit: 'iso' },
      measurements: [{ from: '/data', name: '{/event}' }],
    },
  ],
};
