/** `fieldgate backup DIR`: a checked copy of all that the gateway has acknowledged. */
import { relative, resolve } from 'node:path';
import { Command } from 'commander';
import { type CopyStep, copyDataDirectory, type DataCopy } from '../holdings/data-copy.ts';
import { keyPlaceOf } from '../holdings/device-key-place.ts';
import { readConfiguration } from './configuration.ts';

interface BackupOptions {
  readonly config?: string;
  readonly withKeyFile?: boolean;
  readonly json?: boolean;
}

export function backupCommand(): Command {
  return new Command('backup')
    .argument('<directory>', 'where the copy goes; it must not be there yet')
    .option('-c, --config <file>', 'YAML configuration, for dataDir, keyFile and ledger.keepDays')
    .option('--with-key-file', 'with the key file: who has the copy then has the device keys')
    .option('--json', 'print JSON')
    .addHelpText('after', help)
    .action(backUp);
}

const help = `
While the gateway runs, the copy has no readings: they are derived again from its ledger at the
first start. Those that are older than the ledger (ledger.keepDays) are in the store alone; stop
the gateway first to have the embedded store in the copy, too.

To go back to it: stop the gateway, put the copy in dataDir's place and the key file to where it
was, and start. Without the key file the gateway does not start on the copy.`;

async function backUp(directory: string, options: BackupOptions): Promise<void> {
  const config = readConfiguration(options.config);
  if (config === undefined) return;
  const from = resolve(config.dataDir);
  const to = resolve(directory);
  const { path } = keyPlaceOf(config, from);
  const keyFile = options.withKeyFile === true ? undefined : path;
  const started = performance.now();
  const copy = await copyDataDirectory({ from, to, keyFile, tell: progress() });
  const seconds = (performance.now() - started) / 1_000;
  if (process.stderr.isTTY) process.stderr.write(clearLine);
  const isKeyFileLeftOut = keyFile !== undefined && copy.leftOut.includes(relative(from, keyFile));
  for (const note of notesOf(copy, isKeyFileLeftOut, config.ledger.keepDays)) {
    process.stderr.write(`${note}\n`);
  }
  const isJson = options.json === true;
  const result = isJson
    ? JSON.stringify({ directory: to, ...copy })
    : sentenceOf(to, copy, seconds);
  process.stdout.write(`${result}\n`);
}

const clearLine = '\r\u001b[K';
const tellEveryMs = 200;

/** On a terminal only; each step once, and what moves within one now and then. */
function progress(): (step: CopyStep) => void {
  let toldAt = Number.NEGATIVE_INFINITY;
  return ({ step, what }) => {
    const now = performance.now();
    if (!process.stderr.isTTY || (step === 'checking' && now - toldAt < tellEveryMs)) return;
    toldAt = now;
    process.stderr.write(`${clearLine}${step} ${what}`);
  };
}

function notesOf(
  { leftOut }: DataCopy,
  isKeyFileLeftOut: boolean,
  keepDays: number,
): readonly string[] {
  const notes: string[] = [];
  if (leftOut.includes('catalogue')) {
    const views = leftOut.filter((name) => /^(?:catalogue|telemetry)/.test(name)).join(', ');
    notes.push(
      `Left out, as the gateway runs: ${views}. Made again of the ledger, which keeps ` +
        `${keepDays} days; to copy older readings of the embedded store, stop the gateway first.`,
    );
  }
  if (isKeyFileLeftOut) {
    notes.push('Left out: the key file. Keep a copy of it elsewhere: no copy starts without it.');
  }
  return notes;
}

function sentenceOf(to: string, { entries, firstSeq, lastSeq, bytes }: DataCopy, seconds: number) {
  const size = `${(bytes / 1_000_000).toFixed(1)} MB in ${seconds.toFixed(1)} s`;
  const range = entries === 0 ? '' : ` (${firstSeq} to ${lastSeq})`;
  return `${to}: ${entries} ledger entries${range}, each checked; ${size}`;
}
