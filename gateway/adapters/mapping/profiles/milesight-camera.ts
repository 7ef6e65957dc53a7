/** Milesight 4G cameras: when a picture was taken. The picture itself stays in the ledger. */
import type { MappingProfile } from '../../../../config/mapping-schema.ts';

export const milesightCamera: MappingProfile = {
  name: 'milesight-camera',
  topics: ['milesight/camera/{name}'],
  rules: [
    {
      // The outer time is that of sending, in milliseconds; the inner one that of the picture.
      deviceId: { from: '/values/devMac' },
      time: { from: '/values/time', unit: 's' },
      messageKey: ['/ts', '/values/file'],
      all: [
        {
          from: '/values',
          exclude: ['devName', 'devMac', 'time', 'image'],
        },
      ],
    },
  ],
};
