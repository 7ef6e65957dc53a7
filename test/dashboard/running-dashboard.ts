/**
 * The HTTP side with real parts in a directory of its own: ledger, catalogue, registry, hub, store.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Registry } from 'prom-client';
import { type Access, openAccess } from '../../dashboard/access.ts';
import { createDashboard, type DashboardOptions } from '../../dashboard/server.ts';
import { codecLimits } from '../../gateway/codecs/limits.ts';
import { type ModelBook, openModelBook } from '../../gateway/codecs/models/model-book.ts';
import { type CodecRegistry, openCodecRegistry } from '../../gateway/codecs/registry.ts';
import { createRestingSandbox } from '../../gateway/codecs/resting-sandbox.ts';
import type { Script } from '../../gateway/codecs/script.ts';
import { openScriptCodecs } from '../../gateway/codecs/script-codecs.ts';
import { createAgainControl } from '../../gateway/derivation/derive-again.ts';
import { type Catalogue, openCatalogue } from '../../gateway/ledger/catalogue.ts';
import { type CodecHistory, openCodecHistory } from '../../gateway/ledger/codec-history.ts';
import type { Delivery } from '../../gateway/ledger/ledger.ts';
import { openState } from '../../gateway/ledger/lmdb-files.ts';
import { type LmdbLedger, openLedger } from '../../gateway/ledger/lmdb-ledger.ts';
import { type LmdbLedgerReader, openLedgerReader } from '../../gateway/ledger/lmdb-reader.ts';
import { createHub, type Hub } from '../../gateway/live/hub.ts';
import { DeviceRegistry } from '../../gateway/lorawan/device-registry.ts';
import { openKeyVault } from '../../gateway/lorawan/key-vault.ts';
import { createKekBook } from '../../gateway/lorawan/key-wrap.ts';
import { systemClock } from '../../gateway/model/clock.ts';
import { settleDevice } from '../../gateway/model/device-model.ts';
import type { Fault } from '../../gateway/model/fault.ts';
import type { Reading } from '../../gateway/model/reading.ts';
import { type ExplainParts, explainReadings } from '../../gateway/pipeline/explain.ts';
import { createLiveNumbers } from '../../gateway/pipeline/live-numbers.ts';
import { defaultLaneLimits } from '../../gateway/pipeline/quality/lane.ts';
import { createSourceBoard } from '../../gateway/pipeline/source-board.ts';
import { openUnmappedBook, type UnmappedParts } from '../../gateway/pipeline/unmapped-book.ts';
import { openEmbeddedStore } from '../../gateway/stores/embedded/open-store.ts';
import { type ReadingReader, StoreUnavailable } from '../../gateway/stores/store.ts';
import { writeTo } from '../stores/sample.ts';

/** The sandbox from its sources, as no compiled program need be there. */
const program = new URL('../codecs/sandbox-program.mjs', import.meta.url);

import { startBroker } from './running-broker.ts';

/** Of RFC 3394, section 4.1. */
export const testKek = { label: 'town', key: '000102030405060708090a0b0c0d0e0f' };
const kekOf = createKekBook([testKek]);

/** What the dashboard tells while it is not well. */
export const storeLateSince = 1_763_900_000_000;

export interface RunningDashboard {
  readonly base: string;
  readonly port: number;
  readonly directory: string;
  readonly access: Access;
  readonly registry: DeviceRegistry;
  readonly models: ModelBook;
  readonly ledger: LmdbLedger;
  readonly reader: LmdbLedgerReader;
  readonly catalogue: Catalogue;
  readonly hub: Hub;
  readonly mqttPort: number;
  readonly codecs: { readonly registry: CodecRegistry; readonly history: CodecHistory };
  readonly logged: readonly object[];
  readonly tokens: Readonly<Record<'viewer' | 'operator' | 'admin', string>>;
  /** As the operator, unless a token is given; with a body it is a POST of JSON. */
  ask(path: string, init?: RequestInit & { readonly token?: string | null }): Promise<Response>;
  /** Writes to the ledger and notes it in the catalogue, as the derive worker does. */
  accept(delivery: Delivery, verdict?: Fault): Promise<void>;
  /** To the live side and to the store. */
  publish(readings: readonly Reading[]): Promise<void>;
  setHealth(isWell: boolean): void;
  stop(): Promise<void>;
}

export async function startDashboard(
  options: Partial<DashboardOptions> = {},
): Promise<RunningDashboard> {
  const directory = await mkdtemp(join(tmpdir(), 'fieldgate-dashboard-'));
  const state = openState({ directory });
  const registry = new DeviceRegistry(state, openKeyVault(join(directory, 'keys.kek')));
  const models = openModelBook({ root: state, directory: join(directory, 'models') });
  const ledger = await openLedger({ directory });
  const reader = openLedgerReader({ directory });
  const catalogue = openCatalogue(join(directory, 'catalogue'), { writeAfterMs: 0 });
  const store = await openEmbeddedStore({ file: ':memory:', memoryLimitMb: 64, threads: 1 });
  const hub = createHub({ replayRowsMax: 1_000, clock: systemClock });
  const access = openAccess(directory, systemClock);
  const codecs = openCodecs(directory);
  const tokens = tokensOf(access);
  const sourceBoard = createSourceBoard(systemClock);
  const deviceOf = settledIn(registry, models);
  const unmapped = openUnmapped(directory, deviceOf);
  const numbers = createLiveNumbers();
  const logged: object[] = [];
  const note = (fields: object) => logged.push(fields);
  let isWell = true;
  const broker = await startBroker(state, note);
  const dashboard = createDashboard(
    {
      ...{ registry, models, ledger: reader, catalogue, hub, access, codecs, clock: systemClock },
      readings: {
        ...whileWell(store.reader, () => isWell),
        unmapped: async (query) => unmapped.list(query),
        explain: explainerOf({ reader, catalogue, deviceOf }),
      },
      metrics: new Registry(),
      health: () => ({
        ready: isWell,
        dependencies: [{ name: 'store', ok: isWell, ...(isWell ? {} : { reason: 'no answer' }) }],
      }),
      log: { info: note, warn: note, error: note },
      onSkipped: () => {},
      listening: () => [{ name: 'mqtt', host: '127.0.0.1', port: broker.port }],
      lateSince: () => ({ store: isWell ? undefined : storeLateSince }),
      ...{ sourceBoard, kekOf },
      deriveAgain: createAgainControl({
        ...{ dataDir: directory, clock: systemClock, head: () => ledger.head() },
        tell: () => {},
      }),
      mqtt: broker.operators,
    },
    {
      ...{ host: '127.0.0.1', port: 0, bodyBytesMax: 4_096 },
      live: { heartbeatMs: 1_000, clientsMax: 5, subscriptionsMax: 3 },
      webDirectory: await pageIn(directory),
      ...options,
    },
  );
  const port = await dashboard.start();
  const base = `http://127.0.0.1:${port}`;
  return {
    ...{ base, port, directory, access, registry, models },
    ...{ ledger, reader, catalogue, hub, logged, tokens },
    codecs,
    mqttPort: broker.port,
    ask(path, { token = tokens.operator, ...init } = {}) {
      const headers = new Headers(init.headers);
      if (token !== null) headers.set('Authorization', `Bearer ${token}`);
      if (init.body !== undefined && !headers.has('Content-Type')) {
        headers.set('Content-Type', 'application/json');
      }
      return fetch(`${base}${path}`, { redirect: 'manual', ...init, headers });
    },
    async accept(delivery, verdict) {
      const after = ledger.head();
      sourceBoard.note('chirpstack-v4-json', delivery, await ledger.accept(delivery));
      catalogue.note(
        reader
          .read(after, 100)
          .map((entry) => (verdict === undefined ? { entry } : { entry, fault: verdict })),
      );
    },
    async publish(readings) {
      unmapped.note(readings);
      const { series, rows } = numbers.number(readings);
      const identities = series.map(([device, quantity, channel, unit, area]) => ({
        ...{ device, quantity, channel, unit, area },
      }));
      hub.apply({ series: identities, rows });
      await writeTo(store.writer, { readings, links: [] });
    },
    setHealth(next) {
      isWell = next;
    },
    async stop() {
      await broker.stop();
      dashboard.server.closeAllConnections();
      await dashboard.stop();
      hub.close();
      await store.close();
      await ledger.close();
      await Promise.all([reader.close(), catalogue.close(), state.close()]);
      await codecs.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** Devices as the derive worker knows them. */
function settledIn(registry: DeviceRegistry, models: ModelBook) {
  return (id: string) => {
    const device = registry.get(id);
    return device && settleDevice(device, models.get(device.model ?? ''));
  };
}

function openUnmapped(directory: string, deviceOf: UnmappedParts['deviceOf']) {
  const file = join(directory, 'unmapped.json');
  return openUnmappedBook({ deviceOf, file, rulesOf: () => [] });
}

/** What a gateway keeps of codecs, with a sandbox that is ready to be asked. */
function openCodecs(directory: string) {
  const sandbox = createRestingSandbox({ limits: codecLimits, program });
  const history = openCodecHistory(directory);
  return {
    history,
    tryOut: (script: (name: string) => Script | undefined) =>
      openScriptCodecs({ limits: codecLimits, script, program }),
    registry: openCodecRegistry({
      ...{ sandbox, limits: codecLimits, clock: systemClock },
      directory: join(directory, 'codecs'),
    }),
    close: () => Promise.all([sandbox.close(), history.close()]),
  };
}

function tokenOf(access: Access, role: 'viewer' | 'operator' | 'admin'): string {
  const token = access.createToken(`test ${role}`, role);
  if (token === undefined) throw new Error('the name is taken');
  return token;
}

/** The store as the ingest thread meets it: it may not answer. */
function tokensOf(access: Access) {
  return {
    viewer: tokenOf(access, 'viewer'),
    operator: tokenOf(access, 'operator'),
    admin: tokenOf(access, 'admin'),
  };
}

/** As the derive worker explains, without scripts and with nothing remembered. */
function explainerOf(parts: Pick<ExplainParts, 'reader' | 'catalogue' | 'deviceOf'>) {
  const scripts: ExplainParts['scripts'] = { versionOf: () => undefined, decode: async () => [] };
  const whole = { ...parts, scripts, verdictsOf: () => undefined, limits: defaultLaneLimits };
  return (seq: number) => explainReadings(seq, whole);
}

function whileWell(
  { readings, aggregate }: ReadingReader,
  isWell: () => boolean,
): Pick<ReadingReader, 'readings' | 'aggregate'> {
  const refusal = () => Promise.reject(new StoreUnavailable('it is down'));
  return {
    readings: (query) => (isWell() ? readings(query) : refusal()),
    aggregate: (query) => (isWell() ? aggregate(query) : refusal()),
  };
}

async function pageIn(directory: string): Promise<string> {
  await writeFile(join(directory, 'index.html'), '<!doctype html><title>page</title>');
  return directory;
}

/** Every page of a list, following its cursors; fails when they do not end. */
export async function walk(dashboard: RunningDashboard, path: string): Promise<unknown[]> {
  const items: unknown[] = [];
  let cursor = '';
  for (let page = 0; page < 500; page += 1) {
    const joint = path.includes('?') ? '&' : '?';
    const suffix = cursor === '' ? '' : `${joint}cursor=${encodeURIComponent(cursor)}`;
    const response = await dashboard.ask(path + suffix);
    if (response.status !== 200) throw new Error(`${response.status} ${await response.text()}`);
    const body: { items: unknown[]; nextCursor?: string } = JSON.parse(await response.text());
    items.push(...body.items);
    if (body.nextCursor === undefined) return items;
    cursor = body.nextCursor;
  }
  throw new Error('the pages do not end');
}
