/** The words of `fieldgate simulate`: what it understands, and what it refuses with exit code 2. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { parseDuration } from '../../simulators/duration.ts';
import {
  allDoors,
  type Door,
  fleetDevicesMax,
  fleetGatewaysMax,
} from '../../simulators/lorawan/fleet-plan.ts';
import { devicesMax, type Networks } from '../../simulators/scenario.ts';
import { collect } from './record-output.ts';
import { parseSpeed } from './replay.ts';
import { WordsRefused } from './words-refused.ts';

export interface SimulateOptions {
  readonly to?: readonly string[];
  readonly accounts?: string;
  readonly seed: string;
  readonly devices?: number;
  readonly networks?: Networks;
  readonly for?: number;
  readonly json?: boolean;
  readonly dryRun?: boolean;
  readonly setup?: string;
  // Of the city and of bad days:
  readonly scenario?: readonly string[];
  readonly speed: number;
  readonly start?: number;
  readonly interval?: number;
  readonly backfill?: number;
  readonly memory?: string;
  // Of a load:
  readonly load?: boolean;
  readonly rate?: number;
  readonly connections?: number;
  readonly arrivals?: 'even' | 'poisson';
  readonly ramp?: number;
  readonly gateway?: string;
  readonly tokenFile?: string;
  readonly history?: string;
  readonly settle?: number;
  readonly check?: string;
  // Of a fleet:
  readonly fleet?: number;
  readonly gateways?: number;
  readonly doors?: readonly Door[];
  readonly devicesOut?: string;
}

const kindNames = { city: 'the city', load: '--load', fleet: '--fleet' } as const;
type Kind = keyof typeof kindNames;
/** Words that not every kind of simulation knows, and by which kinds each is known. */
const kindsOf: readonly (readonly [keyof SimulateOptions, readonly Kind[]])[] = [
  ...(['networks', 'scenario', 'backfill'] as const).map((word) => [word, ['city']] as const),
  ...(['start', 'interval', 'memory', 'dryRun'] as const).map(
    (word) => [word, ['city', 'fleet']] as const,
  ),
  ...(['rate', 'connections', 'arrivals', 'ramp', 'history'] as const).map(
    (word) => [word, ['load']] as const,
  ),
  ...(['gateway', 'tokenFile', 'settle'] as const).map(
    (word) => [word, ['load', 'fleet']] as const,
  ),
  ...(['gateways', 'doors', 'devicesOut'] as const).map((word) => [word, ['fleet']] as const),
  ['devices', ['city', 'load']],
];

export function withSimulateOptions(command: Command): Command {
  return withLoadOptions(
    command
      .option(
        '--to <url>',
        'mqtt[s]://, http[s]://, coap://, udp://, for a fleet ws[s]://; one of a kind',
        collect,
      )
      .option('--accounts <file>', 'YAML: sender → username and password; `default`')
      .option('--seed <text>', 'the same seed, the same city', 'baku')
      .option('--devices <number>', `1 to ${devicesMax}; 60, or as the scenario says`, deviceCount)
      .addOption(
        new Option(
          '--networks <which>',
          'every: ChirpStack v3, ThingPark, LORIOT, HTTP, CoAP, too',
        ).choices(['usual', 'every']),
      )
      .option('--for <time>', 'so long, in the time of the simulation: 30s, 5m, 6h, 2d', duration)
      .option('--speed <factor>', 'times as fast as in life, or max', parseSpeed, 1)
      .option('--scenario <file>', 'a bad day; several at once may be given', collect)
      .option('--start <time>', 'RFC 3339 time of the first message', parseStart)
      .option('--interval <time>', 'between two uplinks of a device; 5s, of a fleet 5m', duration)
      .option('--backfill <time>', 'first so much of the past, as fast as it is taken', duration)
      .option('--memory <file>', 'keeps the frame counters for the next run')
      .option('--setup <dir>', 'only write gateway.yaml, accounts.yaml and viewer.token for it')
      .option('--dry-run', 'print the messages and send nothing')
      .option('--json', 'end with a line of JSON'),
  );
}

function withLoadOptions(command: Command): Command {
  return withFleetOptions(command)
    .optionsGroup('Load:')
    .option('--load', 'many connections at a fixed rate, with latencies and a check')
    .option('--rate <number>', 'messages a second, of all connections; 100', positive)
    .option('--connections <number>', 'MQTT connections; 100', whole)
    .addOption(
      new Option('--arrivals <kind>', 'gaps between messages; even').choices(['even', 'poisson']),
    )
    .option('--ramp <time>', 'over which the connections are opened', duration)
    .option('--history <file>', 'keep what was sent and acknowledged (NDJSON)')
    .option('--check <file>', 'only compare a kept history with the gateway')
    .optionsGroup('What a load or a fleet left in a Fieldgate:')
    .option('--gateway <url>', 'its http:// or https:// address: watch it, and check it at the end')
    .option('--token-file <file>', "with a viewer's token for it; else FIELDGATE_TOKEN")
    .option('--settle <time>', 'the store may need so long after the last message; 60s', duration);
}

function withFleetOptions(command: Command): Command {
  return command
    .optionsGroup('Fleet:')
    .option('--fleet <number>', `LoRaWAN devices that join, 1 to ${fleetDevicesMax}`, fleetSize)
    .option('--gateways <number>', `that hear them, 1 to ${fleetGatewaysMax}; 12`, gatewayCount)
    .option('--doors <list>', `what they speak, in turn: ${allDoors.join(',')}`, doorList)
    .option('--devices-out <file>', 'write the devices with their test keys, to import them');
}

/** Throws a WordsRefused when the options do not go together. */
export function assertTogether(options: SimulateOptions): void {
  const isLoad = options.load === true || options.check !== undefined;
  if (isLoad && options.fleet !== undefined) throw new WordsRefused('either --load or --fleet');
  const kind = options.fleet !== undefined ? 'fleet' : isLoad ? 'load' : 'city';
  assertOfKind(options, kind);
  if (isLoad && options.speed !== 1) throw new WordsRefused('--speed is of the city');
  if (options.check !== undefined) {
    if (options.gateway === undefined) throw new WordsRefused('--check needs --gateway URL');
    return;
  }
  if (options.setup !== undefined) return;
  const isWritten = options.devicesOut !== undefined && options.to === undefined;
  if (!isWritten && (options.to === undefined) === (options.dryRun !== true)) {
    throw new WordsRefused('give either --to URL or --dry-run');
  }
  if (options.scenario !== undefined) {
    const words = ['networks', 'interval', 'backfill', 'for'] as const;
    const word = words.find((name) => isGiven(options[name]));
    if (word !== undefined)
      throw new WordsRefused(`a scenario has its own times: no ${flag(word)}`);
  }
}

function assertOfKind(options: SimulateOptions, kind: Kind): void {
  for (const [name, kinds] of kindsOf) {
    if (kinds.includes(kind) || !isGiven(options[name])) continue;
    const names = kinds.map((one) => kindNames[one]).join(' and ');
    throw new WordsRefused(`${flag(name)} is of ${names}`);
  }
}

function isGiven(value: unknown): boolean {
  return Array.isArray(value) ? value.length > 0 : value !== undefined;
}

function flag(name: string): string {
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

function doorList(text: string): Door[] {
  const names = text.split(',');
  const found = allDoors.filter((door) => names.includes(door));
  if (found.length === names.length) return found;
  throw new InvalidArgumentError(`some of ${allDoors.join(',')}`);
}

function fleetSize(text: string): number {
  return wholeUpTo(text, fleetDevicesMax);
}

function gatewayCount(text: string): number {
  return wholeUpTo(text, fleetGatewaysMax);
}

function duration(text: string): number {
  const milliseconds = parseDuration(text);
  if (milliseconds !== undefined && milliseconds > 0) return milliseconds;
  throw new InvalidArgumentError('a number and a unit: 500ms, 30s, 5m, 6h, 2d');
}

function parseStart(text: string): number {
  const time = Date.parse(text);
  if (Number.isFinite(time)) return time;
  throw new InvalidArgumentError('an RFC 3339 time such as 2026-06-15T06:00:00Z');
}

function deviceCount(text: string): number {
  return wholeUpTo(text, devicesMax);
}

function wholeUpTo(text: string, most: number): number {
  const count = whole(text);
  if (count <= most) return count;
  throw new InvalidArgumentError(`a whole number from 1 to ${most}`);
}

function whole(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('a whole number from 1');
}

function positive(text: string): number {
  const rate = Number(text);
  if (rate > 0 && rate <= 1_000_000) return rate;
  throw new InvalidArgumentError('a number above 0, up to 1000000');
}
