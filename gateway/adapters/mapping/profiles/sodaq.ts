/** SODAQ NB-IoT boards as an operator's platform relays them: reports with the payload in hex. */
import type { MappingProfile } from '../../../../config/mapping-schema.ts';

export const sodaq: MappingProfile = {
  name: 'sodaq',
  topics: ['sodaq/{subscription}'],
  rules: [
    {
      each: { from: '/reports', gives: 'uplinks' },
      deviceId: { from: './serialNumber', kind: 'imei' },
      rxTime: { from: './timestamp', unit: 'ms' },
      payload: { from: './value', encoding: 'hex', required: true },
    },
  ],
};
