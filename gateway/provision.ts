/** Puts the devices of the configuration into the registry; a bad one stops only itself. */
import type { Config } from '../config/schema.ts';
import type { CrossProblem } from './cross-check.ts';
import type { Log } from './log.ts';
import { parseDeviceInput } from './lorawan/device-input.ts';
import type { DeviceRegistry } from './lorawan/device-registry.ts';

/** Writes of one group to disk. */
const groupSize = 1_000;

export async function putConfiguredDevices(
  registry: DeviceRegistry,
  inputs: Config['devices'],
  problems: readonly CrossProblem[],
  log: Log,
): Promise<void> {
  for (const { path, detail } of problems) {
    log.warn(
      { event: 'device-problem', path, detail },
      'a device of the configuration is left out',
    );
  }
  for (let at = 0; at < inputs.length; at += groupSize) {
    const group = inputs.slice(at, at + groupSize);
    await Promise.all(
      group.map(async (input) => {
        const parsed = parseDeviceInput(input);
        if ('device' in parsed) await registry.put(parsed.device, parsed.keys);
      }),
    );
  }
}
