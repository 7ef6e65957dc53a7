/**
 * The derive worker: reads the ledger, decodes, judges, feeds the store and tells the ingest thread
 * what is new. It may crash at any moment: it starts again where its cursors stand.
 */
import { join } from 'node:path';
import {
  type MessagePort,
  parentPort,
  receiveMessageOnPort,
  workerData,
} from 'node:worker_threads';
import { findCodec } from '../../decoders/registry.ts';
import { type CodecShelf, openCodecShelf } from '../codecs/codec-shelf.ts';
import { codecLimits } from '../codecs/limits.ts';
import { openScriptCodecs } from '../codecs/script-codecs.ts';
import { openCatalogue } from '../ledger/catalogue.ts';
import { openCodecHistory } from '../ledger/codec-history.ts';
import { openLedgerReader } from '../ledger/lmdb-reader.ts';
import { systemClock } from '../model/clock.ts';
import type { SettledDevice } from '../model/device.ts';
import { createCodecNotes } from '../pipeline/codec-notes.ts';
import { deriveEntry } from '../pipeline/derive.ts';
import { type AgainParts, createDeriveAgain } from '../pipeline/derive-again.ts';
import { type DeriveFeed, startDeriveLoop } from '../pipeline/derive-loop.ts';
import { createDeviceBook, type DeviceBook } from '../pipeline/device-book.ts';
import { type ExplainParts, explainReadings } from '../pipeline/explain.ts';
import { createLatestKeeper } from '../pipeline/latest-keeper.ts';
import { createLiveNumbers, type LiveNumbers } from '../pipeline/live-numbers.ts';
import { packRows } from '../pipeline/packed-rows.ts';
import { createPassedOver } from '../pipeline/passed-over.ts';
import { openCheckpoints } from '../pipeline/quality/checkpoints.ts';
import { defaultLaneLimits } from '../pipeline/quality/lane.ts';
import { createQualityControl, type QualityParts } from '../pipeline/quality/quality-control.ts';
import { createScriptPass, type ScriptPass } from '../pipeline/script-pass.ts';
import { openUnmappedBook, type UnmappedBook } from '../pipeline/unmapped-book.ts';
import type {
  FromWorker,
  StoreRequest,
  ToWorker,
  WorkerSettings,
} from '../pipeline/worker-messages.ts';
import { createFeed, type Feed } from '../stores/feed.ts';
import { type OpenStore, openStore } from '../stores/open-store.ts';
import type { RecordBatch, RecordBundle } from '../stores/store.ts';
import { giveWay } from './thread-priority.ts';

/**
 * Whatever a crash leaves unkept is derived again: the place in the ledger is kept with the values.
 */
const keepLatestMs = 5_000;

async function run(port: MessagePort, settings: WorkerSettings): Promise<void> {
  const tell = (message: FromWorker) => port.postMessage(message);
  const tellLive = ({ series, rows }: ReturnType<LiveNumbers['number']>) => {
    const packed = packRows(rows);
    const message: FromWorker = { kind: 'live', series, rows: packed };
    port.postMessage(message, [packed.cells.buffer]);
  };
  const devices = createDeviceBook(settings.devices, settings.models);
  const deviceOf = devices.get;
  const limits = settings.quality ?? defaultLaneLimits;
  const reader = openLedgerReader({ directory: settings.dataDir });
  const catalogue = openCatalogue(join(settings.dataDir, 'catalogue'));
  const store = await openStore(settings.store, settings.dataDir, (rejected, reason) =>
    tell({ kind: 'rejected', records: rejected.length, first: rejected[0], reason }),
  );
  const feed = createFeed({
    clock: systemClock,
    onState: ({ kind, since, reason }) =>
      tell({ kind: 'feed', feed: { state: kind, since, reason } }),
  });
  const onCodecProblem = (detail: string) => tell({ kind: 'codec-problem', detail });
  const { programVersion = '' } = settings.codecs ?? {};
  const { shelf, scripts, history } = openCodecs(settings, onCodecProblem);
  let live = catalogue.position('live');
  const notes = createCodecNotes(history, live, (id) => scriptPass.deviceOf(id));
  const scriptPass = createScriptPass(scripts.inPass, deviceOf, {
    ...{ notes, programVersion },
    onPassedOver: (codec, seq) => passedOver.note(codec, seq),
  });
  const unmapped = openUnmapped(settings, deviceOf, shelf);
  const numbers = createLiveNumbers();
  const latest = createLatestKeeper(catalogue);
  const checkpoints = openCheckpoints(join(settings.dataDir, 'catalogue', 'quality'));
  const quality = createQualityControl({
    ...{ reader, checkpoints, limits, live },
    ...{ deviceOf: scriptPass.deviceOf, prepare: scriptPass.prepare },
    derive: deriverOf(scriptPass),
  });
  const explaining = { ...{ reader, catalogue, scripts, deviceOf, limits }, ...quality };

  const early = messagesOf(port);
  early.forEach(noteDevice);

  tell({ kind: 'ready' });
  const kept = numbers.number(latest.restore());
  latest.know(kept.rows);
  tellLive(kept);
  const loop = startDeriveLoop({
    reader,
    catalogue,
    feed: feedOf(store, feed),
    prepare(entries) {
      const prepared = quality.prepare(entries);
      if (prepared === undefined) scriptPass.note(entries);
      return prepared?.then(() => scriptPass.note(entries));
    },
    derive: quality.derive,
    publish(readings) {
      unmapped.note(readings);
      const numbered = numbers.number(readings);
      latest.note(readings, numbered.rows);
      tellLive(numbered);
    },
    observe(progress) {
      live = progress.live;
      const deriveSeconds = Math.max(0, systemClock.now() - progress.receivedAt) / 1_000;
      const counts = { findings: quality.findings(), unmapped: unmapped.takeCount() };
      tell({ kind: 'progress', ...progress, deriveSeconds, ...counts });
    },
    onStored: (readings, seq) => tell({ kind: 'stored', readings, seq }),
  });
  const deriveAgain = (onProgress: AgainParts['tell']) =>
    createDeriveAgain({
      ...{ reader, catalogue, history, scripts, checkpoints, programVersion },
      ...{ deviceOf, limits, tell: onProgress, live: () => live },
      offer: (batch) => feed.offer(bundleOf(store, batch)),
    });
  const again = deriveAgain((progress) => tell({ kind: 'derived-again', progress }));
  const passedOver = createPassedOver(deriveAgain(() => {}));
  const keep = (isLast = false) => {
    latest.flush();
    unmapped.flush();
    catalogue.setPosition('live', live);
    quality.keep({ now: systemClock.now(), store: catalogue.position('store'), isLast });
  };
  const keeping = setInterval(keep, keepLatestMs);

  async function stop(): Promise<void> {
    clearInterval(keeping);
    await loop.stop();
    keep(true);
    await Promise.all([feed.close(), again.stop(), passedOver.stop()]);
    await scripts.close();
    await store.close();
    await Promise.all([catalogue.close(), history.close(), reader.close()]);
    port.close();
  }

  /** Where its payloads are read otherwise now, what was found of their readings is void. */
  function noteDevice(message: ToWorker): void {
    if (message.kind === 'model') devices.putModel(message.id, message.model);
    if (message.kind === 'model') quality.forget();
    if (message.kind !== 'device') return;
    const before = deviceOf(message.id);
    devices.put(message.id, message.device);
    if (before !== undefined && !isReadAlike(before, deviceOf(message.id))) quality.forget();
  }

  function take(message: ToWorker): void {
    switch (message.kind) {
      case 'wake':
        loop.wake();
        break;
      case 'device':
      case 'model':
        noteDevice(message);
        break;
      case 'request':
        answer(message.request, store, { explaining, unmapped }).then(
          (result) => tell({ kind: 'answer', id: message.id, result }),
          (error) => tell({ kind: 'failure', id: message.id, reason: String(error) }),
        );
        break;
      case 'codec':
        shelf.forget(message.id);
        quality.forget();
        break;
      case 'derive-again':
        if (message.job === undefined) void again.stop();
        else void again.start(message.job);
        break;
      case 'forget':
        catalogue.forgetBefore(message.before);
        break;
      case 'stop':
        void stop();
    }
  }

  early.forEach(take);
  port.on('message', take);
}

function feedOf({ writer }: OpenStore, { offer, state }: Feed): DeriveFeed {
  return { gather: writer.gather, offer, isDown: () => state().kind === 'down' };
}

function bundleOf({ writer }: OpenStore, batch: RecordBatch): RecordBundle {
  const bundle = writer.gather();
  bundle.add(batch);
  return bundle;
}

function openUnmapped({ dataDir }: WorkerSettings, deviceOf: DeviceBook['get'], shelf: CodecShelf) {
  const file = join(dataDir, 'catalogue', 'unmapped.json');
  const rulesOf = (codec: string) => shelf.script(codec)?.mapping ?? [];
  return openUnmappedBook({ file, deviceOf, rulesOf });
}

/** Scripts, their sandbox, and which version of them has made what. */
function openCodecs({ codecs, dataDir }: WorkerSettings, onProblem: (detail: string) => void) {
  const { limits = codecLimits } = codecs ?? {};
  const shelf = openCodecShelf(join(dataDir, 'codecs'), onProblem);
  const scripts = openScriptCodecs({
    ...{ limits, script: shelf.script, onProblem },
    isShared: true,
  });
  return { shelf, scripts, history: openCodecHistory(dataDir) };
}

/** Whether what it sends is still made into the same readings. */
function isReadAlike(before: SettledDevice, after: SettledDevice | undefined): boolean {
  return after?.codec === before.codec && after?.mappingVersion === before.mappingVersion;
}

/** Derives an entry with the given judge, by built-in codecs and what scripts have made of it. */
function deriverOf({ deviceOf, resultOf }: ScriptPass): QualityParts['derive'] {
  const parts = {
    deviceOf,
    codecOf: (name: string) => findCodec(name),
    scriptResultOf: resultOf,
  };
  return (entry, judge) => deriveEntry(entry, { ...parts, judge });
}

/**
 * Told while the store opened. Devices among it must be known before the first entry is derived.
 */
function messagesOf(port: MessagePort): ToWorker[] {
  const messages: ToWorker[] = [];
  let next = receiveMessageOnPort(port);
  for (; next !== undefined; next = receiveMessageOnPort(port)) messages.push(next.message);
  return messages;
}

function answer(
  request: StoreRequest,
  { reader }: OpenStore,
  { explaining, unmapped }: { readonly explaining: ExplainParts; readonly unmapped: UnmappedBook },
): Promise<unknown> {
  switch (request.kind) {
    case 'unmapped':
      return Promise.resolve(unmapped.list(request.query));
    case 'explain':
      return explainReadings(request.seq, explaining);
    case 'readings':
      return reader.readings(request.query);
    case 'aggregate':
      return reader.aggregate(request.query);
    case 'ping':
      return reader.ping();
  }
}

if (parentPort !== null) {
  giveWay();
  const settings: WorkerSettings = workerData;
  await run(parentPort, settings);
}
