/**
 * `fieldgate devices import`: many devices at once, with a credential for each if asked. Into the
 * running gateway by its API, or into the data directory of one that does not run.
 */
import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs';
import { Command } from 'commander';
import { parseDeviceTable } from '../../dashboard/api/device-table.ts';
import { drawSecrets } from '../holdings/device-credentials.ts';
import { kekOf, keyPlaceOf } from '../holdings/device-key-place.ts';
import { claimDirectory } from '../ledger/data-directory.ts';
import { fromExport, rowsOfExport } from '../lorawan/device-exports.ts';
import { parseDeviceInput } from '../lorawan/device-input.ts';
import { DeviceRegistry, type PutRow } from '../lorawan/device-registry.ts';
import { openKeyVault } from '../lorawan/key-vault.ts';
import type { KekOf } from '../lorawan/key-wrap.ts';
import { readConfiguration } from './configuration.ts';
import {
  type GatewayClient,
  type GatewayOptions,
  gatewayClient,
  withGatewayOptions,
} from './gateway-client.ts';
import { readInputText } from './input-file.ts';
import { parseObjects } from './json-stream.ts';
import { withState } from './local-state.ts';

interface ImportOptions extends GatewayOptions {
  readonly credentials?: string;
  readonly application?: string;
  readonly results?: string;
  readonly atomic?: boolean;
  readonly json?: boolean;
}

interface NewDevice {
  readonly deviceId: string;
  readonly agency: string | undefined;
}

interface RowResult {
  /** From 1 on. */
  readonly row: number;
  /** Absent when the row is refused. */
  readonly device?: NewDevice;
  readonly problems: readonly string[];
}

/** Where devices and secrets go to. */
interface Destination {
  /** One result a row, in order. With `isAtomic`, all rows or none. */
  register(rows: readonly Row[], isAtomic: boolean): Promise<readonly RowResult[]>;
  /** The secrets of those that had none, which are stored only when `keep` has returned. */
  create(devices: readonly NewDevice[], keep: (drawn: readonly Drawn[]) => void): Promise<void>;
}

interface Drawn {
  readonly deviceId: string;
  readonly secret: string;
}

interface Row {
  readonly row: number;
  readonly input: unknown;
}

/** Rows between two words on how far it is; as many as the API makes credentials for at once. */
const batchSize = 1_000;

export function importCommand(): Command {
  const command = new Command('import')
    .description('register devices from CSV or JSON, in the running gateway or in its dataDir')
    .argument('<file>', 'CSV with a header, a JSON array, or an export of a network server')
    .option('--credentials <file>', 'CSV that the secrets are written to, mode 0600')
    .option('--application <name>', 'for {application} in the topic filters of their credentials')
    .option('--results <file>', 'CSV with a line for each row: what became of it')
    .option('--atomic', 'all rows or none')
    .option('--json', 'print how many as JSON');
  return withGatewayOptions(command)
    .addHelpText('after', '\nWithout --url or --token-file, the gateway must not run.')
    .action(importDevices);
}

/** More than 100,000 devices with all their columns. */
const tableBytesMax = 268_435_456;

async function importDevices(file: string, options: ImportOptions): Promise<void> {
  const rows = readRows(file, readInputText(file, tableBytesMax));
  const isRunning = options.url !== undefined || options.tokenFile !== undefined;
  if (isRunning) {
    const client = await gatewayClient(options);
    if (client !== undefined) await run(rows, options, overApi(client, options.application));
    return;
  }
  const config = readConfiguration(options.config);
  if (config === undefined) return;
  await withState(config, async ({ state, credentials, note, dataDir }) => {
    const claim = await claimDirectory(dataDir).catch((error: unknown) => {
      const words = error instanceof Error ? error.message : String(error);
      throw new Error(`${words}; give --token-file to import into the running gateway`);
    });
    try {
      const { path, protection } = keyPlaceOf(config, dataDir);
      const registry = new DeviceRegistry(state, openKeyVault(path, protection));
      const keks = kekOf(config);
      const { application } = options;
      await run(rows, options, {
        register: (batch, isAtomic) => registerHere(registry, opened(batch, keks), isAtomic),
        create: async (devices, keep) => {
          const fresh = devices.filter(({ deviceId }) => credentials.find(deviceId) === undefined);
          const drawn = drawSecrets(fresh.map((device) => ({ ...device, application })));
          keep(drawn);
          await credentials.create(drawn);
          if (drawn.length > 0) note(`created for ${drawn.length} devices`);
        },
      });
    } finally {
      await claim.release();
    }
  });
}

function readRows(file: string, text: string): readonly Row[] {
  const isJson = /^\s*[[{]/.test(text);
  const inputs = isJson ? rowsOfExport(jsonOf(file, text)) : parseDeviceTable(text);
  if (inputs === undefined) {
    throw new Error(`${file}: is neither a table nor a list of devices; ${howToWrite}`);
  }
  if (inputs.length === 0) throw new Error(`${file}: has no devices; ${howToWrite}`);
  return inputs.map((input, index) => ({ row: index + 1, input }));
}

const howToWrite = '`fieldgate devices template` prints a table to fill in';

/** One value, or a stream of objects. */
function jsonOf(file: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    const rows = parseObjects(text);
    if (rows !== undefined) return rows;
    throw new Error(`${file}: begins like JSON and is none; ${howToWrite}`);
  }
}

/** In the words of a device here, its keys in clear. */
function opened(rows: readonly Row[], keks: KekOf): readonly Row[] {
  return rows.map(({ row, input }) => ({ row, input: fromExport(input, keks) }));
}

async function run(
  rows: readonly Row[],
  { credentials, results, atomic = false, json = false }: ImportOptions,
  destination: Destination,
): Promise<void> {
  // Opened first: what cannot be written down is not asked for.
  const secrets = openTable(credentials, 'id,username,password');
  const outcomes = openTable(results, 'row,id,result,detail');
  const taken: NewDevice[] = [];
  try {
    const size = atomic ? Math.max(1, rows.length) : batchSize;
    for (let at = 0; at < rows.length; at += size) {
      const batch = rows.slice(at, at + size);
      for (const result of await destination.register(batch, atomic)) {
        if (result.device !== undefined) taken.push(result.device);
        outcomes.write([resultLine(result)]);
        for (const problem of result.problems) sayOf(result.row, problem);
      }
      sayProgress('rows', Math.min(at + size, rows.length), rows.length);
    }
    for (let at = 0; credentials !== undefined && at < taken.length; at += batchSize) {
      await destination.create(taken.slice(at, at + batchSize), (drawn) =>
        secrets.write(drawn.map(({ deviceId, secret }) => [deviceId, deviceId, secret])),
      );
      sayProgress('credentials', Math.min(at + batchSize, taken.length), taken.length);
    }
  } finally {
    secrets.close();
    outcomes.close();
  }
  const failed = rows.length - taken.length;
  const counts = { registered: taken.length, refused: failed };
  const words = `${counts.registered} devices registered, ${counts.refused} refused`;
  process.stdout.write(`${json ? JSON.stringify(counts) : words}\n`);
  if (failed > 0) process.exitCode = 1;
}

function resultLine({ row, device, problems }: RowResult): readonly string[] {
  const result = device === undefined ? 'refused' : 'registered';
  return [String(row), device?.deviceId ?? '', result, problems.join('; ')];
}

function sayOf(row: number, problem: string): void {
  // What stands in the file must not steer the terminal.
  process.stderr.write(`row ${row}: ${problem.replaceAll(/\p{Cc}/gu, '\uFFFD')}\n`);
}

/** A short import is over before anybody asks. */
function sayProgress(what: string, done: number, all: number): void {
  if (all > batchSize) process.stderr.write(`${done} of ${all} ${what}\n`);
}

/**
 * Mode 0600; the file must not exist, so that no secrets of an earlier run are lost. Each write is
 * on disk when it returns. Without a file nothing is written.
 */
function openTable(file: string | undefined, head: string) {
  if (file === undefined) return { write: () => {}, close: () => {} };
  const descriptor = openSync(file, 'wx', 0o600);
  writeSync(descriptor, `${head}\n`);
  return {
    write: (lines: readonly (readonly string[])[]) => {
      const text = lines.map((fields) => `${fields.map(quoted).join(',')}\n`).join('');
      writeSync(descriptor, text);
      fsyncSync(descriptor);
    },
    close: () => closeSync(descriptor),
  };
}

/** [RFC 4180, section 2]. */
function quoted(field: string): string {
  return /[",\r\n]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field;
}

const othersAtFault = 'not imported: other rows are at fault';

async function registerHere(
  registry: DeviceRegistry,
  batch: readonly Row[],
  isAtomic: boolean,
): Promise<readonly RowResult[]> {
  const inputs = batch.map(({ input }) => input);
  const done = await (isAtomic ? registry.putAll(inputs) : putEach(registry, inputs));
  const isBarred = isAtomic && done.some(({ problems }) => problems.length > 0);
  return batch.map(({ row }, index) => {
    const { device, problems } = done[index] ?? { problems: [] };
    if (problems.length > 0) return { row, problems: problems.map(wordsOf) };
    if (isBarred || device === undefined) return { row, problems: [othersAtFault] };
    return { row, device: { deviceId: device.id, agency: device.agency }, problems: [] };
  });
}

function putEach(registry: DeviceRegistry, inputs: readonly unknown[]): Promise<PutRow[]> {
  return Promise.all(
    inputs.map(parseDeviceInput).map(async (read) => {
      if ('problems' in read) return read;
      const { device, keys } = read;
      return { device, problems: await registry.put(device, keys) };
    }),
  );
}

function wordsOf({ path, message }: { readonly path: string; readonly message: string }): string {
  return path === '' ? message : `${path}: ${message}`;
}

function overApi(client: GatewayClient, application: string | undefined): Destination {
  return {
    register: async (batch, isAtomic) => {
      const path = `/devices:import${isAtomic ? '?atomic=true' : ''}`;
      const inputs = batch.map(({ input }) => input);
      const answer = listIn(await client.ask('POST', path, inputs), 'rows');
      return batch.map(({ row, input }, index) => {
        const result = fieldsOf(answer[index]);
        if (result.get('ok') === true) {
          const device = { deviceId: String(result.get('id')), agency: agencyIn(input) };
          return { row, device, problems: [] };
        }
        const errors = listIn(answer[index], 'errors').map(fieldsOf);
        const problems = errors.map((error) =>
          wordsOf({ path: String(error.get('path')), message: String(error.get('detail')) }),
        );
        return { row, problems };
      });
    },
    create: async (devices, keep) => {
      const body = { devices, ...(application === undefined ? {} : { application }) };
      const items = listIn(await client.ask('POST', '/credentials', body), 'items').map(fieldsOf);
      const drawn = items.filter((item) => item.get('ok') === true);
      keep(
        drawn.map((item) => ({
          deviceId: String(item.get('deviceId')),
          secret: String(item.get('secret')),
        })),
      );
    },
  };
}

function agencyIn(input: unknown): string | undefined {
  const agency = fieldsOf(fromExport(input, () => undefined)).get('agency');
  return typeof agency === 'string' ? agency : undefined;
}

function fieldsOf(value: unknown): ReadonlyMap<string, unknown> {
  return new Map(typeof value === 'object' && value !== null ? Object.entries(value) : []);
}

function listIn(value: unknown, name: string): readonly unknown[] {
  const list = fieldsOf(value).get(name);
  return Array.isArray(list) ? list : [];
}
