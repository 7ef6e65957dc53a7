/**
 * `fieldgate keys`: the key file that seals the keys of the devices. It is made, looked at, given a
 * new key, or moved under another protection, while the gateway runs.
 */
import { resolve } from 'node:path';
import { Command } from 'commander';
import { existingKeyPlaceOf, keyPlaceOf } from '../holdings/device-key-place.ts';
import { makeDataDirectory } from '../ledger/data-directory.ts';
import { openState } from '../ledger/lmdb-files.ts';
import { createKeyRing, keyIdOf } from '../lorawan/key-ring.ts';
import { countSealedKeys, rotateKeys } from '../lorawan/key-rotation.ts';
import { openKeyVault } from '../lorawan/key-vault.ts';
import { readConfiguration } from './configuration.ts';
import { keysExportCommand } from './keys-export.ts';

interface KeysOptions {
  readonly config?: string;
  readonly json?: boolean;
}

const configWords = ['-c, --config <file>', 'YAML configuration: dataDir, keyFile, keys'] as const;

const fromPrefix = 'FIELDGATE_FROM__';

export function keysCommand(): Command {
  const init = new Command('init')
    .description('make the key file, under the protection of the configuration')
    .option(...configWords)
    .option('--json', 'print JSON')
    .action(initialise);
  const status = new Command('status')
    .description('open the key file, and count what is sealed under its keys')
    .option(...configWords)
    .option('--json', 'print JSON')
    .action(tellStatus);
  const rotate = new Command('rotate')
    .description('seal all device keys under a new key; the gateway may be running')
    .option(...configWords)
    .option('--from <file>', 'configuration that opens the key file as it is, when that changes')
    .option('--json', 'print JSON')
    .action(rotateAll);
  const command = new Command('keys');
  const all = [init, status, rotate, keysExportCommand()];
  for (const one of all) command.addCommand(one);
  return command;
}

function say(result: object, text: string, json: boolean | undefined): void {
  process.stdout.write(`${json === true ? JSON.stringify(result) : text}\n`);
}

/** Never over one that is there: everything sealed under it would be lost. */
function initialise({ config: file, json }: KeysOptions): void {
  const config = readConfiguration(file);
  if (config === undefined) return;
  const directory = resolve(config.dataDir);
  const { path, protection } = keyPlaceOf(config, directory);
  makeDataDirectory(directory);
  const key = createKeyRing({ path, protection });
  if (key === undefined) throw new Error(`the key file ${path} exists already`);
  const kind = protection?.kind ?? 'file';
  const result = { path, protection: kind, keyId: keyIdOf(key) };
  say(result, `${path} is made (${kind}). Back it up, apart from the data.`, json);
}

/** Exit codes: 0 all of them open, 1 some do not. */
async function tellStatus({ config: file, json }: KeysOptions): Promise<void> {
  const config = readConfiguration(file);
  if (config === undefined) return;
  const directory = resolve(config.dataDir);
  const { path, protection } = existingKeyPlaceOf(config, directory);
  const vault = openKeyVault(path, protection);
  const state = openState({ directory });
  const counts = countSealedKeys(state, vault);
  await state.close();
  const kind = protection?.kind ?? 'file';
  const { current, older, unreadable } = counts;
  const lines = [
    `${path} (${kind}) opens: ${vault.keyIds().join(', ')}`,
    `${current} keys under the newest key, ${older} under older ones, ${unreadable} under none`,
  ];
  say({ path, protection: kind, keyIds: vault.keyIds(), ...counts }, lines.join('\n'), json);
  if (unreadable > 0) process.exitCode = 1;
}

/** Exit codes: 0 all of them, 1 some could not be opened, so that the old key is kept. */
async function rotateAll({
  config: file,
  from: old,
  json,
}: KeysOptions & { readonly from?: string }): Promise<void> {
  const config = readConfiguration(file);
  const before = old === undefined ? config : readConfiguration(old, fromEnvironment());
  if (config === undefined || before === undefined) return;
  const directory = resolve(config.dataDir);
  const { path, protection: to } = existingKeyPlaceOf(config, directory);
  if (before.keyFile !== undefined && resolve(before.keyFile) !== resolve(path)) {
    throw new Error(`the key file stays where it is: ${before.keyFile} there, ${path} here`);
  }
  const { protection: from } = keyPlaceOf(before, directory);
  const state = openState({ directory });
  const result = await rotateKeys(state, path, { from, to }).finally(() => state.close());
  const { resealed, unreadable } = result;
  say(result, `${resealed} keys sealed anew. Backups made before need the key file of then.`, json);
  if (unreadable === 0) return;
  process.stderr.write(`fieldgate: ${unreadable} keys cannot be opened; the old key is kept\n`);
  process.exitCode = 1;
}

/** The variables hold for both; but what opens the file as it is stands in FIELDGATE_FROM__…. */
function fromEnvironment(): NodeJS.ProcessEnv {
  const all = Object.entries(process.env);
  const ours = all.filter(([name]) => !/^FIELDGATE__KEYS__PROTECTION__/i.test(name));
  const old = all.flatMap(([name, value]) =>
    name.startsWith(fromPrefix) ? [[name.replace(fromPrefix, 'FIELDGATE__'), value]] : [],
  );
  return Object.fromEntries([...ours, ...old]);
}
