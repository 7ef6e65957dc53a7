/**
 * `fieldgate simulate`: a city, a bad day, a LoRaWAN fleet or a load, sent over the wire to any
 * gateway or broker. docs/city.md, docs/scenarios.md, docs/fleet.md and docs/load.md have examples.
 */
import { readFile } from 'node:fs/promises';
import type { ReadStream } from 'node:tty';
import { Command } from 'commander';
import { type BadDay, combineDays, parseBadDay } from '../../simulators/bad-days/file.ts';
import { cityOf, createTimeline } from '../../simulators/bad-days/timeline.ts';
import type { Player } from '../../simulators/capture/player.ts';
import { keyWords, listenToKeys } from '../../simulators/capture/replay-keys.ts';
import {
  noAccounts,
  readAccounts,
  SettingsUnreadable,
} from '../../simulators/capture/replay-settings.ts';
import { openWires, TargetRefused, type Wires } from '../../simulators/capture/wires.ts';
import { readCityMemory, writeCityMemory } from '../../simulators/city-memory.ts';
import type { Counters } from '../../simulators/city-traffic.ts';
import { writeRehearsal } from '../../simulators/rehearsal.ts';
import { type CityProgress, runCity, runDay } from '../../simulators/run.ts';
import { createScenario, type Scenario } from '../../simulators/scenario.ts';
import { systemClock } from '../model/clock.ts';
import { plainWords } from './plain-words.ts';
import { printingWires } from './printing-wires.ts';
import { interruption } from './record.ts';
import { simulateFleet } from './simulate-fleet.ts';
import { checkHistory, simulateLoad } from './simulate-load.ts';
import { assertTogether, type SimulateOptions, withSimulateOptions } from './simulate-options.ts';
import { createProgressScreen, progressBar, tableLines } from './simulate-screen.ts';
import { WordsRefused } from './words-refused.ts';

export function simulateCommand(): Command {
  return withSimulateOptions(new Command('simulate')).action(simulate);
}

/** Exit codes: 0 all acknowledged and, if checked, all there; 1 not; 2 the words are wrong. */
async function simulate(options: SimulateOptions): Promise<void> {
  try {
    assertTogether(options);
    if (options.check !== undefined) return await checkHistory(options.check, options);
    if (options.fleet !== undefined) return await simulateFleet(options, interruption());
    const day = await dayOf(options);
    if (options.setup !== undefined) return await setUp(options.setup, scenarioOf(day, options));
    if (options.load === true) return await simulateLoad(options, interruption());
    await simulateCity(day, options);
  } catch (error) {
    const isWording =
      error instanceof WordsRefused ||
      error instanceof SettingsUnreadable ||
      error instanceof TargetRefused;
    if (!isWording) throw error;
    process.stderr.write(`fieldgate: ${error.message}\n`);
    process.exitCode = 2;
  }
}

export async function dayOf({
  scenario = [],
  devices,
}: SimulateOptions): Promise<BadDay | undefined> {
  const [first, ...others] = await Promise.all(
    scenario.map(async (file) => {
      try {
        return parseBadDay(await readFile(file, 'utf8'));
      } catch (error) {
        const why = plainWords(error).replace(`${file}: `, '');
        throw new WordsRefused(`--scenario ${file}: ${why}`);
      }
    }),
  );
  if (first === undefined) return undefined;
  const day = combineDays([first, ...others]);
  return devices === undefined ? day : { ...day, devices };
}

const devicesUsual = 60;

function scenarioOf(day: BadDay | undefined, options: SimulateOptions): Scenario {
  const { seed, devices = devicesUsual, networks = 'usual' } = options;
  return day === undefined ? createScenario({ seed, devices, networks }) : cityOf({ day, seed });
}

async function setUp(directory: string, scenario: Scenario): Promise<void> {
  const files = await writeRehearsal(directory, scenario);
  for (const file of files) process.stdout.write(`${file}\n`);
}

const hourMs = 3_600_000;

async function simulateCity(day: BadDay | undefined, options: SimulateOptions): Promise<void> {
  const scenario = scenarioOf(day, options);
  const memory =
    options.memory === undefined ? undefined : await readCityMemory(options.memory, scenario.seed);
  const end = new AbortController();
  const signal = AbortSignal.any([interruption(), end.signal]);
  const wires = await wiresOf(options, () => end.abort());
  const speed = options.dryRun === true ? Number.POSITIVE_INFINITY : options.speed;
  const lengthMs = day?.length ?? options.for ?? (speed === 1 ? Number.POSITIVE_INFINITY : hourMs);
  const start = options.start ?? startOf(lengthMs, speed);
  const screen = createProgressScreen(process.stderr, () => systemClock.now());
  const keyboard = createKeyboard(options, () => end.abort());
  const run = {
    ...{ wires, speed, signal, onPlayer: keyboard.take },
    onProgress(progress: CityProgress) {
      if (options.dryRun !== true) screen.show(progressLines(progress, { start, lengthMs, speed }));
    },
  };
  let counters: Counters = {};
  let progress: CityProgress;
  try {
    if (day === undefined) {
      progress = await runCity({
        ...{ ...run, scenario, startTime: start, liveMs: lengthMs },
        backfillHours: (options.backfill ?? 0) / hourMs,
        ...(options.interval === undefined ? {} : { liveIntervalMs: options.interval }),
        ...(memory === undefined ? {} : { counters: memory.counters }),
      });
      counters = progress.counters;
    } else {
      const known = memory === undefined ? {} : { counters: memory.counters };
      const timeline = createTimeline({ day, seed: options.seed, start, ...known });
      counters = timeline.counters;
      progress = await runDay({ ...run, messages: timeline.messages });
    }
  } finally {
    keyboard.release();
    screen.clear();
  }
  if (options.memory !== undefined) {
    const lastTime = progress.at ?? start;
    await writeCityMemory(options.memory, { seed: scenario.seed, counters, lastTime });
  }
  report(progress, wires, options);
}

/** So that it ends now: what is told at high speed is of the past, and nothing of the future. */
function startOf(lengthMs: number, speed: number): number {
  const now = Math.floor(systemClock.now());
  return Number.isFinite(lengthMs) ? Math.floor(now - lengthMs + lengthMs / speed) : now;
}

async function wiresOf(options: SimulateOptions, onClosed: () => void): Promise<Wires> {
  if (options.dryRun === true) return printingWires(onClosed);
  return openWires({
    targets: options.to ?? [],
    accounts: options.accounts === undefined ? noAccounts : await readAccounts(options.accounts),
    clientId: `simulated-${process.pid}`,
  });
}

/** Where nobody sits, standard input is left alone. */
function createKeyboard({ json, dryRun }: SimulateOptions, end: () => void) {
  const input: ReadStream = process.stdin;
  const isThere = input.isTTY === true && json !== true && dryRun !== true;
  let release = (): void => undefined;
  if (isThere) process.stderr.write(`${keyWords}\n`);
  return {
    take(player: Player) {
      release();
      if (isThere) release = listenToKeys(input, player, end);
    },
    release: () => release(),
  };
}

interface Pace {
  readonly start: number;
  readonly lengthMs: number;
  readonly speed: number;
}

function progressLines(progress: CityProgress, { start, lengthMs, speed }: Pace): string[] {
  const { phase, at, uplinksSent, backfillTotal, messagesSent } = progress;
  const { messagesAcknowledged, messagesFailed } = progress;
  const isPast = phase === 'backfill';
  const share = isPast ? uplinksSent / backfillTotal : ((at ?? start) - start) / lengthMs;
  const bar = isPast || Number.isFinite(lengthMs) ? `${progressBar(share)} ` : '';
  const time = at === undefined ? '—' : new Date(at).toISOString();
  const pace = isPast || speed === Number.POSITIVE_INFINITY ? 'max' : `×${speed}`;
  const counts = `sent ${messagesSent} acknowledged ${messagesAcknowledged} failed ${messagesFailed}`;
  return [`${bar}${time} ${pace} ${counts}`, ...networkLines(progress)];
}

function networkLines({ networks }: CityProgress): string[] {
  const rows = Object.entries(networks).map(([name, { sent, acknowledged, failed }]) => [
    ...[name, String(sent), String(acknowledged), String(failed)],
  ]);
  return tableLines([['network', 'sent', 'acknowledged', 'failed'], ...rows]);
}

function report(progress: CityProgress, { tally }: Wires, options: SimulateOptions): void {
  const { counters: _, phase: _phase, backfillTotal: _total, at, ...counts } = progress;
  const { unaddressed, reasons } = tally;
  if (options.json === true && options.dryRun !== true) {
    const lastTime = at === undefined ? {} : { lastTime: new Date(at).toISOString() };
    const outcome = { seed: options.seed, ...counts, ...lastTime, unaddressed, reasons };
    process.stdout.write(`${JSON.stringify(outcome)}\n`);
  } else if (options.dryRun !== true) {
    const { uplinksSent, uplinksAcknowledged } = counts;
    process.stderr.write(`${networkLines(progress).join('\n')}\n`);
    process.stderr.write(`uplinks: ${uplinksSent} sent, ${uplinksAcknowledged} acknowledged\n`);
    if (unaddressed > 0) process.stderr.write(`${unaddressed} are of a kind without --to\n`);
    for (const reason of reasons) process.stderr.write(`  ${reason}\n`);
  }
  if (counts.messagesAcknowledged < counts.messagesSent) process.exitCode = 1;
}
