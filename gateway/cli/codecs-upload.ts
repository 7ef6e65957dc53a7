/** `fieldgate codecs dryrun ID FILE` and `codecs put ID FILE`, in the running gateway. */
import { Command, InvalidArgumentError } from 'commander';
import type { CodecJson } from '../../dashboard/protocol.ts';
import type { DryRunJson } from '../../dashboard/protocol-dry-run.ts';
import { codecLimits } from '../codecs/limits.ts';
import { readDraft } from '../codecs/script-directory.ts';
import { type GatewayOptions, gatewayClient, withGatewayOptions } from './gateway-client.ts';
import { assertInputFile } from './input-file.ts';
import { readInputYaml } from './input-yaml.ts';

interface DryRunOptions extends GatewayOptions {
  readonly uplinks: number;
  readonly device?: string;
  readonly json?: boolean;
}

interface ChangeOptions extends GatewayOptions {
  readonly json?: boolean;
}

const jsonOption = ['--json', 'print the codec as JSON'] as const;
const fileArgument = 'the script; <name>.yaml or <name>.json beside it goes with it';

export function dryRunCommand(): Command {
  const command = new Command('dryrun')
    .description('what a new version would change in the last kept uplinks; nothing is stored')
    .argument('<id>', 'the codec')
    .argument('<file>', fileArgument)
    .option('--uplinks <number>', 'how many, 1 to 1000', parseCount, 100)
    .option('--device <id>', 'of this device; else of all that follow the codec')
    .option('--json', 'print JSON');
  return withGatewayOptions(command).action(tryOut);
}

export function putCommand(): Command {
  const command = new Command('put')
    .description('upload a version; devices that follow the codec have it at once')
    .argument('<id>', 'the codec')
    .argument('<file>', fileArgument)
    .option(...jsonOption);
  return withGatewayOptions(command).action(put);
}

export function mapCommand(): Command {
  const command = new Command('map')
    .description('another mapping for the text as it is: a new version of the codec')
    .argument('<id>', 'the codec')
    .argument('<file>', 'YAML or JSON with mapping: [rules]; an empty list takes it away')
    .option(...jsonOption);
  return withGatewayOptions(command).action(map);
}

async function map(id: string, file: string, options: ChangeOptions): Promise<void> {
  const { json, ...where } = options;
  const client = await gatewayClient(where);
  if (client === undefined) return;
  const body = readInputYaml(file);
  if (typeof body !== 'object' || body === null || !('mapping' in body))
    throw new Error(`${file}: it has no mapping`);
  const codec: CodecJson = { id, title: id, origin: 'upload' };
  const path = `/codecs/${encodeURIComponent(id)}/mapping`;
  Object.assign(codec, await client.ask('PUT', path, { mapping: body.mapping }));
  sayVersion(codec, json);
}

function parseCount(text: string): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1 || count > 1_000)
    throw new InvalidArgumentError('1 to 1000');
  return count;
}

async function put(id: string, file: string, options: ChangeOptions): Promise<void> {
  const { json, ...where } = options;
  const client = await gatewayClient(where);
  if (client === undefined) return;
  const path = `/codecs/${encodeURIComponent(id)}`;
  const codec: CodecJson = { id, title: id, origin: 'upload' };
  Object.assign(codec, await client.ask('PUT', path, bodyOf(file)));
  sayVersion(codec, json);
}

function sayVersion(codec: CodecJson, json = false): void {
  const words = json ? JSON.stringify(codec) : `${codec.id}@${codec.version}`;
  process.stdout.write(`${words}\n`);
}

async function tryOut(id: string, file: string, options: DryRunOptions): Promise<void> {
  const { uplinks, device, json, ...where } = options;
  const client = await gatewayClient(where);
  if (client === undefined) return;
  const query = new URLSearchParams({ uplinks: String(uplinks), ...(device && { device }) });
  const path = `/codecs/${encodeURIComponent(id)}:dryrun?${query}`;
  const answer = await client.ask('POST', path, bodyOf(file));
  if (json === true) {
    process.stdout.write(`${JSON.stringify(answer)}\n`);
    return;
  }
  const report: DryRunJson = {
    ...{ version: '', devices: 0, uplinks: 0, same: 0, different: 0 },
    ...{ faultsBefore: 0, faultsAfter: 0, differences: [] },
  };
  print(id, Object.assign(report, answer));
}

/** Throws with a sentence when there is no such script. */
function bodyOf(file: string): object {
  const path = file.replace(/\.js$/, '');
  assertInputFile(`${path}.js`);
  const notes: string[] = [];
  // The gateway's own limit is the one that counts; this one keeps a wrong file from being read.
  const limits = { ...codecLimits, scriptBytesMax: 4_194_304 };
  const draft = readDraft(path, limits, (note) => notes.push(note));
  if (typeof draft === 'string') throw new Error(`${file}: ${draft}`);
  if (notes.length > 0) throw new Error(notes.join('; '));
  if (draft.problems !== undefined) throw new Error(draft.problems.join('\n  '));
  const { source, title, dialect, variables, examples, mapping } = draft;
  return { script: source, name: title, dialect, variables, examples, mapping };
}

/** What comes from devices is shown without control characters: a terminal obeys them. */
function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, ' ');
}

function print(id: string, report: DryRunJson): void {
  const say = (text: string) => process.stdout.write(`${printable(text)}\n`);
  for (const { seq, device, receivedAt, faultBefore, faultAfter, readings } of report.differences) {
    say(`uplink ${seq} of ${device}, ${receivedAt}`);
    if (faultBefore !== undefined) say(`    before: ${faultBefore}`);
    if (faultAfter !== undefined) say(`    after:  ${faultAfter}`);
    for (const { quantity, channel, unit, time, before, after } of readings) {
      const label = `${quantity}${channel === undefined ? '' : `[${channel}]`}`;
      const when = time === undefined ? '' : ` at ${time}`;
      say(`    ${label}${when}: ${before ?? 'nothing'} -> ${after ?? 'nothing'} ${unit}`);
    }
  }
  const { uplinks, devices, same, different, faultsBefore, faultsAfter } = report;
  say(`${id}@${report.version}`);
  say(`${uplinks} uplinks of ${devices} devices: ${same} the same, ${different} different`);
  say(`without readings: ${faultsBefore} before, ${faultsAfter} after`);
}
