/** The Prometheus metrics that other tools rely on; their names are a contract (DESIGN §4.5). */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { Outcome } from '../ledger/ledger.ts';
import type { FaultCode } from '../model/fault.ts';
import { type SecurityKind, securityKinds } from './security-watch.ts';

export interface Metrics {
  readonly registry: Registry;
  uplink(source: string, outcome: Outcome): void;
  fault(code: FaultCode): void;
  ackSeconds(seconds: number): void;
  deriveSeconds(seconds: number): void;
  /** What a quality test has found, as `test:flag`. */
  qualityFinding(finding: string, count: number): void;
  /** Values without a place in the vocabulary. */
  unmappedValues(count: number): void;
  storePoints(store: string, count: number): void;
  storeError(): void;
  liveSkipped(count: number): void;
  /** Something that never became a message; both words come from closed lists. */
  turnedAway(transport: string, reason: string): void;
  security(kind: SecurityKind): void;
}

/** Values read at scrape time. */
export interface MetricSources {
  ledgerSeq(): number;
  cursors(): Readonly<Record<string, number>>;
  liveClients(): number;
  mqttClients(): number;
  /** By name: whether the gateway is connected to it. */
  remoteBrokers(): ReadonlyMap<string, boolean>;
  /** Codec scripts that are at fault. */
  codecProblems(): number;
}

export function createMetrics(sources: MetricSources): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const faults = new Counter({
    name: 'fieldgate_faults_total',
    help: 'Faults by code.',
    labelNames: ['code'] as const,
    registers,
  });
  const ack = new Histogram({
    name: 'fieldgate_ack_seconds',
    help: 'From the last byte of a message to its receipt being on disk.',
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 5],
    registers,
  });
  const derive = new Histogram({
    name: 'fieldgate_derive_seconds',
    help: 'From the receipt of an uplink to its readings being derived.',
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30, 300],
    registers,
  });
  const points = new Counter({
    name: 'fieldgate_store_points_total',
    help: 'Readings that the store says it has.',
    labelNames: ['store'] as const,
    registers,
  });
  const storeErrors = new Counter({
    name: 'fieldgate_store_errors_total',
    help: 'Writes that the store refused or did not answer; each is tried again.',
    registers,
  });
  const skipped = new Counter({
    name: 'fieldgate_live_skipped_total',
    help: 'Deltas held back for viewers that read too slowly.',
    registers,
  });
  const turnedAway = new Counter({
    name: 'fieldgate_turned_away_total',
    help: 'Requests and datagrams that were refused before they became a message.',
    labelNames: ['transport', 'reason'] as const,
    registers,
  });
  registerGauges(registry, sources);
  return {
    registry,
    uplink: uplinkCounter(registry),
    fault: (code) => faults.inc({ code }),
    ackSeconds: (seconds) => ack.observe(seconds),
    deriveSeconds: (seconds) => derive.observe(seconds),
    qualityFinding: qualityCounter(registry),
    unmappedValues: unmappedCounter(registry),
    storePoints: (store, count) => points.inc({ store }, count),
    storeError: () => storeErrors.inc(),
    liveSkipped: (count) => skipped.inc(count),
    turnedAway: (transport, reason) => turnedAway.inc({ transport, reason }),
    security: securityCounter(registry),
  };
}

/** Counted apart and added when somebody looks: finding a counter by its labels costs more. */
function uplinkCounter(registry: Registry): Metrics['uplink'] {
  const counts = new Map<string, Map<Outcome, number>>();
  new Counter({
    name: 'fieldgate_uplinks_total',
    help: 'Items of inbound messages by adapter and by what became of them.',
    labelNames: ['source', 'outcome'] as const,
    registers: [registry],
    collect() {
      for (const [source, outcomes] of counts) {
        for (const [outcome, count] of outcomes) this.inc({ source, outcome }, count);
      }
      counts.clear();
    },
  });
  return (source, outcome) => {
    let outcomes = counts.get(source);
    if (outcomes === undefined) {
      outcomes = new Map();
      counts.set(source, outcomes);
    }
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
  };
}

function securityCounter(registry: Registry): Metrics['security'] {
  const security = new Counter({
    name: 'fieldgate_security_events_total',
    help: 'Frames sent again or forged, and the alarms that they raised, by kind.',
    labelNames: ['kind'] as const,
    registers: [registry],
  });
  for (const kind of securityKinds) security.inc({ kind }, 0);
  return (kind) => security.inc({ kind });
}

function qualityCounter(registry: Registry): Metrics['qualityFinding'] {
  const findings = new Counter({
    name: 'fieldgate_quality_flags_total',
    help: 'What each quality test has found, by its QARTOD flag.',
    labelNames: ['test', 'flag'] as const,
    registers: [registry],
  });
  return (finding, count) => {
    const [test = '', flag = ''] = finding.split(':');
    findings.inc({ test, flag }, count);
  };
}

function unmappedCounter(registry: Registry): Metrics['unmappedValues'] {
  const unmapped = new Counter({
    name: 'fieldgate_unmapped_values_total',
    help: 'Values kept as x_… since their fields have no place in the vocabulary.',
    registers: [registry],
  });
  return (count) => unmapped.inc(count);
}

function registerGauges(registry: Registry, sources: MetricSources): void {
  const registers = [registry];
  new Gauge({
    name: 'fieldgate_ledger_seq',
    help: 'The newest entry of the ledger.',
    registers,
    collect() {
      this.set(sources.ledgerSeq());
    },
  });
  new Gauge({
    name: 'fieldgate_cursor_seq',
    help: 'How far each reader of the ledger has come.',
    labelNames: ['reader'] as const,
    registers,
    collect() {
      for (const [reader, seq] of Object.entries(sources.cursors())) this.set({ reader }, seq);
    },
  });
  new Gauge({
    name: 'fieldgate_live_clients',
    help: 'Viewers connected to the live stream.',
    registers,
    collect() {
      this.set(sources.liveClients());
    },
  });
  new Gauge({
    name: 'fieldgate_mqtt_clients',
    help: 'MQTT clients connected.',
    registers,
    collect() {
      this.set(sources.mqttClients());
    },
  });
  new Gauge({
    name: 'fieldgate_remote_broker_up',
    help: 'Whether the gateway is connected to a remote broker and subscribed: 1 or 0.',
    labelNames: ['broker'] as const,
    registers,
    collect() {
      for (const [broker, isUp] of sources.remoteBrokers()) this.set({ broker }, isUp ? 1 : 0);
    },
  });
  new Gauge({
    name: 'fieldgate_codec_problems',
    help: 'Codec scripts that are at fault; the last good version of each is in use.',
    registers,
    collect() {
      this.set(sources.codecProblems());
    },
  });
}
