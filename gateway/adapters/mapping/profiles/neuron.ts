/** EMQX Neuron, an edge gateway for meters and controllers: both of its upload formats. */
import type { MappingProfile } from '../../../../config/mapping-schema.ts';

export const neuron: MappingProfile = {
  name: 'neuron',
  topics: ['/neuron/{application}/{driver}/{group}'],
  rules: [
    {
      when: [{ from: '/tags', is: 'array' }],
      deviceId: { from: '/node' },
      each: { from: '/tags', gives: 'samples' },
      time: { from: '/timestamp', unit: 'ms' },
      measurements: [
        { from: './value', name: '{./name}', channel: '{/group}' },
        { from: './error', name: '{./name}_error', channel: '{/group}', type: 'number' },
      ],
    },
    {
      when: [{ from: '/values', is: 'object' }],
      deviceId: { from: '/node' },
      time: { from: '/timestamp', unit: 'ms' },
      all: [
        { from: '/values', channel: '{/group}' },
        { from: '/errors', suffix: '_error', channel: '{/group}' },
      ],
    },
  ],
};
