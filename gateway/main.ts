/** The whole gateway on one page: what it is made of and how the parts are joined. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Config } from '../config/schema.ts';
import type { HealthReport } from '../dashboard/parts.ts';
import { createDashboard } from '../dashboard/server.ts';
import type { Adapter } from './adapters/adapter.ts';
import { openAdapterBook } from './adapters/adapter-book.ts';
import { crossCheck } from './cross-check.ts';
import { startDerivation } from './derivation/derivation.ts';
import { createWorkerListener } from './derivation/worker-listener.ts';
import { createAdapterChoice } from './doors/adapter-choice.ts';
import { createDoors } from './doors/doors.ts';
import { openBroker, refuseForbidden } from './doors/mqtt-setup.ts';
import { publishReadings } from './doors/out-topics.ts';
import { createPolls } from './doors/polls.ts';
import { createSparkplug } from './doors/sparkplug.ts';
import { kekOf } from './holdings/device-key-place.ts';
import { type Holdings, openHoldings } from './holdings/holdings.ts';
import { openIdentityKey } from './holdings/identity-key.ts';
import { createHub } from './live/hub.ts';
import type { Log } from './log.ts';
import { counterDefaults } from './lorawan/frame-counter.ts';
import { createJoins } from './lorawan/joins.ts';
import { createProver } from './lorawan/prover.ts';
import { verifyDefaults } from './lorawan/verify.ts';
import { type Clock, systemClock } from './model/clock.ts';
import { startHeapRest } from './operation/heap-rest.ts';
import { createIngestWatch } from './operation/ingest-watch.ts';
import { createMetrics } from './operation/metrics.ts';
import { registerMqttMetrics } from './operation/mqtt-metrics.ts';
import { createMqttOperators } from './operation/mqtt-operators.ts';
import { startRetention } from './operation/retention-timer.ts';
import { createIngest } from './pipeline/ingest.ts';
import { openingPayloads } from './pipeline/payload-opening.ts';
import { createSourceBoard } from './pipeline/source-board.ts';
import { createReload, type ReadAgain } from './reload.ts';
import type { ListeningAddress } from './transports/transport.ts';

export interface Gateway {
  readonly addresses: readonly ListeningAddress[];
  /** Where to sign in the first time; absent once somebody has. */
  readonly signInLink?: string;
  /** Takes accounts, certificates and keys over from what is read; never throws. */
  reload(readAgain: ReadAgain): void;
  stop(): Promise<void>;
}

/**
 * Rejects with a sentence for the operator when something is in the way; then nothing stays open.
 */
export async function startGateway(config: Config, log: Log): Promise<Gateway> {
  const clock = systemClock;
  tellProblems(config, log);
  const holdings = await openHoldings(config, clock, log);
  const parts = await joinOrClose(config, log, holdings);
  const { broker, doors, choice, dashboard, sparkplug, polls } = parts;
  try {
    const port = await dashboard.start();
    const reload = createReload({ config, broker, doors, choice, audit: holdings.audit, log });
    const http = { name: 'http', host: config.http.host, port };
    const addresses = [http, ...(await broker.start()), ...(await doors.start())];
    parts.listening.push(...addresses);
    await sparkplug.goOnline();
    polls.start();
    const base = config.http.publicUrl ?? `http://${config.http.host}:${port}`;
    return { addresses, ...signInLink(base, holdings), reload, stop: parts.stop };
  } catch (error) {
    await parts.stop();
    throw error;
  }
}

/** Of a device or model that is left out; whatever else is wrong has kept the gateway down. */
function tellProblems(config: Config, log: Log): void {
  for (const { path, detail } of crossCheck(config)) {
    const fields = { event: 'device-problem', path, detail };
    log.warn(fields, 'a device or model of the configuration is left out');
  }
}

async function joinOrClose(config: Config, log: Log, holdings: Holdings) {
  try {
    return joinParts(config, log, holdings);
  } catch (error) {
    await holdings.close();
    throw error;
  }
}

const webDirectory = fileURLToPath(new URL('../dashboard/web', import.meta.url));

/**
 * Bytes flow down the page: doors and broker, ingest, ledger, derivation, live picture, dashboard.
 */
function joinParts(config: Config, log: Log, holdings: Holdings) {
  const clock = systemClock;
  const { ledger, reader, catalogue, registry, models, access, codecs } = holdings;
  const listening: ListeningAddress[] = [];
  const hub = createHub({ replayRowsMax: config.live.replayRowsMax, clock });
  const store = config.store.kind;
  const cursors = { live: catalogue.position('live'), store: catalogue.position('store') };
  const listener = createWorkerListener({ hub, log, clock, store, cursors });
  const metrics = createMetrics({
    ledgerSeq: () => ledger.head(),
    cursors: () => listener.cursors(),
    liveClients: () => dashboard.liveClients(),
    mqttClients: () => broker.counts().clients,
    remoteBrokers: () => doors.remoteBrokers.states(),
    codecProblems: () => codecs.problems().length,
  });
  listener.observe(metrics);
  const sourceBoard = createSourceBoard(clock);
  const derivation = startDerivation({
    ...{ config, holdings, hub, log, clock },
    onMessage(message) {
      if (message.kind === 'progress') sourceBoard.derived(message.live);
      listener.take(message);
    },
  });
  const { derive, deriveAgain } = derivation;
  const watch = createIngestWatch({
    ...{ metrics, log, clock, written: sourceBoard.note },
    raise: (alarm) => ledger.accept(alarm),
    security: config.security,
    probe: () => ledger.probe(),
    onWritten: () => derive.wake(),
  });
  const brokers = { own: () => broker, remote: () => doors.remoteBrokers };
  const sparkplug = createSparkplug(config.ingest.sparkplug, brokers, { log, clock });
  const polls = createPolls(config.ingest.polls, { ...brokers, log, clock });
  const choice = adapterChoice(config, holdings, [sparkplug.adapter]);
  const ingest = createIngest({
    adapterFor: choice.adapterFor,
    ...frameProver(config, holdings, clock),
    ledger,
    observe: watch.observer,
  });
  const doors = createDoors(config, ingest.receive, {
    ...{ log, clock, onForbidden: refuseForbidden(ingest), onTurnedAway: metrics.turnedAway },
    monotonicMs: () => performance.now(),
  });
  const broker = openBroker(config, holdings, ingest, { log, clock });
  registerMqttMetrics(metrics.registry, { broker, holdings, config, clock });
  const stopPublishing = publishReadings({ hub, broker, after: cursors.live, log, clock });
  const health = () =>
    healthOf(
      {
        ledger: watch.ledgerFault(),
        derive: derivation.fault(),
        store: listener.feedProblem()?.reason,
      },
      { codecs: [...codecs.problems(), ...models.problems()] },
    );
  const dashboard = createDashboard(
    {
      ...{ registry, models, ledger: reader, catalogue, readings: derive },
      ...{ hub, sourceBoard, access, kekOf: kekOf(config), listening: () => listening },
      ...{ codecs, deriveAgain, mqtt: createMqttOperators(broker, holdings) },
      ...{ clock, log, metrics: metrics.registry, health, onSkipped: metrics.liveSkipped },
      lateSince: () => ({ store: listener.feedProblem()?.since }),
    },
    { ...config.http, live: config.live, mounted: [doors.router], webDirectory },
  );
  dashboard.onUpgrade('/mqtt', broker.upgrade);
  const retention = startRetention({
    ...{ ledger, reader, catalogue, config: config.ledger, clock, log },
    onRemoved: (tail) => derive.forget(tail),
  });
  const endHeapRest = startHeapRest(log);

  async function stop(): Promise<void> {
    endHeapRest();
    retention.stop();
    await Promise.all([polls.stop(), sparkplug.goOffline()]);
    await Promise.all([broker.stop(), doors.stop()]);
    await dashboard.stop();
    await derive.stop();
    await stopPublishing();
    hub.close();
    await holdings.close();
  }

  return { broker, doors, choice, dashboard, sparkplug, polls, listening, stop };
}

/** Whose payloads come encrypted for the application, they are opened as they are read. */
function adapterChoice(
  config: Config,
  { dataDir, registry }: Holdings,
  remembering: readonly Adapter[],
) {
  const { ingest } = config;
  const identityKey = openIdentityKey(join(dataDir, 'identity.key'));
  const adapters = openingPayloads(openAdapterBook(ingest, identityKey, remembering), {
    kekOf: kekOf(config),
    sessionsOf: (devAddr) => registry.sessionsOf(devAddr),
  });
  return createAdapterChoice(ingest, adapters);
}

function frameProver({ ingest, ledger: limits }: Config, holdings: Holdings, clock: Clock) {
  const { registry, joinBook: book, downlinkBook, ledger } = holdings;
  const counters = { ...counterDefaults, gapMax: ingest.fCntGapMax };
  return createProver({
    joins: createJoins({ registry, book, clock, copyWindowMs: limits.copyWindowMs }),
    lastFrameCounter: (deviceId, name) => ledger.lastFrameCounter(deviceId, name),
    downlinkBook,
    options: {
      ...{ ...verifyDefaults, counters },
      highestFrameCounter: (deviceId, name) => ledger.highestFrameCounter(deviceId, name),
    },
  });
}

function signInLink(base: string, { access }: Holdings): { signInLink?: string } {
  if (!access.isUntouched()) return {};
  const code = access.createLink('admin');
  return { signInLink: `${base.replace(/\/$/, '')}/signin?code=${code}` };
}

/**
 * For each dependency why it does not work; undefined while it does. Remarks are on what works all
 * the same: a codec in its last good version.
 */
function healthOf(
  faults: Readonly<Record<string, string | undefined>>,
  remarks: Readonly<Record<string, readonly string[]>>,
): HealthReport {
  const dependencies = Object.entries(faults).map(([name, reason]) => ({
    name,
    ok: reason === undefined,
    ...(reason === undefined ? {} : { reason }),
  }));
  const remarked = Object.entries(remarks).flatMap(([name, words]) =>
    words.length === 0 ? [] : { name, ok: true, reason: words.slice(0, 10).join('; ') },
  );
  const ready = dependencies.every(({ ok }) => ok);
  return { ready, dependencies: [...dependencies, ...remarked] };
}
