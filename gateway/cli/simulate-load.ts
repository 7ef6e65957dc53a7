/** `fieldgate simulate --load` and `--check`: see docs/load.md. */
import { randomBytes } from 'node:crypto';
import { readAccounts } from '../../simulators/capture/replay-settings.ts';
import { checkGateway, type Verdict } from '../../simulators/load/gateway-check.ts';
import type { LatencySummary } from '../../simulators/load/histogram.ts';
import { HistoryUnreadable, readHistory } from '../../simulators/load/history-file.ts';
import type { LiveFigures } from '../../simulators/load/live-matcher.ts';
import { loadClock } from '../../simulators/load/load-clock.ts';
import type { Door } from '../../simulators/load/load-connection.ts';
import {
  connectionsMax,
  deviceRateMax,
  type LoadPlan,
  type LoadProgress,
  messagesMax,
  messagesOf,
} from '../../simulators/load/load-run.ts';
import { isGood, type LoadOutcome, runLoadSession } from '../../simulators/load/load-session.ts';
import { gatewayOf } from './gateway-target.ts';
import type { SimulateOptions } from './simulate-options.ts';
import { createProgressScreen, progressBar, tableLines } from './simulate-screen.ts';
import { WordsRefused } from './words-refused.ts';

const settleMsUsual = 60_000;
const drainMs = 30_000;
/** Connections opened a second, where no ramp is given. */
const rampRate = 500;
const rampMsMin = 1_000;
const rateUsual = 100;
const connectionsUsual = 100;
const forMsUsual = 30_000;

export async function simulateLoad(options: SimulateOptions, signal: AbortSignal): Promise<void> {
  const plan = await planOf(options);
  const gateway = gatewayOf(options);
  const screen = createProgressScreen(process.stderr, loadClock.now);
  const outcome = await runLoadSession({
    ...{ plan, clock: loadClock, signal, gateway, historyFile: options.history },
    settleMs: options.settle ?? settleMsUsual,
    onProgress: (progress, live) => screen.show(progressLines(progress, live)),
  }).finally(() => screen.clear());
  report(outcome, plan, options);
  if (!isGood(outcome)) process.exitCode = 1;
}

export async function checkHistory(file: string, options: SimulateOptions): Promise<void> {
  const door = gatewayOf(options);
  if (door === undefined) throw new WordsRefused('--check needs --gateway URL');
  try {
    const verdict = await checkGateway({
      ...{ door, clock: loadClock, settleMs: options.settle ?? settleMsUsual },
      history: await readHistory(file),
    });
    if (options.json === true) process.stdout.write(`${JSON.stringify({ verdict })}\n`);
    else process.stderr.write(`${verdictLines(verdict).join('\n')}\n`);
    if (!verdict.isSound) process.exitCode = 1;
  } catch (error) {
    if (!(error instanceof HistoryUnreadable)) throw error;
    process.stderr.write(`fieldgate: ${error.message}\n`);
    process.exitCode = 1;
  }
}

async function planOf(options: SimulateOptions): Promise<LoadPlan> {
  const { rate = rateUsual, connections = connectionsUsual, seed } = options;
  const { for: forMs = forMsUsual, arrivals = 'even' } = options;
  const devices = options.devices ?? Math.max(connections, Math.ceil(rate));
  const rampMs = options.ramp ?? Math.max(rampMsMin, (1_000 * connections) / rampRate);
  if (connections > connectionsMax) {
    throw new WordsRefused(`--connections is ${connectionsMax} at most`);
  }
  if (connections > devices) throw new WordsRefused('each connection needs a device: --devices');
  if (rate / devices > deviceRateMax) {
    throw new WordsRefused(`a device sends ${deviceRateMax} messages a second at most: --devices`);
  }
  if (messagesOf({ rate, forMs }) > messagesMax) {
    throw new WordsRefused(`a load has ${messagesMax} messages at most: a lower --rate, or --for`);
  }
  const accounts =
    options.accounts === undefined ? undefined : await readAccounts(options.accounts);
  const { username, password = '' } = accounts?.of('load') ?? {};
  return {
    ...{
      door: doorOf(options.to ?? []),
      rate,
      connections,
      devices,
      forMs,
      rampMs,
      arrivals,
      seed,
    },
    ...{ drainMs, run: randomBytes(4).toString('hex') },
    account: username === undefined ? undefined : { username, password },
  };
}

const ports: Readonly<Record<string, number>> = { 'mqtt:': 1883, 'mqtts:': 8883 };

function doorOf(targets: readonly string[]): Door {
  const [target = '', ...others] = targets;
  const url = URL.canParse(target) ? new URL(target) : undefined;
  const usual = ports[url?.protocol ?? ''];
  if (url === undefined || usual === undefined || others.length > 0) {
    throw new WordsRefused('a load goes --to one mqtt:// or mqtts:// URL');
  }
  if (url.username !== '' || url.password !== '') {
    throw new WordsRefused('a target holds no name or password: give them with --accounts');
  }
  const host = url.hostname.replace(/^\[|\]$/g, '');
  return { host, port: Number(url.port || usual), isTls: url.protocol === 'mqtts:' };
}

function progressLines(progress: LoadProgress, live: LiveFigures | undefined): string[] {
  const { phase, connected, planned, due, sent, acknowledged, resent } = progress;
  const share = phase === 'connecting' ? 0 : due / planned;
  const p99 = progress.puback.p99Ms;
  return [
    `${progressBar(share)} ${phase} connected ${connected} due ${due} sent ${sent}` +
      ` acknowledged ${acknowledged} again ${resent}` +
      (p99 === null ? '' : ` PUBACK p99 ${p99.toFixed(1)} ms`),
    ...latencyLines(progress, live),
  ];
}

function latencyLines(progress: LoadProgress, live: LiveFigures | undefined): string[] {
  return tableLines([
    ['from due, ms', 'count', 'p50', 'p90', 'p99', 'p99.9', 'max'],
    latencyRow('to PUBACK', progress.puback),
    ...(live === undefined ? [] : [latencyRow('to live stream', live.latency)]),
    latencyRow('to sending', progress.lateness),
  ]);
}

function latencyRow(name: string, summary: LatencySummary): string[] {
  const { count, p50Ms, p90Ms, p99Ms, p999Ms, maxMs } = summary;
  const cells = [p50Ms, p90Ms, p99Ms, p999Ms, maxMs];
  return [name, String(count), ...cells.map((cell) => (cell === null ? '–' : cell.toFixed(1)))];
}

function report(outcome: LoadOutcome, plan: LoadPlan, options: SimulateOptions): void {
  const { load, live, liveFaults = [], verdict } = outcome;
  if (options.json === true) {
    const { rate, connections, devices, arrivals, seed, run } = plan;
    const told = { plan: { rate, connections, devices, arrivals, seed, run }, ...outcome };
    process.stdout.write(`${JSON.stringify({ ...told, isGood: isGood(outcome) })}\n`);
    return;
  }
  const { due, acknowledged, resent, lostConnections, seconds, isOverloaded } = load;
  const lines = [
    `${due} messages due in ${seconds.toFixed(1)} s on ${plan.connections} connections:` +
      ` ${acknowledged} acknowledged, ${resent} sent again, ${lostConnections} connections lost`,
    ...latencyLines(load, live),
  ];
  if (isOverloaded) lines.push('ended early: too many messages waited for their turn');
  if (live !== undefined) {
    const { shown, conflated, notShown, altered } = live;
    lines.push(
      `live stream: ${shown} shown, ${conflated} passed over for newer ones,` +
        ` ${notShown} not shown, ${altered} altered`,
    );
  }
  lines.push(...liveFaults, ...(verdict === undefined ? [] : verdictLines(verdict)));
  process.stderr.write(`${lines.join('\n')}\n`);
}

function verdictLines(verdict: Verdict): string[] {
  const { ledger, store, messages, acknowledged, outcomes, isCaughtUp } = verdict;
  const row = (name: string, one: typeof ledger) => [
    ...[name, String(one.found), String(one.missing), String(one.duplicated)],
    ...[String(one.altered), String(one.unknown)],
  ];
  const told = Object.entries(outcomes).map(([outcome, count]) => `${count} ${outcome}`);
  return [
    `history: ${messages} sent, ${acknowledged} acknowledged; ledger: ${told.join(', ')}`,
    ...tableLines([
      ['', 'found', 'missing', 'duplicated', 'altered', 'unknown'],
      row('ledger', ledger),
      row('store', store),
    ]),
    ...(isCaughtUp ? [] : ['the store has not read the ledger to its end']),
    ...[...ledger.examples, ...store.examples].map((example) => `  ${example}`),
  ];
}
