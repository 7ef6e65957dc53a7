/**
 * What a fleet must not forget between two runs into one gateway: nonces and counters, which a
 * gateway rightly takes for replays when they come again.
 */
import { readFile, rename, writeFile } from 'node:fs/promises';
import { SettingsUnreadable } from '../capture/replay-settings.ts';

export interface DeviceMemory {
  /** DevNonces it has used, RJcount1 included apart. */
  readonly devNonces: number;
  readonly rejoins: number;
  /** The last JoinNonce that its network has given. */
  readonly joinNonce: number;
  /** The next counters of a session that was given to it; 0 for one that joins. */
  readonly nextUp: number;
  readonly nextDown: number;
}

/** By DevEUI. */
export type FleetMemory = Map<string, DeviceMemory>;

const names = ['devNonces', 'rejoins', 'joinNonce', 'nextUp', 'nextDown'] as const;
const format = 'fieldgate-fleet-memory';

/** Empty while there is no such file. Rejects with a SettingsUnreadable when it is of others. */
export async function readFleetMemory(file: string, seed: string): Promise<FleetMemory> {
  const text = await readFile(file, 'utf8').catch(ignoreMissing);
  if (text === undefined) return new Map();
  const fields = fieldsOf(parsed(text));
  if (fields['format'] !== format) throw new SettingsUnreadable(`${file} is no memory of a fleet`);
  if (fields['seed'] !== seed) {
    throw new SettingsUnreadable(
      `${file} is of the seed ${String(fields['seed'])}, not of ${seed}`,
    );
  }
  const devices = Object.entries(fieldsOf(fields['devices']));
  return new Map(devices.map(([devEui, counters]) => [devEui, memoryOf(fieldsOf(counters), file)]));
}

/** Atomic: a crash leaves the old memory or the new one. */
export async function writeFleetMemory(
  file: string,
  seed: string,
  memory: FleetMemory,
): Promise<void> {
  const text = JSON.stringify({ format, seed, devices: Object.fromEntries(memory) });
  await writeFile(`${file}.new`, `${text}\n`);
  await rename(`${file}.new`, file);
}

function memoryOf(fields: Readonly<Record<string, unknown>>, file: string): DeviceMemory {
  const [devNonces, rejoins, joinNonce, nextUp, nextDown] = names.map((name) => {
    const value = fields[name];
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
    throw new SettingsUnreadable(`${file}: ${name} is no counter`);
  });
  const rest = { joinNonce: joinNonce ?? 0, nextUp: nextUp ?? 0, nextDown: nextDown ?? 0 };
  return { devNonces: devNonces ?? 0, rejoins: rejoins ?? 0, ...rest };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  return isObject ? Object.fromEntries(Object.entries(value)) : {};
}

function ignoreMissing(error: unknown): undefined {
  const isObject = typeof error === 'object' && error !== null;
  if (isObject && 'code' in error && error.code === 'ENOENT') return undefined;
  throw error;
}
