/**
 * What the ingest thread and the derive worker say to each other. Plain data: it is copied between
 * threads.
 */
import type { CodecLimits } from '../codecs/limits.ts';
import type { Device } from '../model/device.ts';
import type { DeviceModel } from '../model/device-model.ts';
import type { RejectedRecord } from '../stores/admission.ts';
import type { StoreSettings } from '../stores/open-store.ts';
import type { AggregateQuery, ReadingQuery } from '../stores/store.ts';
import type { AgainJob, AgainProgress } from './derive-again.ts';
import type { PackedRows } from './packed-rows.ts';
import type { LaneLimits } from './quality/lane.ts';
import type { UnmappedQuery } from './unmapped-book.ts';

/** Given to the worker as it starts. */
export interface WorkerSettings {
  readonly dataDir: string;
  readonly store: StoreSettings;
  readonly devices: readonly Device[];
  readonly models?: readonly DeviceModel[];
  readonly codecs?: CodecSettings;
  readonly quality?: LaneLimits;
}

export interface CodecSettings {
  readonly limits: CodecLimits;
  /** The version of the program, which is that of the built-in codecs. */
  readonly programVersion: string;
}

export type StoreRequest =
  | { readonly kind: 'readings'; readonly query: ReadingQuery }
  | { readonly kind: 'aggregate'; readonly query: AggregateQuery }
  | { readonly kind: 'explain'; readonly seq: number }
  | { readonly kind: 'unmapped'; readonly query: UnmappedQuery }
  | { readonly kind: 'ping' };

export type ToWorker =
  | { readonly kind: 'wake' }
  | { readonly kind: 'device'; readonly id: string; readonly device: Device | undefined }
  | { readonly kind: 'model'; readonly id: string; readonly model: DeviceModel | undefined }
  /** A codec script has another version, or is gone. */
  | { readonly kind: 'codec'; readonly id: string }
  /** Without a job, the one under way ends. */
  | { readonly kind: 'derive-again'; readonly job: AgainJob | undefined }
  | { readonly kind: 'request'; readonly id: number; readonly request: StoreRequest }
  /** Entries before this one have left the ledger. */
  | { readonly kind: 'forget'; readonly before: number }
  | { readonly kind: 'stop' };

export interface FeedState {
  readonly state: 'ok' | 'down';
  readonly reason?: string | undefined;
  /** Epoch milliseconds of the last change. */
  readonly since: number;
}

export type FromWorker =
  | { readonly kind: 'ready' }
  | {
      readonly kind: 'live';
      /** Device, quantity, channel, unit, area of each new series, numbered on. */
      readonly series: readonly SeriesTuple[];
      readonly rows: PackedRows;
    }
  | {
      readonly kind: 'progress';
      readonly live: number;
      readonly store: number;
      readonly deriveSeconds: number;
      readonly faults: Readonly<Record<string, number>>;
      /** What quality tests have found since the last word, as `test:flag`. */
      readonly findings?: Readonly<Record<string, number>>;
      /** Values without a place in the vocabulary, since the last word. */
      readonly unmapped?: number;
    }
  | { readonly kind: 'stored'; readonly readings: number; readonly seq: number }
  | { readonly kind: 'feed'; readonly feed: FeedState }
  | { readonly kind: 'derived-again'; readonly progress: AgainProgress }
  /** A codec on disk that cannot be read, or a script that cost the sandbox its thread. */
  | { readonly kind: 'codec-problem'; readonly detail: string }
  | {
      readonly kind: 'rejected';
      readonly records: number;
      readonly first: RejectedRecord | undefined;
      readonly reason: string;
    }
  | { readonly kind: 'answer'; readonly id: number; readonly result: unknown }
  | { readonly kind: 'failure'; readonly id: number; readonly reason: string };

export type SeriesTuple = readonly [
  device: string,
  quantity: string,
  channel: string,
  unit: string,
  area: string,
];
