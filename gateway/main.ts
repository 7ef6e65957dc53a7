/**
 * The whole gateway on one page: what is opened, how it is joined, and in which order it closes.
 */
import { mkdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Config } from '../config/schema.ts';
import { openAccess } from '../dashboard/access.ts';
import type { HealthReport } from '../dashboard/parts.ts';
import { createDashboard } from '../dashboard/server.ts';
import { createAdapterChoice } from './adapter-choice.ts';
import { openAdapterBook } from './adapters/adapter-book.ts';
import { crossCheck } from './cross-check.ts';
import { createDoors } from './doors.ts';
import { openIdentityKey } from './identity-key.ts';
import { openCatalogueReader } from './ledger/catalogue.ts';
import { claimDirectory } from './ledger/data-directory.ts';
import { openState } from './ledger/lmdb-files.ts';
import { openLedger } from './ledger/lmdb-ledger.ts';
import { openLedgerReader } from './ledger/lmdb-reader.ts';
import { createHub } from './live/hub.ts';
import { createSampledWarning, type Log } from './log.ts';
import { DeviceRegistry } from './lorawan/device-registry.ts';
import { counterDefaults } from './lorawan/frame-counter.ts';
import { openKeyVault } from './lorawan/key-vault.ts';
import { verifyDefaults, verifyUplink } from './lorawan/verify.ts';
import { createMetrics } from './metrics.ts';
import { systemClock } from './model/clock.ts';
import type { Inbound } from './model/inbound.ts';
import { startDeriveProcess } from './pipeline/derive-process.ts';
import { createIngest } from './pipeline/ingest.ts';
import { createSourceBoard } from './pipeline/source-board.ts';
import { putConfiguredDevices } from './provision.ts';
import { startRetention } from './retention-timer.ts';
import { createSparkplug } from './sparkplug.ts';
import { createMqttBroker } from './transports/mqtt-broker.ts';
import type { TooLargePacket } from './transports/mqtt-options.ts';
import type { ListeningAddress } from './transports/transport.ts';
import { createWorkerListener } from './worker-listener.ts';

export interface Gateway {
  readonly addresses: readonly ListeningAddress[];
  /** Where to sign in the first time; absent once somebody has. */
  readonly signInLink?: string;
  stop(): Promise<void>;
}

/**
 * Rejects with a sentence for the operator when something is in the way; then nothing stays open.
 */
export async function startGateway(config: Config, log: Log): Promise<Gateway> {
  const clock = systemClock;
  const dataDir = resolve(config.dataDir);
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const claim = await claimDirectory(dataDir);
  const state = openState({ directory: dataDir });
  const sparkplug = createSparkplug(config.ingest.sparkplug, () => broker, { log, clock });
  const identityKey = openIdentityKey(join(dataDir, 'identity.key'));
  const adapters = openAdapterBook(config.ingest, identityKey, [sparkplug.adapter]);
  const vault = openKeyVault(config.keyFile ?? join(dataDir, 'device-keys.kek'));
  const registry = new DeviceRegistry(state, vault);
  await putConfiguredDevices(registry, config.devices, crossCheck(config), log);
  const ledger = await openLedger({ directory: dataDir, limits: ledgerLimitsOf(config), clock });
  const reader = openLedgerReader({ directory: dataDir });
  const catalogue = openCatalogueReader(join(dataDir, 'catalogue'));
  const access = openAccess(dataDir, clock, config.http.tokens);
  const hub = createHub({ replayRowsMax: config.live.replayRowsMax, clock });
  const listener = createWorkerListener({
    hub,
    log,
    clock,
    store: config.store.kind,
    cursors: { live: catalogue.position('live'), store: catalogue.position('store') },
  });
  const metrics = createMetrics({
    ledgerSeq: () => ledger.head(),
    cursors: () => listener.cursors(),
    liveClients: () => dashboard.liveClients(),
    mqttClients: () => broker.counts().clients,
  });
  listener.observe(metrics);
  const sourceBoard = createSourceBoard(clock);
  let crash = 'starting';
  const derive = startDeriveProcess({
    program: new URL('./worker.js', import.meta.url),
    settings: () => ({ dataDir, store: config.store, devices: [...allDevices(registry)] }),
    onMessage(message) {
      if (message.kind === 'progress') sourceBoard.derived(message.live);
      listener.take(message);
    },
    onCrash(reason) {
      crash = reason;
      hub.resetSender();
      log.error({ event: 'derive-crashed', reason }, 'derive worker crashed; it starts again');
    },
  });
  registry.onChange((change) =>
    derive.device(change.id, change.kind === 'put' ? change.device : undefined),
  );
  const warn = createSampledWarning(log, clock.now);
  let ledgerFault: string | undefined;
  const ingest = createIngest({
    adapterFor: createAdapterChoice(config.ingest, adapters),
    verify: (frame) =>
      verifyUplink(
        frame,
        (devAddr) => registry.sessionsOf(devAddr),
        (deviceId, devAddr) => ledger.lastFrameCounter(deviceId, devAddr),
        { ...verifyDefaults, counters: { ...counterDefaults, gapMax: config.ingest.fCntGapMax } },
      ),
    ledger,
    observe: {
      written: sourceBoard.note,
      item(source, receipt, problem) {
        metrics.uplink(source, receipt.outcome);
        const code =
          problem?.code ?? (receipt.outcome === 'replayed' ? 'FRAME_REPLAYED' : undefined);
        if (code === undefined) return;
        metrics.fault(code);
        const fields = { event: 'fault', code, source, seq: receipt.seq, detail: problem?.detail };
        warn(`${source}:${code}`, fields, 'written down with a fault');
      },
      acknowledged(seconds) {
        ledgerFault = undefined;
        metrics.ackSeconds(seconds);
        derive.wake();
      },
      unavailable(reason) {
        ledgerFault = reason;
        metrics.fault('LEDGER_UNAVAILABLE');
        warn('ledger', { event: 'ledger-unavailable', reason }, 'nothing is acknowledged');
      },
    },
  });
  const onForbidden = (inbound: Inbound) =>
    ingest.refuse(inbound, 'TOPIC_FORBIDDEN', `${inbound.sender.credential} may not publish here`);
  const doors = createDoors(config, ingest.receive, {
    log,
    clock,
    monotonicMs: () => performance.now(),
    onForbidden,
    onTurnedAway: metrics.turnedAway,
  });
  const broker = createMqttBroker(mqttOptionsOf(config), ingest.receive, {
    onForbidden,
    onTooLarge: (packet) => {
      const detail = `a packet of ${packet.declaredBytes} bytes from ${packet.address}`;
      ingest
        .refuse(refusedPacket(packet, clock.now()), 'INBOUND_TOO_LARGE', detail)
        .catch(() => {});
    },
    log,
    clock,
  });
  const health = (): HealthReport =>
    healthOf({
      ledger: ledgerFault,
      derive: derive.isRunning() ? undefined : crash,
      store: listener.feedProblem(),
    });
  const dashboard = createDashboard(
    {
      registry,
      ledger: reader,
      catalogue,
      readings: derive,
      hub,
      sourceBoard,
      access,
      clock,
      metrics: metrics.registry,
      health,
      log,
      onSkipped: (count) => metrics.liveSkipped(count),
      sources: () => ({ store: listener.feedProblem() === undefined ? 'ok' : 'late' }),
    },
    {
      ...config.http,
      live: config.live,
      mounted: [doors.router],
      webDirectory: fileURLToPath(new URL('../dashboard/web', import.meta.url)),
    },
  );
  dashboard.onUpgrade('/mqtt', (request, socket, head) => broker.upgrade(request, socket, head));
  const retention = startRetention({
    ...{ ledger, reader, catalogue, config: config.ledger, clock, log },
    onRemoved: (tail) => derive.forget(tail),
  });

  async function stop(): Promise<void> {
    retention.stop();
    await sparkplug.goOffline();
    await Promise.all([broker.stop(), doors.stop()]);
    await dashboard.stop();
    await derive.stop();
    hub.close();
    await ledger.close();
    await Promise.all([reader.close(), catalogue.close(), state.close()]);
    await claim.release();
  }

  try {
    const port = await dashboard.start();
    const http = { name: 'http', host: config.http.host, port };
    const addresses = [http, ...(await broker.start()), ...(await doors.start())];
    await sparkplug.goOnline();
    const base = config.http.publicUrl ?? `http://${config.http.host}:${port}`;
    const link = access.isUntouched()
      ? { signInLink: signInLink(base, access.createLink('admin')) }
      : {};
    return { addresses, ...link, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function signInLink(base: string, code: string): string {
  return `${base.replace(/\/$/, '')}/signin?code=${code}`;
}

function ledgerLimitsOf({ ledger }: Config) {
  const { keepDays: _days, sizeBytesMax: _size, ...limits } = ledger;
  return limits;
}

function mqttOptionsOf({ mqtt }: Config) {
  const { tcp, tls, clients, anonymous, limits } = mqtt;
  return {
    clients,
    anonymous,
    limits,
    ...(tcp === null ? {} : { tcp }),
    ...(tls === undefined
      ? {}
      : {
          tls: {
            host: tls.host,
            port: tls.port,
            requestCert: tls.requestCert,
            cert: readFileSync(tls.certFile),
            key: readFileSync(tls.keyFile),
            ca: tls.caFile === undefined ? undefined : readFileSync(tls.caFile),
          },
        }),
  };
}

function* allDevices(registry: DeviceRegistry) {
  let after: string | undefined;
  do {
    const page = registry.list({ limit: 1_000, ...(after === undefined ? {} : { after }) });
    yield* page.devices;
    after = page.next;
  } while (after !== undefined);
}

/** Its bytes were never read: what is known of it is written down. */
function refusedPacket(
  { credential, clientId, address }: TooLargePacket,
  receivedAt: number,
): Inbound {
  return {
    transport: 'mqtt',
    route: '',
    body: Buffer.alloc(0),
    receivedAt,
    sender: {
      credential: credential ?? clientId ?? address,
      connection: `refused:${address}:${receivedAt}`,
      vouches: 'credential',
    },
    dup: false,
  };
}

/** For each dependency why it does not work; undefined while it does. */
function healthOf(faults: Readonly<Record<string, string | undefined>>): HealthReport {
  const dependencies = Object.entries(faults).map(([name, reason]) => ({
    name,
    ok: reason === undefined,
    ...reasonOf(reason),
  }));
  return { ready: dependencies.every(({ ok }) => ok), dependencies };
}

function reasonOf(reason: string | undefined): { reason?: string } {
  return reason === undefined ? {} : { reason };
}
