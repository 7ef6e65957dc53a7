/**
 * `fieldgate devices import`, `template`, `rotate` and `revoke`: many devices at once, and the MQTT credentials
 * of single ones. Secrets are drawn here, written once to a file that only its owner reads, and
 * kept as hashes. A running gateway takes every change at once.
 */
import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs';
import { Command, InvalidArgumentError } from 'commander';
import { type DrawnSecret, drawSecrets } from '../holdings/device-credentials.ts';
import { systemClock } from '../model/clock.ts';
import { readConfiguration } from './configuration.ts';
import { importCommand } from './devices-import.ts';
import { templateCommand } from './devices-template.ts';
import { withState } from './local-state.ts';

interface FileOptions {
  readonly config?: string;
  readonly credentials?: string;
  readonly json?: boolean;
}

const hourMs = 3_600_000;

export function devicesCommand(): Command {
  const config = ['-c, --config <file>', 'YAML configuration, for its dataDir'] as const;
  const out = ['--credentials <file>', 'CSV that the secrets are written to, mode 0600'] as const;
  const json = ['--json', 'print JSON, one device a line'] as const;
  const rotate = new Command('rotate')
    .description('draw new secrets; the old ones stay valid for a while')
    .argument('<ids...>', 'ids of devices')
    .option(...config)
    .requiredOption(...out)
    .option('--overlap-hours <hours>', 'how long', parseHours, 72)
    .option(...json)
    .action(rotateSecrets);
  const revoke = new Command('revoke')
    .description('take credentials away; connections made with them end')
    .argument('<ids...>', 'ids of devices')
    .option(...config)
    .option(...json)
    .action(revokeSecrets);
  const command = new Command('devices');
  for (const each of [importCommand(), templateCommand(), rotate, revoke]) {
    command.addCommand(each);
  }
  return command;
}

function parseHours(text: string): number {
  const hours = Number(text);
  if (text !== '' && hours >= 0 && hours <= 8_784) return hours;
  throw new InvalidArgumentError('a number from 0 to 8784');
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
    for (const id of known) {
      note(`rotated, the old one until ${timeText(until)}`, id);
      if (options.json === true) sayJson({ id, rotated: true, oldUntil: timeText(until) });
    }
  });
}

async function revokeSecrets(ids: readonly string[], options: FileOptions): Promise<void> {
  const config = readConfiguration(options.config);
  if (config === undefined) return;
  await withState(config, async ({ credentials, note }) => {
    const gone: string[] = [];
    for (const id of ids) if (await credentials.revoke(id)) gone.push(id);
    for (const id of gone) {
      note('revoked', id);
      if (options.json === true) sayJson({ id, revoked: true });
    }
    sayUnknown(ids, gone);
  });
}

function sayJson(value: object): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

function sayUnknown(ids: readonly string[], known: readonly string[]): void {
  for (const id of ids.filter((each) => !known.includes(each))) {
    process.stderr.write(`fieldgate: ${id} has no credential\n`);
    process.exitCode = 1;
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
