/**
 * The ingest thread's side of the derive worker: starts it, wakes it, starts it again when it
 * crashes, and passes questions about stored readings on to it.
 */
import { Worker } from 'node:worker_threads';
import type { Device } from '../model/device.ts';
import type { DeviceModel } from '../model/device-model.ts';
import {
  type AggregatedValue,
  type ReadingReader,
  type StoredReading,
  StoreUnavailable,
} from '../stores/store.ts';
import type { AgainJob } from './derive-again.ts';
import type { ExplainedReading } from './explain.ts';
import type { UnmappedList, UnmappedQuery } from './unmapped-book.ts';
import type { FromWorker, StoreRequest, ToWorker, WorkerSettings } from './worker-messages.ts';

export interface DeriveProcess extends Pick<ReadingReader, 'readings' | 'aggregate' | 'ping'> {
  /** Something new is in the ledger. Cheap: at most one message in wakeMs. */
  wake(): void;
  device(id: string, device: Device | undefined): void;
  model(id: string, model: DeviceModel | undefined): void;
  /** A codec script has another version, or is gone. */
  codec(id: string): void;
  /** Without a job, the one under way ends. */
  deriveAgain(job: AgainJob | undefined): void;
  /** What each quality test has found of the readings of an entry. */
  explain(seq: number): Promise<readonly ExplainedReading[]>;
  /** Fields that came without a place in the vocabulary. */
  unmapped(query: UnmappedQuery): Promise<UnmappedList>;
  /** Entries before this one have left the ledger. */
  forget(before: number): void;
  isRunning(): boolean;
  stop(): Promise<void>;
}

export interface DeriveProcessOptions {
  readonly program: URL;
  /** Asked at each start, as devices change. */
  readonly settings: () => WorkerSettings;
  readonly onMessage: (message: FromWorker) => void;
  /** Called when a worker has ended unasked, after its last message and before the next starts. */
  readonly onCrash: (reason: string) => void;
}

const wakeMs = 5;
/** Batches die young: with room for them, the collector does not carry them about. */
const maxYoungGenerationSizeMb = 96;
const restartFirstMs = 250;
const restartMsMax = 30_000;
/** A worker that ran this long is not crashing in a loop. */
const steadyMs = 60_000;
const requestsMax = 1_000;
const requestTimeoutMs = 30_000;
const stopTimeoutMs = 10_000;

interface Waiting {
  resolve(result: unknown): void;
  reject(reason: Error): void;
}

export function startDeriveProcess(options: DeriveProcessOptions): DeriveProcess {
  const waiting = new Map<number, Waiting>();
  let worker: Worker;
  let isReady = false;
  let isStopping = false;
  let restartMs = restartFirstMs;
  let nextId = 1;
  let wakeTimer: NodeJS.Timeout | undefined;
  let restartTimer: NodeJS.Timeout | undefined;
  let exited: Promise<void> = Promise.resolve();

  function start(): void {
    const startedAt = performance.now();
    let reason: string | undefined;
    worker = new Worker(options.program, {
      workerData: options.settings(),
      name: 'derive',
      resourceLimits: { maxYoungGenerationSizeMb },
    });
    worker.on('message', onMessage);
    worker.on('error', (error) => {
      reason = String(error);
    });
    exited = new Promise((resolve) => {
      worker.once('exit', (code) => {
        resolve();
        isReady = false;
        failAll('the derive worker stopped');
        if (isStopping) return;
        options.onCrash(reason ?? `it ended with exit code ${code}`);
        if (performance.now() - startedAt > steadyMs) restartMs = restartFirstMs;
        restartTimer = setTimeout(start, restartMs);
        restartMs = Math.min(restartMs * 2, restartMsMax);
      });
    });
  }

  function onMessage(message: FromWorker): void {
    if (message.kind === 'ready') isReady = true;
    if (message.kind === 'answer') take(message.id)?.resolve(message.result);
    else if (message.kind === 'failure')
      take(message.id)?.reject(new StoreUnavailable(message.reason));
    else options.onMessage(message);
  }

  function take(id: number): Waiting | undefined {
    const found = waiting.get(id);
    waiting.delete(id);
    return found;
  }

  function failAll(reason: string): void {
    for (const { reject } of waiting.values()) reject(new StoreUnavailable(reason));
    waiting.clear();
  }

  function tell(message: ToWorker): void {
    worker.postMessage(message);
  }

  function ask<T>(request: StoreRequest, isAnswer: (value: unknown) => value is T): Promise<T> {
    if (!isReady) return Promise.reject(new StoreUnavailable('the derive worker is starting'));
    if (waiting.size >= requestsMax)
      return Promise.reject(new StoreUnavailable('too many questions at once'));
    const id = nextId++;
    const timer = setTimeout(
      () => take(id)?.reject(new StoreUnavailable('no answer in time')),
      requestTimeoutMs,
    );
    const answered = new Promise<unknown>((resolve, reject) =>
      waiting.set(id, { resolve, reject }),
    );
    tell({ kind: 'request', id, request });
    return answered
      .then((result) => {
        if (!isAnswer(result)) throw new Error('an answer of another form');
        return result;
      })
      .finally(() => clearTimeout(timer));
  }

  start();
  return {
    wake() {
      wakeTimer ??= setTimeout(() => {
        wakeTimer = undefined;
        tell({ kind: 'wake' });
      }, wakeMs);
    },
    device: (id, device) => tell({ kind: 'device', id, device }),
    model: (id, model) => tell({ kind: 'model', id, model }),
    codec: (id) => tell({ kind: 'codec', id }),
    deriveAgain: (job) => tell({ kind: 'derive-again', job }),
    forget: (before) => tell({ kind: 'forget', before }),
    isRunning: () => isReady,
    readings: (query) => ask({ kind: 'readings', query }, isListOf<StoredReading>),
    aggregate: (query) => ask({ kind: 'aggregate', query }, isListOf<AggregatedValue>),
    explain: (seq) => ask({ kind: 'explain', seq }, isListOf<ExplainedReading>),
    unmapped: (query) => ask({ kind: 'unmapped', query }, isUnmappedList),
    ping: () => ask({ kind: 'ping' }, (value): value is undefined => value === undefined),
    async stop() {
      isStopping = true;
      clearTimeout(wakeTimer);
      clearTimeout(restartTimer);
      tell({ kind: 'stop' });
      const timer = setTimeout(() => void worker.terminate(), stopTimeoutMs);
      await exited;
      clearTimeout(timer);
    },
  };
}

function isUnmappedList(value: unknown): value is UnmappedList {
  return typeof value === 'object' && value !== null && 'items' in value;
}

/** Our own worker's answer crossed a thread, not the world: that it is a list is check enough. */
function isListOf<T>(value: unknown): value is readonly T[] {
  return Array.isArray(value);
}
