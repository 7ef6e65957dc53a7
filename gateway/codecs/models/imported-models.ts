/**
 * Device models as `fieldgate codecs import` has written them: a file for each vendor. Another
 * process may write there while this one runs.
 */
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { DeviceModel } from '../../model/device-model.ts';

const flag = z.boolean().exactOptional();
const text = z.string().exactOptional();

const profile = z.object({
  macVersion: text,
  regionalParametersVersion: text,
  supportsJoin: flag,
  supportsClassB: flag,
  supportsClassC: flag,
});

const model = z.object({
  id: z.string().min(1).max(256),
  name: z.string(),
  description: text,
  sensors: z.array(z.string()),
  firmware: z.array(
    z.object({
      version: z.string(),
      hardwareVersions: z.array(z.string()),
      codec: text,
      regions: z.record(z.string(), profile),
    }),
  ),
});

const vendorFile = z.object({
  format: z.literal(1),
  vendor: z.object({ id: z.string(), name: z.string() }),
  models: z.array(model),
});

interface KeptFile {
  readonly stamp: string;
  readonly models: readonly DeviceModel[];
  readonly problem?: string;
}

export interface ImportedModels {
  /** Reads what has changed; true when anything has. */
  refresh(): boolean;
  all(): Iterable<DeviceModel>;
  /** Takes one out of its file; the next import brings it back. */
  remove(id: string): void;
  problems(): readonly string[];
}

const fileBytesMax = 67_108_864;

export function openImportedModels(directory: string): ImportedModels {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const files = new Map<string, KeptFile>();

  function refresh(): boolean {
    const names = readdirSync(directory).filter((name) => name.endsWith('.json'));
    let isChanged = false;
    for (const name of new Set([...names, ...files.keys()])) {
      const stamp = stampOf(join(directory, name));
      if (stamp === files.get(name)?.stamp) continue;
      isChanged = true;
      if (stamp === undefined) files.delete(name);
      else files.set(name, readFile(join(directory, name), name, stamp));
    }
    return isChanged;
  }

  return {
    refresh,
    *all() {
      for (const { models } of files.values()) yield* models;
    },
    remove(id) {
      for (const [name, { models }] of files) {
        if (!models.some((one) => one.id === id)) continue;
        const path = join(directory, name);
        const written = vendorFile.parse(JSON.parse(readFileSync(path, 'utf8')));
        const left = written.models.filter((one) => one.id !== id);
        writeFileSync(`${path}.tmp`, JSON.stringify({ ...written, models: left }, null, 1));
        renameSync(`${path}.tmp`, path);
      }
      refresh();
    },
    problems: () => [...files.values()].flatMap(({ problem }) => problem ?? []),
  };
}

function stampOf(path: string): string | undefined {
  if (!existsSync(path)) return undefined;
  const found = statSync(path, { throwIfNoEntry: false });
  return found && `${found.mtimeMs}:${found.size}:${found.ino}`;
}

function readFile(path: string, name: string, stamp: string): KeptFile {
  try {
    if (statSync(path).size > fileBytesMax) throw new Error('it is too large');
    const { vendor, models } = vendorFile.parse(JSON.parse(readFileSync(path, 'utf8')));
    return { stamp, models: models.map((one) => ({ ...one, vendor: vendor.name })) };
  } catch (error) {
    const [line] = (error instanceof Error ? error.message : String(error)).split('\n');
    return { stamp, models: [], problem: `models/${name}: it cannot be read: ${line}` };
  }
}
