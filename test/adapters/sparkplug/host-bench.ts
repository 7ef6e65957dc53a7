/**
 * A host with a clock that stands still, for the tests: what is sent to it, and what it asks for.
 */
import type { Parsed } from '../../../gateway/adapters/adapter.ts';
import {
  createSparkplugHost,
  type SparkplugCounts,
  type SparkplugLimits,
  sparkplugLimitDefaults,
} from '../../../gateway/adapters/sparkplug/host.ts';
import type { HostMessage } from '../../../gateway/adapters/sparkplug/host-messages.ts';
import { inboundOf } from '../inbound.ts';
import { bdSeq, type MetricFields, type PayloadFields, payloadOf } from './node.ts';

export const time = 1_700_000_000_000;
export const level: MetricFields = { name: 'level', alias: 1, datatype: 10, doubleValue: 1.5 };

export function birthOf(...metrics: MetricFields[]): PayloadFields {
  return { timestamp: time, seq: 0, metrics: [bdSeq(3), ...metrics] };
}

export interface HostBench {
  readonly asked: readonly HostMessage[];
  /** The topic is given without its namespace. */
  send(topic: string, fields: PayloadFields): Parsed;
  /** The body is bytes, or what becomes JSON. */
  parse(route: string, body: unknown): Parsed;
  pass(ms: number): void;
  counts(): SparkplugCounts;
}

export function startHost(limits: Partial<SparkplugLimits> = {}): HostBench {
  let now = time;
  const asked: HostMessage[] = [];
  const { adapter, counts } = createSparkplugHost({
    now: () => now,
    limits: { ...sparkplugLimitDefaults, ...limits },
    requestRebirth: (command) => asked.push(command),
  });
  const parse = (route: string, body: unknown) => adapter.parse(inboundOf(route, body));
  return {
    asked,
    send: (topic, fields) => parse(`spBv1.0/${topic}`, payloadOf(fields)),
    parse,
    pass: (ms) => {
      now += ms;
    },
    counts,
  };
}

/** What each item is, for messages that give several. */
export function kindsOf(parsed: Parsed): string[] {
  if ('code' in parsed) return [parsed.code];
  return parsed.map((item) => (item.kind === 'event' ? item.type : item.kind));
}
