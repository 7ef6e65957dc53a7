/**
 * Reads a Sparkplug B payload (sparkplug_b.proto): plain values; data sets and templates are named
 * only.
 */
import type { Fault } from '../../model/fault.ts';
import { malformed } from '../document.ts';
import { WireReader } from '../protobuf/wire-reader.ts';

/** A birth names every tag of a controller; one that has more does not fit in a message either. */
export const metricsMax = 5_000;

/** A value as it stands on the wire: what an integer means only its data type tells. */
export type WireValue =
  | { readonly kind: 'integer'; readonly unsigned: number; readonly signed: number }
  | { readonly kind: 'number'; readonly number: number }
  | { readonly kind: 'flag'; readonly flag: boolean }
  | { readonly kind: 'text'; readonly text: string }
  /** Bytes, a file, an array, a data set, a template or an extension: no measurement. */
  | { readonly kind: 'compound' };

export interface Metric {
  name?: string;
  alias?: number;
  /** Epoch milliseconds */
  time?: number;
  /** 0 when the message leaves it to the birth. */
  dataType: number;
  isHistorical: boolean;
  isNull: boolean;
  value?: WireValue;
}

export interface SparkplugPayload {
  /** Epoch milliseconds at which it was sent. */
  readonly time?: number;
  readonly seq?: number;
  readonly metrics: readonly Metric[];
}

const compressed = 'SPBV1.0_COMPRESSED';

/** Never throws. */
export function readPayload(body: Buffer): SparkplugPayload | Fault {
  const reader = new WireReader(body);
  const payload: { time?: number; seq?: number; metrics: Metric[] } = { metrics: [] };
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) payload.time = reader.uint64('timestamp');
    else if (field === 2) readNextMetric(reader, payload.metrics);
    else if (field === 3) payload.seq = readSeq(reader);
    else if (field === 4) refuseCompressed(reader);
    else reader.skip();
  }
  return reader.problem === undefined ? payload : malformed(reader.problem);
}

function readNextMetric(reader: WireReader, metrics: Metric[]): void {
  if (metrics.length < metricsMax) metrics.push(readMetric(reader));
  else reader.complain('metrics', `a list of up to ${metricsMax}`);
}

function readSeq(reader: WireReader): number {
  const seq = reader.uint64('seq');
  if (seq > 255) reader.complain('seq', 'an integer from 0 to 255');
  return seq;
}

function refuseCompressed(reader: WireReader): void {
  if (reader.text('uuid') === compressed) reader.complain('body', 'sent without compression');
}

function readMetric(reader: WireReader): Metric {
  const metric: Metric = { dataType: 0, isHistorical: false, isNull: false };
  const outer = reader.enter('metrics');
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) metric.name = reader.text('metric.name');
    else if (field === 2) metric.alias = readAlias(reader);
    else if (field === 3) metric.time = reader.uint64('metric.timestamp');
    else if (field === 4) metric.dataType = reader.uint32('metric.datatype');
    else if (field === 5) metric.isHistorical = reader.flag('metric.is_historical');
    else if (field === 7) metric.isNull = reader.flag('metric.is_null');
    else readValue(reader, field, metric);
  }
  reader.leave(outer);
  return metric;
}

/** Two aliases beyond 2^53 could become one number. */
function readAlias(reader: WireReader): number {
  const alias = reader.uint64('metric.alias');
  if (!Number.isSafeInteger(alias)) reader.complain('metric.alias', 'an integer below 2^53');
  return alias;
}

function readValue(reader: WireReader, field: number, metric: Metric): void {
  switch (field) {
    case 10:
    case 11: {
      const unsigned = reader.uint64('metric.value');
      metric.value = { kind: 'integer', unsigned, signed: reader.lastSigned() };
      return;
    }
    case 12:
      metric.value = { kind: 'number', number: reader.float('metric.value') };
      return;
    case 13:
      metric.value = { kind: 'number', number: reader.double('metric.value') };
      return;
    case 14:
      metric.value = { kind: 'flag', flag: reader.flag('metric.value') };
      return;
    case 15:
      metric.value = { kind: 'text', text: reader.text('metric.value') };
      return;
    case 16:
    case 17:
    case 18:
    case 19:
      metric.value = { kind: 'compound' };
      reader.skip();
      return;
    default:
      // Metadata and properties describe a metric and are no values of it.
      reader.skip();
  }
}
