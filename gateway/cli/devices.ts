/**
 * `fieldgate devices import`, `rotate` and `revoke`: many devices at once, and the MQTT credentials
 * of single ones. Secrets are drawn here, written once to a file that only its owner reads, and
 * kept as hashes. A running gateway takes every change at once.
 */
import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, writeSync } from 'node:fs';
import { resolve } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import type { RootDatabase } from 'lmdb';
import type { Config } from '../../config/schema.ts';
import { parseDeviceTable } from '../../dashboard/device-table.ts';
import { openAuditLog } from '../audit-log.ts';
import {
  type DeviceCredentials,
  type DrawnSecret,
  drawSecrets,
  openDeviceCredentials,
} from '../device-credentials.ts';
import { kekOf, keyPlaceOf } from '../device-key-place.ts';
import { claimDirectory } from '../ledger/data-directory.ts';
import { openState } from '../ledger/lmdb-files.ts';
import { fromExport, rowsOfExport } from '../lorawan/device-exports.ts';
import { parseDeviceInput } from '../lorawan/device-input.ts';
import { DeviceRegistry } from '../lorawan/device-registry.ts';
import { openKeyVault } from '../lorawan/key-vault.ts';
import type { KekOf } from '../lorawan/key-wrap.ts';
import { systemClock } from '../model/clock.ts';
import { readConfiguration } from './configuration.ts';

interface FileOptions {
  readonly config?: string;
  readonly credentials?: string;
}

const hourMs = 3_600_000;
const groupSize = 500;

export function devicesCommand(): Command {
  const config = ['-c, --config <file>', 'YAML configuration, for its dataDir'] as const;
  const out = ['--credentials <file>', 'CSV that the secrets are written to, mode 0600'] as const;
  const load = new Command('import')
    .description('register devices from CSV or JSON; the gateway must not run')
    .argument('<file>', 'CSV with a header, a JSON array, or what another server exports')
    .option(...config)
    .option(...out)
    .option('--application <name>', 'for {application} in the topic filters of their credentials')
    .action(importDevices);
  const rotate = new Command('rotate')
    .description('draw new secrets; the old ones stay valid for a while')
    .argument('<ids...>', 'ids of devices')
    .option(...config)
    .requiredOption(...out)
    .option('--overlap-hours <hours>', 'how long', parseHours, 72)
    .action(rotateSecrets);
  const revoke = new Command('revoke')
    .description('take credentials away; connections made with them end')
    .argument('<ids...>', 'ids of devices')
    .option(...config)
    .action(revokeSecrets);
  const command = new Command('devices').description('devices and their MQTT credentials');
  return command.addCommand(load).addCommand(rotate).addCommand(revoke);
}

function parseHours(text: string): number {
  const hours = Number(text);
  if (text !== '' && hours >= 0 && hours <= 8_784) return hours;
  throw new InvalidArgumentError('a number from 0 to 8784');
}

async function importDevices(
  file: string,
  { application, ...options }: FileOptions & { readonly application?: string },
): Promise<void> {
  const config = readConfiguration(options.config);
  if (config === undefined) return;
  const rows = rowsIn(readFileSync(file, 'utf8'), kekOf(config));
  await withState(config, async ({ state, credentials, note, dataDir }) => {
    const claim = await claimDirectory(dataDir);
    try {
      const { path, protection } = keyPlaceOf(config, dataDir);
      const vault = openKeyVault(path, protection);
      const taken = await register(new DeviceRegistry(state, vault), rows);
      const fresh = taken.filter(({ deviceId }) => credentials.find(deviceId) === undefined);
      const drawn = drawSecrets(fresh.map((device) => ({ ...device, application })));
      if (options.credentials !== undefined) {
        writeSecrets(options.credentials, drawn);
        await credentials.create(drawn);
        note(`created for ${drawn.length} devices`);
      }
      const failed = rows.length - taken.length;
      process.stdout.write(`${taken.length} devices registered, ${failed} refused\n`);
      if (failed > 0) process.exitCode = 1;
    } finally {
      await claim.release();
    }
  });
}

/** What the API imports: a list of devices, or what another server exports, as JSON or CSV. */
function rowsIn(text: string, keks: KekOf): readonly unknown[] {
  const isJson = /^\s*[[{]/.test(text);
  const rows = isJson ? rowsOfExport(JSON.parse(text)) : parseDeviceTable(text);
  if (rows === undefined) throw new Error('the file is no JSON array, nor an export with a list');
  return rows.map((row) => fromExport(row, keks));
}

/** Those that are registered now; what is wrong with the others is said with the row. */
async function register(registry: DeviceRegistry, rows: readonly unknown[]) {
  const taken: { deviceId: string; agency: string | undefined }[] = [];
  for (let at = 0; at < rows.length; at += groupSize) {
    const group = rows.slice(at, at + groupSize).map(async (row, index) => {
      const parsed = parseDeviceInput(row);
      const problems =
        'problems' in parsed ? parsed.problems : await registry.put(parsed.device, parsed.keys);
      if ('device' in parsed && problems.length === 0) {
        const { id, agency } = parsed.device;
        taken.push({ deviceId: id, agency });
      }
      for (const { path, message } of problems) {
        process.stderr.write(`row ${at + index + 1}: ${path}: ${message}\n`);
      }
    });
    await Promise.all(group);
  }
  return taken;
}

async function rotateSecrets(
  ids: readonly string[],
  options: FileOptions & { readonly overlapHours: number },
): Promise<void> {
  const config = readConfiguration(options.config);
  if (config === undefined || options.credentials === undefined) return;
  const out = options.credentials;
  await withState(config, async ({ credentials, note }) => {
    const known = ids.filter((id) => credentials.find(id) !== undefined);
    sayUnknown(ids, known);
    const drawn = drawSecrets(known.map((deviceId) => ({ deviceId })));
    writeSecrets(out, drawn);
    const until = systemClock.now() + options.overlapHours * hourMs;
    for (const each of drawn) await credentials.rotate(each, { until });
    for (const id of known) note(`rotated, the old one until ${timeText(until)}`, id);
  });
}

async function revokeSecrets(ids: readonly string[], options: FileOptions): Promise<void> {
  const config = readConfiguration(options.config);
  if (config === undefined) return;
  await withState(config, async ({ credentials, note }) => {
    const gone: string[] = [];
    for (const id of ids) if (await credentials.revoke(id)) gone.push(id);
    for (const id of gone) note('revoked', id);
    sayUnknown(ids, gone);
  });
}

function sayUnknown(ids: readonly string[], known: readonly string[]): void {
  for (const id of ids.filter((each) => !known.includes(each))) {
    process.stderr.write(`fieldgate: ${id} has no credential\n`);
    process.exitCode = 1;
  }
}

interface StateParts {
  readonly state: RootDatabase<unknown, string>;
  readonly dataDir: string;
  readonly credentials: DeviceCredentials;
  note(detail: string, credential?: string): void;
}

async function withState(
  config: Config,
  work: (parts: StateParts) => Promise<void>,
): Promise<void> {
  const dataDir = resolve(config.dataDir);
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const state = openState({ directory: dataDir });
  const now = () => systemClock.now();
  const { entriesMax } = config.audit;
  const log = { error: (fields: object) => process.stderr.write(`${JSON.stringify(fields)}\n`) };
  const audit = openAuditLog(state, { entriesMax, now, log });
  const note = (detail: string, credential?: string) =>
    audit.append({ event: 'credential', by: 'command line', credential, detail });
  try {
    await work({ state, dataDir, credentials: openDeviceCredentials(state, now), note });
  } finally {
    await audit.flushed();
    await state.close();
  }
}

/**
 * Before the hashes are stored: a secret that nobody has is worse than one that opens nothing. The
 * file must not exist, so that no secrets of an earlier run are lost.
 */
function writeSecrets(file: string, drawn: readonly DrawnSecret[]): void {
  const lines = drawn.map(({ deviceId, secret }) => `${deviceId},${deviceId},${secret}\n`);
  const descriptor = openSync(file, 'wx', 0o600);
  try {
    writeSync(descriptor, ['id,username,password\n', ...lines].join(''));
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function timeText(time: number): string {
  return new Date(time).toISOString();
}
