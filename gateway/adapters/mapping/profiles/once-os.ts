/**
 * 1NCE OS, an operator's platform: what devices send by UDP, CoAP and LwM2M comes by webhook. It
 * names a device by its SIM card alone, so the id is a hash.
 */
import type { MappingProfile, MappingRule } from '../../../../config/mapping-schema.ts';

const header: MappingRule = {
  deviceId: { from: '/device/iccid', kind: 'iccid' },
  rxTime: { from: '/received', unit: 'ms' },
};

const telemetry: MappingRule = { ...header, messageKey: ['/id'] };

const isTelemetry = { from: '/type', equals: 'TELEMETRY_DATA' };

export const onceOs: MappingProfile = {
  name: '1nce-os',
  topics: ['1nce/{topic}'],
  rules: [
    {
      ...telemetry,
      when: [isTelemetry, { from: '/payload/value', is: 'object' }],
      all: [{ from: '/payload/value' }],
    },
    {
      ...telemetry,
      when: [isTelemetry],
      payload: { from: '/payload/value', encoding: 'text', required: true },
    },
    { ...header, when: [{ from: '/type', equals: 'LIFECYCLE' }], event: 'lifecycle' },
    { ...header, when: [{ from: '/type', equals: 'ERROR' }], event: 'error' },
    { ...header, when: [{ from: '/type', equals: 'GEOFENCE' }], event: 'geofence' },
    { ...header, when: [{ from: '/type', equals: 'LOCATION' }], event: 'location' },
    { when: [{ from: '/type', equals: 'TEST_MESSAGE' }], event: 'test' },
  ],
};
