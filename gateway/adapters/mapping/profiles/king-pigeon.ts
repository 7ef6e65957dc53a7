/**
 * King Pigeon IOT100 input modules over 4G and NB-IoT. They publish on their serial number alone,
 * so their topics are the operator's, and they print local time, so the operator names its zone.
 */
import type { MappingProfile } from '../../../../config/mapping-schema.ts';

export const kingPigeon: MappingProfile = {
  name: 'king-pigeon',
  topics: ['king-pigeon/{deviceId}'],
  zone: 'UTC',
  rules: [
    {
      deviceId: { from: 'topic:deviceId' },
      each: { from: '/sensorDatas', gives: 'samples' },
      time: { from: './addTime', unit: 'local' },
      measurements: [
        { from: './switcher', name: 'digital_input', channel: '{./flag}', type: 'number' },
        { from: './value', name: 'value', channel: '{./flag}', type: 'number' },
      ],
    },
  ],
};
