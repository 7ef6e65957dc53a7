/** Every shipped mapping. To add one: its file, one line here, its messages in the tests. */
import type { MappingProfile } from '../../../../config/mapping-schema.ts';
import { cassia } from './cassia.ts';
import { kingPigeon } from './king-pigeon.ts';
import { lab5eSpan } from './lab5e-span.ts';
import { milesightCamera } from './milesight-camera.ts';
import { neuron } from './neuron.ts';
import { nrfCloud } from './nrf-cloud.ts';
import { onceOs } from './once-os.ts';
import { particle } from './particle.ts';
import { sodaq } from './sodaq.ts';
import { teltonikaDataToServer } from './teltonika-data-to-server.ts';
import { teltonikaMonitoring } from './teltonika-monitoring.ts';
import { vega } from './vega.ts';

export const profiles: readonly MappingProfile[] = [
  cassia,
  kingPigeon,
  lab5eSpan,
  milesightCamera,
  neuron,
  nrfCloud,
  onceOs,
  particle,
  sodaq,
  teltonikaDataToServer,
  teltonikaMonitoring,
  vega,
];

export function findProfile(name: string): MappingProfile | undefined {
  return profiles.find((profile) => profile.name === name);
}
