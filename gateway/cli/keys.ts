/** `fieldgate keys rotate`: a new key for the keys of the devices, while the gateway runs. */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Command } from 'commander';
import { openState } from '../ledger/lmdb-files.ts';
import { rotateKeys } from '../lorawan/key-rotation.ts';
import { readConfiguration } from './configuration.ts';

interface KeysOptions {
  readonly config?: string;
  readonly json?: boolean;
}

export function keysCommand(): Command {
  const rotate = new Command('rotate')
    .description('seal all device keys under a new key; the gateway may be running')
    .option('-c, --config <file>', 'YAML configuration, for its dataDir and keyFile')
    .option('--json', 'print JSON')
    .action(rotateAll);
  return new Command('keys').description('device keys at rest').addCommand(rotate);
}

/** Exit codes: 0 all of them, 1 some could not be opened, so that the old key is kept. */
async function rotateAll({ config: file, json }: KeysOptions): Promise<void> {
  const config = readConfiguration(file);
  if (config === undefined) return;
  const directory = resolve(config.dataDir);
  const keyFile = config.keyFile ?? join(directory, 'device-keys.kek');
  if (!existsSync(keyFile)) throw new Error(`there is no key file ${keyFile} yet`);
  const state = openState({ directory });
  const result = await rotateKeys(state, keyFile).finally(() => state.close());
  const { resealed, unreadable } = result;
  const text = `${resealed} keys sealed anew. Backups made before need the key file of then.`;
  process.stdout.write(`${json === true ? JSON.stringify(result) : text}\n`);
  if (unreadable === 0) return;
  process.stderr.write(`fieldgate: ${unreadable} keys cannot be opened; the old key is kept\n`);
  process.exitCode = 1;
}
