/**
 * `fieldgate replay FILE`: sends a capture again over the wire, with its own spacing in time. With
 * a terminal in front of it, keys pause, step and seek. docs/captures.md has examples.
 */
import type { ReadStream } from 'node:tty';
import { Command, InvalidArgumentError } from 'commander';
import { openCapture } from '../../simulators/capture/file-reader.ts';
import { type Filter, FilterUnreadable, parseFilters } from '../../simulators/capture/filter.ts';
import { createFrameSigning, type FrameSigning } from '../../simulators/capture/frame-signing.ts';
import { type CapturedMessage, CaptureUnreadable } from '../../simulators/capture/message.ts';
import { type CaptureSpan, createPlayer, type Player } from '../../simulators/capture/player.ts';
import { keyWords, listenToKeys } from '../../simulators/capture/replay-keys.ts';
import {
  noAccounts,
  readAccounts,
  readSigningKeys,
  SettingsUnreadable,
} from '../../simulators/capture/replay-settings.ts';
import { openWires, TargetRefused, type Wires } from '../../simulators/capture/wires.ts';
import { parseDuration } from '../../simulators/duration.ts';
import { sleepUntil } from '../../simulators/signal-sleep.ts';
import { systemClock } from '../model/clock.ts';
import { assertInputFile } from './input-file.ts';
import { printingWires } from './printing-wires.ts';
import { interruption } from './record.ts';
import { collect, createProgress } from './record-output.ts';

interface ReplayOptions {
  readonly to?: readonly string[];
  readonly accounts?: string;
  readonly keys?: string;
  readonly speed: number;
  readonly shift: 'now' | number;
  readonly filter?: readonly string[];
  readonly loop?: number | true;
  readonly paused?: boolean;
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

export function replayCommand(): Command {
  return new Command('replay')
    .argument('<file>', 'capture made by `fieldgate record`')
    .option(
      '--to <url>',
      'mqtt://, mqtts://, http://, https://, coap://, udp://; one of a kind',
      collect,
    )
    .option('--accounts <file>', 'YAML: sender → username and password, or token; `default`')
    .option('--keys <file>', 'YAML with `sessions`: sign LoRaWAN frames anew for a test network')
    .option('--speed <factor>', 'times as fast as recorded, or max', parseSpeed, 1)
    .option('--shift <time>', 'move times: `now`, or a duration such as -1h, 90d', parseShift, 0)
    .option('--filter <key=value>', 'only these messages; may be given several times', collect)
    .option('--loop [rounds]', 'again and again, or so many times', parseRounds)
    .option('--paused', 'wait for a key before the first message; needs a terminal')
    .option('--dry-run', 'print the messages and send nothing')
    .option('--json', 'end with a line of JSON')
    .action(replay);
}

/** Exit codes: 0 all acknowledged, 1 not all or the file is unsound, 2 the words are wrong. */
async function replay(file: string, options: ReplayOptions): Promise<void> {
  if ((options.to === undefined) === (options.dryRun !== true)) {
    return refuse('give either --to URL or --dry-run', 2);
  }
  if (options.paused === true && process.stdin.isTTY !== true) {
    return refuse('--paused needs a terminal: nobody could press a key', 2);
  }
  try {
    await replayFile(file, options, parseFilters(options.filter ?? []));
  } catch (error) {
    const isWording =
      error instanceof FilterUnreadable ||
      error instanceof SettingsUnreadable ||
      error instanceof TargetRefused;
    if (isWording) return refuse(error.message, 2);
    if (!(error instanceof CaptureUnreadable)) throw error;
    refuse(error.message, 1);
  }
}

function refuse(sentence: string, exitCode: 1 | 2): void {
  process.stderr.write(`fieldgate: ${sentence}\n`);
  process.exitCode = exitCode;
}

const closeGraceMs = 30_000;

async function replayFile(file: string, options: ReplayOptions, filter: Filter): Promise<void> {
  assertInputFile(file);
  const overview = await surveyOf(file, filter);
  if (overview === undefined) return refuse(`${file} has no message that is meant`, 1);
  const accounts =
    options.accounts === undefined ? noAccounts : await readAccounts(options.accounts);
  const signing = createFrameSigning(
    options.keys === undefined ? [] : await readSigningKeys(options.keys),
  );
  const wires = await openTargets(options, accounts);
  const signal = interruption();
  const end = new AbortController();
  const player = createPlayer(
    {
      ...{ clock: { now: () => systemClock.now(), sleep: sleepUntil }, span: overview },
      open: async () => meant((await openCapture(file)).messages, filter),
      send: (message) => wires.send(signing.sign(message)),
    },
    {
      ...{ speed: options.speed, shift: options.shift, rounds: roundsOf(options) },
      ...{ startPaused: options.paused === true, signal: AbortSignal.any([signal, end.signal]) },
    },
  );
  const release = keyboardFor(player, options, () => end.abort());
  const progress = createProgress(() => progressLine(player, overview, wires));
  signal.addEventListener('abort', () => wires.stop());
  try {
    await player.play();
  } finally {
    release();
    await wires.close(closeGraceMs);
    progress.clear();
  }
  report({ player, wires, signing, overview }, options);
}

function roundsOf({ loop }: ReplayOptions): number {
  if (loop === undefined) return 1;
  return loop === true ? Number.POSITIVE_INFINITY : loop;
}

async function* meant(
  messages: AsyncIterable<CapturedMessage>,
  filter: Filter,
): AsyncGenerator<CapturedMessage, void> {
  for await (const message of messages) if (filter(message)) yield message;
}

interface Overview extends CaptureSpan {
  readonly messages: number;
  readonly isCut: boolean;
}

/** Reads the file once, so that a fault at its end is found before anything is sent. */
async function surveyOf(file: string, filter: Filter): Promise<Overview | undefined> {
  const capture = await openCapture(file);
  let [messages, first, last] = [0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for await (const { at } of meant(capture.messages, filter)) {
    messages += 1;
    first = Math.min(first, at);
    last = Math.max(last, at);
  }
  return messages === 0 ? undefined : { messages, first, last, isCut: capture.isCut() };
}

async function openTargets(
  { to = [], dryRun }: ReplayOptions,
  accounts: typeof noAccounts,
): Promise<Wires> {
  if (dryRun === true) return printingWires();
  return openWires({ targets: to, accounts, clientId: `fieldgate-replay-${process.pid}` });
}

/** Where nobody sits, standard input is left alone. */
function keyboardFor(player: Player, { json }: ReplayOptions, end: () => void): () => void {
  const input: ReadStream = process.stdin;
  if (input.isTTY !== true || json === true) return () => undefined;
  process.stderr.write(`${keyWords}\n`);
  return listenToKeys(input, player, end);
}

function progressLine({ place, isPaused }: Player, overview: Overview, { tally }: Wires): string {
  const at = place.at === undefined ? '—' : new Date(place.at).toISOString();
  const length = overview.last - overview.first;
  const share = place.at === undefined || length === 0 ? 0 : (place.at - overview.first) / length;
  const bar = '█'.repeat(Math.round(20 * share)).padEnd(20, '·');
  const speed = place.speed === Number.POSITIVE_INFINITY ? 'max' : `×${place.speed}`;
  const state = isPaused() ? 'paused' : speed;
  return `${bar} ${at} ${state} sent ${place.sent} acknowledged ${tally.acknowledged} failed ${tally.failed}`;
}

interface Ended {
  readonly player: Player;
  readonly wires: Wires;
  readonly signing: FrameSigning;
  readonly overview: Overview;
}

function report({ player, wires: { tally }, signing, overview }: Ended, options: ReplayOptions) {
  const { sent, acknowledged, failed, unaddressed, reasons } = tally;
  const outcome = {
    ...{ messages: overview.messages, sent, acknowledged, failed, unaddressed },
    ...{ signed: signing.counts.signed, rounds: player.place.round, isCut: overview.isCut },
  };
  if (options.json === true) process.stdout.write(`${JSON.stringify({ ...outcome, reasons })}\n`);
  else {
    process.stderr.write(`sent ${sent}, acknowledged ${acknowledged}, failed ${failed}\n`);
    if (unaddressed > 0) process.stderr.write(`${unaddressed} are of a kind without --to\n`);
    if (overview.isCut) process.stderr.write('the end of the capture is missing\n');
    for (const reason of reasons) process.stderr.write(`  ${reason}\n`);
  }
  if (acknowledged < sent || unaddressed > 0) process.exitCode = 1;
}

export function parseSpeed(text: string): number {
  if (text === 'max') return Number.POSITIVE_INFINITY;
  const speed = Number(text);
  if (speed >= 0.001 && speed <= 1_000_000) return speed;
  throw new InvalidArgumentError('0.001 to 1000000, or max');
}

function parseShift(text: string): 'now' | number {
  if (text === 'now') return text;
  const shift = parseDuration(text);
  if (shift !== undefined) return shift;
  throw new InvalidArgumentError('`now`, or a number and a unit: 90s, -1h, 365d');
}

function parseRounds(text: string): number {
  const rounds = Number(text);
  if (Number.isInteger(rounds) && rounds >= 1 && rounds <= 1_000_000) return rounds;
  throw new InvalidArgumentError('a whole number of rounds, from 1');
}
