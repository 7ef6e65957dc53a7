/** Lab5e Span: NB-IoT and LTE-M payloads by webhook or MQTT, in base64 for a codec. */
import type { MappingProfile } from '../../../../config/mapping-schema.ts';

export const lab5eSpan: MappingProfile = {
  name: 'lab5e-span',
  topics: ['span/{collection}/data'],
  rules: [
    {
      when: [{ from: '/type', equals: 'data' }],
      deviceId: { from: '/device/deviceId' },
      payload: { from: '/payload', encoding: 'base64', required: true },
      rxTime: { from: '/received', unit: 'auto' },
      messageKey: ['/messageId'],
      radio: {
        cellId: { from: '/device/metadata/ciot/cellId', placeholders: [0, '0'] },
        mcc: { from: '/device/metadata/ciot/mcc' },
        mnc: { from: '/device/metadata/ciot/mnc' },
      },
    },
  ],
};
