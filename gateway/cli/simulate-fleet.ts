/**
 * `fieldgate simulate --fleet N`: LoRaWAN devices that join, with all that the radio does to them,
 * through gateways of every kind. docs/fleet.md has examples.
 */
import { writeFile } from 'node:fs/promises';
import { noAccounts, readAccounts } from '../../simulators/capture/replay-settings.ts';
import {
  type FleetHistory,
  type FleetVerdict,
  openFleetHistory,
  watchStations,
} from '../../simulators/doors/fleet-check.ts';
import { fleetDevicesText, writeFleetSetup } from '../../simulators/doors/fleet-config.ts';
import { fleetTargets, openFleetDoors } from '../../simulators/doors/fleet-doors.ts';
import {
  createFleetProgress,
  type FleetProgress,
  runFleet,
} from '../../simulators/doors/fleet-run.ts';
import { loadClock } from '../../simulators/load/load-clock.ts';
import { fleetEvents } from '../../simulators/lorawan/fleet.ts';
import type { FleetEvent, FleetSpan } from '../../simulators/lorawan/fleet-event.ts';
import { readFleetMemory, writeFleetMemory } from '../../simulators/lorawan/fleet-memory.ts';
import { createFleet, type Door, type Fleet } from '../../simulators/lorawan/fleet-plan.ts';
import { gatewayOf } from './gateway-target.ts';
import { printLines } from './printing-wires.ts';
import type { SimulateOptions } from './simulate-options.ts';
import { createProgressScreen, progressBar, tableLines } from './simulate-screen.ts';
import { WordsRefused } from './words-refused.ts';

const hourMs = 3_600_000;
/** What a LoRaWAN sensor usually takes between two uplinks. */
const intervalMsUsual = 300_000;
const settleMsUsual = 60_000;
const progressPeriodMs = 1_000;

export async function simulateFleet(options: SimulateOptions, signal: AbortSignal): Promise<void> {
  const targets = fleetTargets(options.to ?? []);
  const spoken = targets.map(({ door }) => door);
  const doors = options.doors ?? (spoken.length === 0 ? undefined : spoken);
  const fleet = fleetOf(options, doors);
  if (options.devicesOut !== undefined) {
    const text = fleetDevicesText(fleet);
    await writeFile(options.devicesOut, text, { mode: 0o600, flag: 'wx' });
  }
  if (options.setup !== undefined) {
    for (const file of await writeFleetSetup(options.setup, fleet))
      process.stdout.write(`${file}\n`);
    return;
  }
  if (options.dryRun === true) return printEvents(fleet, spanOf(options));
  const shut = fleet.gateways.find(({ door }) => !spoken.includes(door));
  if (targets.length === 0) return;
  if (shut !== undefined) throw new WordsRefused(`gateways of ${shut.door} need a --to of theirs`);
  const hasStations = fleet.gateways.some(({ door }) => door === 'basic-station');
  if (hasStations && options.speed === Number.POSITIVE_INFINITY && options.gateway === undefined) {
    throw new WordsRefused(
      'stations are told nothing of what is taken: at --speed max give --gateway URL, to ask it',
    );
  }
  await run(fleet, options, signal);
}

function fleetOf(
  { seed, fleet, gateways }: SimulateOptions,
  doors: readonly Door[] | undefined,
): Fleet {
  return createFleet({
    ...{ seed, devices: fleet ?? 1 },
    ...(gateways === undefined ? {} : { gateways }),
    ...(doors === undefined ? {} : { doors }),
  });
}

/** Ends now where it is faster than life: what is told is of the past, and nothing of the future. */
function spanOf({
  speed,
  start,
  interval = intervalMsUsual,
  ...options
}: SimulateOptions): FleetSpan {
  const isPrinted = options.dryRun === true;
  const isEndless = speed === 1 && !isPrinted;
  const forMs = options.for ?? (isEndless ? Number.POSITIVE_INFINITY : hourMs);
  const now = Math.floor(loadClock.now());
  const lead = Number.isFinite(forMs)
    ? Math.floor(forMs - forMs / (isPrinted ? Infinity : speed))
    : 0;
  const from = start ?? now - lead;
  return { from, to: from + forMs, intervalMs: interval };
}

async function run(fleet: Fleet, options: SimulateOptions, signal: AbortSignal): Promise<void> {
  const { speed } = options;
  const memory =
    options.memory === undefined ? undefined : await readFleetMemory(options.memory, fleet.seed);
  const door = gatewayOf(options);
  const history = door === undefined ? undefined : await openFleetHistory(fleet, door);
  const isPressed = door !== undefined && speed > 1;
  const written = isPressed ? await watchStations(door, { clock: loadClock, signal }) : undefined;
  const accounts =
    options.accounts === undefined ? noAccounts : await readAccounts(options.accounts);
  const doors = await openFleetDoors(fleet, fleetTargets(options.to ?? []), accounts);
  const progress = createFleetProgress();
  const span = spanOf(options);
  const full = new AbortController();
  const screen = createProgressScreen(process.stderr, loadClock.now);
  const show = () => screen.show(progressLines(progress, span, speed));
  const timer = setInterval(show, progressPeriodMs);
  try {
    await runFleet({
      ...{ fleet, span, doors, speed, progress, signal: AbortSignal.any([signal, full.signal]) },
      ...(written === undefined ? {} : { written }),
      ...(memory === undefined ? {} : { memory }),
      onUplink(sent) {
        history?.note(sent);
        if (history?.isFull() === true) full.abort();
      },
    });
  } finally {
    clearInterval(timer);
    await Promise.all(Object.values(doors).map((one) => one.close()));
    screen.clear();
    if (options.memory !== undefined && memory !== undefined) {
      await writeFleetMemory(options.memory, fleet.seed, memory);
    }
  }
  const verdict = await verdictOf(history, options);
  report({ fleet, progress, verdict, isFull: full.signal.aborted }, options);
}

async function verdictOf(
  history: FleetHistory | undefined,
  { settle = settleMsUsual }: SimulateOptions,
): Promise<FleetVerdict | undefined> {
  return history?.check({ clock: loadClock, settleMs: settle });
}

function progressLines(
  { at, counts, doors }: FleetProgress,
  span: FleetSpan,
  speed: number,
): string[] {
  const { from, to } = span;
  const bar = Number.isFinite(to) ? `${progressBar(((at ?? from) - from) / (to - from))} ` : '';
  const time = at === undefined ? '—' : new Date(at).toISOString();
  const pace = speed === Number.POSITIVE_INFINITY ? 'max' : `×${speed}`;
  const { joins, heard, copies, lost } = counts;
  const isLost = Object.values(lost).reduce((sum, count) => sum + count, 0);
  return [
    `${bar}${time} ${pace} joins ${joins} heard ${heard} copies ${copies} lost ${isLost}`,
    ...doorLines(doors),
  ];
}

function doorLines(doors: FleetProgress['doors']): string[] {
  const rows = [...doors].map(([name, { handedIn, acknowledged, unknown, refused }]) => [
    ...[name, String(handedIn), String(acknowledged), String(unknown), String(refused)],
  ]);
  return tableLines([['door', 'handed in', 'acknowledged', 'not told', 'refused'], ...rows]);
}

interface Ended {
  readonly fleet: Fleet;
  readonly progress: FleetProgress;
  readonly verdict: FleetVerdict | undefined;
  readonly isFull: boolean;
}

function report({ fleet, progress, verdict, isFull }: Ended, options: SimulateOptions): void {
  const { counts, doors } = progress;
  const isTaken = [...doors.values()].every(
    ({ handedIn, acknowledged, unknown }) => handedIn === acknowledged + unknown,
  );
  const isGood = isTaken && counts.heard > 0 && verdict?.isSound !== false;
  if (options.json === true) {
    const size = { devices: fleet.devices.length, gateways: fleet.gateways.length };
    const outcome = { seed: fleet.seed, ...size, ...counts, doors: Object.fromEntries(doors) };
    process.stdout.write(`${JSON.stringify({ ...outcome, verdict, isFull, isGood })}\n`);
  } else {
    const lines = [...doorLines(doors), ...summaryLines(counts)];
    if (isFull) lines.push('ended early: a check remembers no more uplinks');
    if (verdict !== undefined) lines.push(...verdictLines(verdict));
    process.stderr.write(`${lines.join('\n')}\n`);
  }
  if (!isGood) process.exitCode = 1;
}

function summaryLines(counts: FleetProgress['counts']): string[] {
  const { sent, heard, copies, lost, joins, adrMoves, downlinks, unanswered } = counts;
  const { confirmed, confirmedAcknowledged, repeated } = counts;
  return [
    `on the air: ${sent} frames sent, ${heard} heard in ${copies} copies; lost: ${lost['too-weak']}` +
      ` too weak, ${lost.collision} in collisions, ${lost['gateway-busy']} at busy gateways`,
    `${joins} joins, ${downlinks} downlinks (${unanswered} no gateway was free to send),` +
      ` ${adrMoves} moves to a better data rate`,
    `${confirmed} confirmed uplinks: ${confirmedAcknowledged} acknowledged, ${repeated} repetitions`,
  ];
}

function verdictLines(verdict: FleetVerdict): string[] {
  const { owed, found, missing, duplicated, unknown, notStored, joins, faults } = verdict;
  const told = Object.entries(faults).map(([code, count]) => `${count} ${code}`);
  return [
    `gateway: ${owed} uplinks owed, ${found} in the ledger, ${missing} missing, ${duplicated}` +
      ` duplicated, ${unknown} unknown, ${notStored} without their values, ${joins} joins`,
    ...(told.length === 0 ? [] : [`faults: ${told.join(', ')}`]),
    ...(verdict.isCaughtUp ? [] : ['the store has not read the ledger to its end']),
  ];
}

function printEvents(fleet: Fleet, span: FleetSpan): Promise<void> {
  const doorOf = new Map(fleet.gateways.map(({ id, door }) => [id, door]));
  const line = (event: FleetEvent): string => {
    const { kind, time, devEui, what } = event;
    const receptions = event.kind === 'up' ? event.transmission.receptions : [event.answers];
    const radio = event.kind === 'up' ? event.transmission : event;
    return JSON.stringify({
      ...{ time: new Date(time).toISOString(), kind, what, devEui },
      phyPayload: event.phyPayload.toString('hex'),
      ...{ frequency: radio.frequency, spreadingFactor: radio.spreadingFactor },
      gateways: receptions.map(({ gateway, rssi, snr }) => ({
        ...{ id: gateway.id, door: doorOf.get(gateway.id), rssi, snr },
      })),
    });
  };
  return printLines(fleetEvents(fleet, span), line);
}
