/** Puts the devices and models of the configuration where they belong; a bad one stops only itself. */
import type { Config } from '../../config/schema.ts';
import type { ModelBook } from '../codecs/models/model-book.ts';
import { readModel } from '../codecs/models/model-input.ts';
import type { Log } from '../log.ts';
import { parseDeviceInput } from '../lorawan/device-input.ts';
import type { DeviceRegistry } from '../lorawan/device-registry.ts';

/** Writes of one group to disk. */
const groupSize = 1_000;

/** What is wrong with them is told by the check of the configuration. */
export async function putConfiguredDevices(
  registry: DeviceRegistry,
  inputs: Config['devices'],
): Promise<void> {
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

/** The same, but one that the book refuses is told here. */
export async function putConfiguredModels(
  models: Pick<ModelBook, 'put'>,
  inputs: Config['models'],
  log: Log,
): Promise<void> {
  for (const input of inputs) {
    const read = readModel(input);
    if ('problems' in read) continue;
    const refusal = await models.put(read.id, read.settings);
    if (refusal === undefined) continue;
    const fields = { event: 'model-problem', model: read.id, detail: refusal };
    log.warn(fields, 'a device model of the configuration is left out');
  }
}
