/** `fieldgate keys export`: keys of devices for another server, wrapped and never in clear. */
import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs';
import { resolve } from 'node:path';
import { Command } from 'commander';
import type { Config } from '../../config/schema.ts';
import { openAuditLog } from '../holdings/audit-log.ts';
import { existingKeyPlaceOf, kekOf } from '../holdings/device-key-place.ts';
import { openState } from '../ledger/lmdb-files.ts';
import { DeviceRegistry } from '../lorawan/device-registry.ts';
import { JoinBook } from '../lorawan/join-book.ts';
import { exportKeys, type KeyExport, type SharedKek } from '../lorawan/key-export.ts';
import { openKeyVault } from '../lorawan/key-vault.ts';
import { systemClock } from '../model/clock.ts';
import { parseEui64 } from '../model/eui.ts';
import { readConfiguration } from './configuration.ts';

interface ExportOptions {
  readonly config?: string;
  readonly kek: string;
  readonly out?: string;
}

export function keysExportCommand(): Command {
  return new Command('export')
    .description('devices with their keys wrapped (RFC 3394), as `devices import` reads them')
    .argument('[ids...]', 'ids of devices; all that have keys if absent')
    .option('-c, --config <file>', 'YAML configuration: dataDir, keyFile, keys')
    .requiredOption('--kek <label>', 'the key of keys.keks that they are wrapped with')
    .option('--out <file>', 'JSON, mode 0600, in place of standard output')
    .action(exportAll);
}

/** Exit codes: 0 all of them, 1 some are unknown or do not open, 2 no such key. */
async function exportAll(ids: readonly string[], options: ExportOptions): Promise<void> {
  const config = readConfiguration(options.config);
  if (config === undefined) return;
  const key = kekOf(config)(options.kek);
  if (key === undefined) {
    process.stderr.write(`fieldgate: no key of keys.keks has the label ${options.kek}\n`);
    process.exitCode = 2;
    return;
  }
  const wanted = ids.length === 0 ? undefined : ids.map((id) => parseEui64(id) ?? id);
  const found = await readWrapped(config, { label: options.kek, key }, wanted);
  write(`${JSON.stringify(found.devices, null, 2)}\n`, options.out);
  const known = new Set([...found.unreadable, ...found.devices.map(({ id }) => id)]);
  const unknown = wanted?.filter((id) => !known.has(id)) ?? [];
  const problems = [
    ...unknown.map((id) => `${id} is no device with keys`),
    ...found.unreadable.map((id) => `${id} has keys that cannot be opened`),
  ];
  for (const problem of problems) process.stderr.write(`fieldgate: ${problem}\n`);
  if (problems.length > 0) process.exitCode = 1;
}

/** It is written down who took keys away, before they are given. */
async function readWrapped(
  config: Config,
  kek: SharedKek,
  ids: readonly string[] | undefined,
): Promise<KeyExport> {
  const directory = resolve(config.dataDir);
  const { path, protection } = existingKeyPlaceOf(config, directory);
  const state = openState({ directory });
  const now = () => systemClock.now();
  const log = { error: (fields: object) => process.stderr.write(`${JSON.stringify(fields)}\n`) };
  const audit = openAuditLog(state, { entriesMax: config.audit.entriesMax, now, log });
  try {
    const vault = openKeyVault(path, protection);
    const registry = new DeviceRegistry(state, vault);
    const joinBook = new JoinBook(state, vault);
    const found = exportKeys({ registry, joinBook }, kek, ids);
    const detail = `${found.devices.length} devices exported under the KEK ${kek.label}`;
    audit.append({ event: 'keys', by: 'command line', detail });
    return found;
  } finally {
    await audit.flushed();
    await state.close();
  }
}

/** The file must not exist: nothing is written over, and nobody else has it open. */
function write(text: string, file: string | undefined): void {
  if (file === undefined) {
    process.stdout.write(text);
    return;
  }
  const descriptor = openSync(file, 'wx', 0o600);
  try {
    writeSync(descriptor, text);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
