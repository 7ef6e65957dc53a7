/**
 * The demonstration from start to end: a gateway with a config of its own, a simulated city that
 * feeds it, a viewer that watches, and a summary that tells if all that was acknowledged is there.
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openWires } from './capture/wires.ts';
import { type CityMemory, readCityMemory, writeCityMemory } from './city-memory.ts';
import { createDemoConfig, type DemoConfig } from './demo-config.ts';
import { createDemoFleet, type DemoFleet, type FleetTold, runDemoFleet } from './demo-fleet.ts';
import { type GatewayAddress, type GatewayProcess, startGateway } from './demo-gateway.ts';
import type { DemoOptions } from './demo-options.ts';
import { type DemoOutcome, progressText, summaryText, uplinksOwed } from './demo-summary.ts';
import { fetchStored, missingFrom, type Stored } from './gateway-metrics.ts';
import { createLiveViewer, type LiveViewer } from './live-viewer.ts';
import { type CityProgress, replayAccounts, runCity } from './run.ts';
import { createScenario, type Scenario } from './scenario.ts';

const hourMs = 3_600_000;
/** After the last acknowledgement the store may need a moment to read the ledger to its end. */
const storeTimeoutMs = 60_000;
const storePollMs = 250;
/** More often than in life, so that something is to be seen; as often as duty cycles allow. */
const joiningIntervalMs = 20_000;
/** Until the stream has shown what was stored last: a few of its periods. */
const viewerGraceMs = 1_000;

export interface DemoScreen {
  /** A line that stays. */
  line(text: string): void;
  /** A line that the next one may overwrite. */
  progress(text: string): void;
  openBrowser(url: string): void;
}

/** The compiled program beside the compiled simulators. */
export const gatewayProgram = fileURLToPath(
  new URL('../gateway/cli/fieldgate.js', import.meta.url),
);

/** Runs until the signal or the chosen time, and tells in words what is missing, if anything. */
export async function runDemo(
  options: DemoOptions,
  screen: DemoScreen,
  signal: AbortSignal,
): Promise<DemoOutcome> {
  await assertPortIsFree(options.port, '--port');
  await assertPortIsFree(options.mqttPort, '--mqtt-port');
  const directory = await chooseDirectory(options.dataDir);
  try {
    return await runIn(directory, { options, screen, signal });
  } finally {
    if (options.dataDir === undefined) await rm(directory, { recursive: true, force: true });
  }
}

interface Demo {
  readonly options: DemoOptions;
  readonly screen: DemoScreen;
  readonly signal: AbortSignal;
}

async function runIn(directory: string, demo: Demo): Promise<DemoOutcome> {
  const { options, screen } = demo;
  const { seed, devices, networks } = options;
  const scenario = createScenario({ seed, devices, networks });
  const fleet = options.joining === 0 ? undefined : createDemoFleet(seed, options.joining);
  const config = createDemoConfig(scenario, {
    ...(fleet === undefined ? {} : { fleet }),
    dataDir: join(directory, 'gateway'),
    httpPort: options.port,
    mqttPort: options.mqttPort,
  });
  const configFile = join(directory, 'fieldgate.yaml');
  await writeFile(configFile, config.yaml, { mode: 0o600 });
  const count = scenario.devices.length + options.joining;
  screen.line(`Starting the gateway with ${count} simulated devices …`);
  const gateway = await startGateway({
    program: gatewayProgram,
    args: ['serve', '--config', configFile],
    onWarning: (line) => screen.line(`gateway: ${line}`),
  });
  try {
    return await watchCity({ ...demo, directory, scenario, fleet, config, gateway });
  } finally {
    await gateway.stop();
  }
}

interface Watch extends Demo {
  readonly directory: string;
  readonly scenario: Scenario;
  readonly fleet: DemoFleet | undefined;
  readonly config: DemoConfig;
  readonly gateway: GatewayProcess;
}

async function watchCity(watch: Watch): Promise<DemoOutcome> {
  const { options, screen, gateway, config } = watch;
  const http = urlOf(gateway.addresses, 'http', 'http');
  greet(screen, http, gateway);
  if (options.open) screen.openBrowser(gateway.signInLink ?? http);
  const viewer = createLiveViewer(`${http.replace(/^http/, 'ws')}/live`, config.token);
  try {
    const { progress, fleet, gatewayFault } = await runUntilEnd(watch, viewer);
    const sent = fleet === undefined ? { progress } : { progress, fleet };
    if (gatewayFault !== undefined) return { ...sent, live: liveCounts(viewer), gatewayFault };
    screen.progress('Waiting until everything acknowledged is stored …');
    const stored = await waitUntilStored(http, config.token, uplinksOwed(sent));
    await pause(viewerGraceMs);
    const outcome = { ...sent, live: liveCounts(viewer), stored };
    for (const line of summaryText(outcome)) screen.line(line);
    return outcome;
  } finally {
    viewer.close();
  }
}

function greet(screen: DemoScreen, http: string, gateway: GatewayProcess): void {
  const tell = (what: string, where: string) => screen.line(`${`${what}:`.padEnd(16)}${where}`);
  tell('Dashboard', `${http}/`);
  if (gateway.signInLink !== undefined) tell('Sign in', gateway.signInLink);
  for (const { name, host, port } of gateway.addresses) {
    if (name !== 'http') tell(name, `${host}:${port}`);
  }
  screen.line('Ctrl-C ends everything.');
}

/** The city ends on the signal, after the chosen time, or when the gateway is gone. */
async function runUntilEnd(
  watch: Watch,
  viewer: LiveViewer,
): Promise<Pick<DemoOutcome, 'progress' | 'fleet' | 'gatewayFault'>> {
  const { options, scenario, config, gateway, screen, directory } = watch;
  const gatewayGone = new AbortController();
  let gatewayFault: string | undefined;
  void gateway.exited.then((reason) => {
    gatewayFault = reason;
    gatewayGone.abort();
  });
  const memoryFile = join(directory, 'city.json');
  const memory = await readCityMemory(memoryFile, scenario.seed);
  const ends = [watch.signal, gatewayGone.signal];
  if (options.forMs !== undefined) ends.push(AbortSignal.timeout(options.forMs));
  let saving: Promise<void> = Promise.resolve();
  const save = ({ counters }: CityProgress): Promise<void> =>
    writeCityMemory(memoryFile, { seed: scenario.seed, counters, lastTime: Date.now() });
  const wires = await openWires({
    targets: targetsOf(gateway.addresses),
    accounts: replayAccounts(config.accounts),
    clientId: 'simulated',
  });
  const fleetGone = new AbortController();
  const signal = AbortSignal.any([...ends, fleetGone.signal]);
  const joining = joiningUntil(watch, signal);
  // It is told at the end; nobody waits so long.
  joining.catch(() => fleetGone.abort());
  const progress = await runCity({
    wires,
    scenario,
    backfillHours: backfillHours(options, memory),
    liveIntervalMs: options.intervalMs,
    signal,
    onProgress: (now) => {
      screen.progress(progressText(now, viewer.shown()));
      if (options.dataDir !== undefined) saving = saving.then(() => save(now));
    },
    ...(memory === undefined ? {} : { counters: memory.counters }),
  });
  await saving;
  const fleet = await joining;
  const told = fleet === undefined ? { progress } : { progress, fleet };
  return gatewayFault === undefined ? told : { ...told, gatewayFault };
}

/** The devices that join, through all three kinds of doors. */
async function joiningUntil(
  { fleet, gateway: { addresses }, directory }: Watch,
  signal: AbortSignal,
): Promise<FleetTold | undefined> {
  if (fleet === undefined) return undefined;
  const doors = { mqtt: 'mqtt', udp: 'udp', 'basic-station': 'ws' } as const;
  const there = Object.entries(doors).filter(([name]) =>
    addresses.some((address) => address.name === name),
  );
  return runDemoFleet(fleet, {
    targets: there.map(([name, scheme]) => urlOf(addresses, name, scheme)),
    memoryFile: join(directory, 'fleet.json'),
    ...{ intervalMs: joiningIntervalMs, signal },
  });
}

/** What an earlier run has sent is not sent again. */
function backfillHours(options: DemoOptions, memory: CityMemory | undefined): number {
  if (memory === undefined) return options.backfillHours;
  return Math.min(options.backfillHours, Math.max(0, Date.now() - memory.lastTime) / hourMs);
}

function liveCounts(viewer: LiveViewer): DemoOutcome['live'] {
  return { shown: viewer.shown(), series: viewer.series(), faults: viewer.faults };
}

async function waitUntilStored(http: string, token: string, uplinks: number): Promise<Stored> {
  const deadline = Date.now() + storeTimeoutMs;
  for (;;) {
    const stored = await fetchStored(http, token);
    if (missingFrom(stored, uplinks).length === 0 || Date.now() > deadline) return stored;
    await pause(storePollMs);
  }
}

/** CoAP is there only where the city has modems that speak it. */
function targetsOf(addresses: readonly GatewayAddress[]): string[] {
  const coap = addresses.some(({ name }) => name === 'coap') ? ['coap'] : [];
  return ['mqtt', 'http', ...coap].map((name) => urlOf(addresses, name, name));
}

function urlOf(addresses: readonly GatewayAddress[], name: string, scheme: string): string {
  const address = addresses.find((one) => one.name === name);
  if (address === undefined) throw new Error(`the gateway does not listen for ${name}`);
  return `${scheme}://${address.host}:${address.port}`;
}

async function chooseDirectory(dataDir: string | undefined): Promise<string> {
  if (dataDir === undefined) return await mkdtemp(join(tmpdir(), 'fieldgate-demo-'));
  await mkdir(dataDir, { recursive: true });
  return dataDir;
}

/** Throws with the remedy; the gateway's own message would come later and say less. */
export async function assertPortIsFree(port: number, option: string): Promise<void> {
  if (port === 0) return;
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', () =>
      reject(new Error(`Port ${port} is taken. Choose another one with ${option} ${port + 1}.`)),
    );
    server.listen(port, '127.0.0.1', resolve);
  });
  await new Promise((resolve) => server.close(resolve));
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
