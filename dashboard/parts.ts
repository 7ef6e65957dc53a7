/**
 * What the HTTP side needs of the gateway: readers, the registry, and how to ask how things are.
 */
import type { Registry } from 'prom-client';
import type { ModelBook } from '../gateway/codecs/models/model-book.ts';
import type { CodecRegistry } from '../gateway/codecs/registry.ts';
import type { Script } from '../gateway/codecs/script.ts';
import type { ScriptCodecs } from '../gateway/codecs/script-codecs.ts';
import type { CatalogueReader } from '../gateway/ledger/catalogue.ts';
import type { CodecHistoryReader } from '../gateway/ledger/codec-history.ts';
import type { LedgerReader } from '../gateway/ledger/ledger.ts';
import type { Hub } from '../gateway/live/hub.ts';
import type { DeviceRegistry } from '../gateway/lorawan/device-registry.ts';
import type { KekOf } from '../gateway/lorawan/key-wrap.ts';
import type { Clock } from '../gateway/model/clock.ts';
import type { ExplainedReading } from '../gateway/pipeline/explain.ts';
import type { SourceBoard } from '../gateway/pipeline/source-board.ts';
import type { UnmappedList, UnmappedQuery } from '../gateway/pipeline/unmapped-book.ts';
import type { ReadingReader } from '../gateway/stores/store.ts';
import type { ListeningAddress } from '../gateway/transports/transport.ts';
import type { Access } from './access.ts';
import type { MqttOperators } from './operators.ts';

export interface DashboardParts {
  readonly registry: DeviceRegistry;
  readonly models: Omit<ModelBook, 'onChange' | 'refresh' | 'problems'>;
  /** What keys of devices may come wrapped with. */
  readonly kekOf: KekOf;
  readonly ledger: LedgerReader;
  readonly catalogue: CatalogueReader;
  readonly readings: DashboardReadings;
  readonly hub: Hub;
  readonly sourceBoard: Pick<SourceBoard, 'report'>;
  readonly access: Access;
  readonly mqtt: MqttOperators;
  readonly codecs: DashboardCodecs;
  readonly deriveAgain: DashboardAgain;
  readonly clock: Clock;
  readonly metrics: Registry;
  readonly health: () => HealthReport;
  readonly log: DashboardLog;
  /** Deltas that were held back for slow viewers. */
  readonly onSkipped: (count: number) => void;
  /** Every door that is open, with the port it got. */
  readonly listening: () => readonly ListeningAddress[];
  /** Since when each source of the picture is late, epoch milliseconds; undefined up to date. */
  readonly lateSince: () => Readonly<Record<string, number | undefined>>;
}

export interface DashboardReadings extends Pick<ReadingReader, 'readings' | 'aggregate'> {
  /** What each quality test has found of the readings of a ledger entry. */
  explain(seq: number): Promise<readonly ExplainedReading[]>;
  /** Fields that came without a place in the vocabulary. */
  unmapped(query: UnmappedQuery): Promise<UnmappedList>;
}

export interface DashboardCodecs {
  readonly registry: CodecRegistry;
  readonly history: Pick<CodecHistoryReader, 'rowsOf'>;
  /** Scripts in a sandbox of their own, for a dry run; the caller closes it. */
  readonly tryOut: (script: (name: string) => Script | undefined) => ScriptCodecs;
}

export interface DashboardAgain {
  /** Undefined while another one is under way. */
  start(wish: {
    readonly from: number;
    readonly device?: string;
    readonly codec?: string;
    readonly startedBy: string;
  }): DashboardAgainState | undefined;
  /** The job under way, or the last one. */
  state(): DashboardAgainState | undefined;
  /** False when there is nothing to stop. */
  stop(): boolean;
}

export interface DashboardAgainState {
  readonly state: 'running' | 'done' | 'stopped';
  readonly from: number;
  readonly to: number;
  readonly at: number;
  readonly entries: number;
  readonly readings: number;
  readonly faults: number;
  readonly device?: string;
  readonly codec?: string;
  readonly startedBy: string;
  /** Epoch milliseconds. */
  readonly startedAt: number;
  readonly endedAt?: number;
}

export interface DashboardLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export interface HealthReport {
  readonly ready: boolean;
  readonly dependencies: readonly DependencyHealth[];
}

export interface DependencyHealth {
  readonly name: string;
  readonly ok: boolean;
  readonly reason?: string;
}
