/**
 * Sparkplug B as a host application: bytes of edge nodes become uplinks and events. Unlike the
 * other adapters it remembers, because a node names its metrics once, in its birth, and numbers
 * after that.
 *
 * An uplink is acknowledged and kept with its bytes in any case. What a birth has named becomes
 * measurements. Where none has (the gateway was restarted, the node was not), a number under an
 * alias could be anything: it is not given a made-up name, and not held back until a birth comes,
 * which might well number otherwise. The message is marked with an event, and a birth is asked for.
 */
import type { Inbound } from '../../model/inbound.ts';
import type { PayloadUplink, SourceEvent } from '../../model/uplink.ts';
import type { Adapter, Parsed } from '../adapter.ts';
import { malformed, openObject } from '../document.ts';
import { type Draft, readFlag, readNumber } from '../place.ts';
import { type BirthLimits, createBirthBook, type Node } from './birth-book.ts';
import { type HostMessage, rebirthCommand } from './host-messages.ts';
import { measure } from './measure.ts';
import { readPayload, type SparkplugPayload } from './payload.ts';
import { deviceIdOf, type Origin, readTopic, type SparkplugTopic } from './topic.ts';

export interface SparkplugLimits extends BirthLimits {
  /** A node is not asked again before this time has passed. */
  readonly rebirthIntervalMs: number;
  /** Of all nodes together: after a restart everybody has to be asked. */
  readonly rebirthsPerSecondMax: number;
}

export const sparkplugLimitDefaults: SparkplugLimits = {
  nodesMax: 10_000,
  metricsMax: 500_000,
  devicesPerNodeMax: 1_000,
  rebirthIntervalMs: 10_000,
  rebirthsPerSecondMax: 100,
};

export interface SparkplugParts {
  readonly now: () => number;
  readonly limits: SparkplugLimits;
  /**
   * Called while a message is parsed: must neither throw nor wait. `connection` is the one that
   * the message came by, which the node can be reached through.
   */
  readonly requestRebirth: (command: HostMessage, connection: string) => void;
}

export interface SparkplugHost {
  readonly adapter: Adapter;
  counts(): SparkplugCounts;
}

export interface SparkplugCounts {
  readonly nodes: number;
  readonly metrics: number;
  /** Since the start. */
  readonly unnamed: number;
  readonly skipped: number;
  readonly rebirths: number;
}

export const sparkplugName = 'sparkplug-b';

type Message = Exclude<SparkplugTopic, { kind: 'STATE' }>;
type Items = (PayloadUplink | SourceEvent)[];

/** One for each gateway: its memory is that of one broker's nodes. */
export function createSparkplugHost({
  now,
  limits,
  requestRebirth,
}: SparkplugParts): SparkplugHost {
  const book = createBirthBook(limits);
  const totals = { unnamed: 0, skipped: 0, rebirths: 0 };
  let second = { startedAt: Number.NEGATIVE_INFINITY, asked: 0 };

  function askForBirth(node: Node, origin: Origin): void {
    const time = now();
    const waited = time - (node.askedAt ?? Number.NEGATIVE_INFINITY);
    // A clock that was set back must not silence the host for good.
    if (waited >= 0 && waited < limits.rebirthIntervalMs) return;
    if (Math.abs(time - second.startedAt) >= 1_000) second = { startedAt: time, asked: 0 };
    if (second.asked >= limits.rebirthsPerSecondMax) return;
    second.asked += 1;
    node.askedAt = time;
    totals.rebirths += 1;
    requestRebirth(rebirthCommand(origin, time), node.connection ?? '');
  }

  function readBirth({ origin }: Message, node: Node, payload: SparkplugPayload): void {
    if (origin.deviceId !== undefined) checkSequence(node, origin, payload);
    book.describe(node, origin, payload.metrics);
    if (origin.deviceId !== undefined) return;
    node.bdSeq = bdSeqOf(payload);
    node.nextSeq = following(payload.seq ?? 0);
  }

  /**
   * One step back is a redelivery. After a gap the births known so far are still the newest ones.
   */
  function checkSequence(node: Node, origin: Origin, { seq }: SparkplugPayload): void {
    const { nextSeq } = node;
    if (nextSeq !== undefined) {
      // Some encoders leave out a zero; a node that never counts cannot show a gap.
      const number = seq ?? (nextSeq === 0 ? 0 : following(nextSeq + 254));
      if (following(number) === nextSeq) return;
      node.nextSeq = following(number);
      if (number === nextSeq) return;
    }
    askForBirth(node, origin);
  }

  function readData(message: Message, node: Node, payload: SparkplugPayload): Items {
    const { origin } = message;
    const birth = origin.deviceId === undefined ? node.birth : node.devices.get(origin.deviceId);
    const measured = measure(payload.metrics, birth, payload.time);
    const items: Items = [];
    const { measurements, radio, unnamed, skipped } = measured;
    if (measurements.length > 0 || radio !== undefined) {
      const uplink: Draft<PayloadUplink> = {
        kind: 'payload',
        adapter: sparkplugName,
        deviceId: deviceIdOf(origin),
        rxInfo: [],
      };
      if (measurements.length > 0) uplink.measurements = measurements;
      if (radio !== undefined) uplink.radio = radio;
      if (payload.time !== undefined) uplink.rxTime = payload.time;
      items.push(uplink);
    }
    if (unnamed > 0) items.push(eventOf(origin, 'metrics-unnamed', payload));
    if (skipped > 0) items.push(eventOf(origin, 'metrics-skipped', payload));
    totals.unnamed += unnamed;
    totals.skipped += skipped;
    if (unnamed > 0 || birth === undefined) askForBirth(node, origin);
    return items;
  }

  /** A will may come after the node is back: only the death of this session counts. */
  function readDeath({ origin }: Message, node: Node, payload: SparkplugPayload): boolean {
    if (origin.deviceId !== undefined) checkSequence(node, origin, payload);
    const bdSeq = bdSeqOf(payload);
    const isLate =
      origin.deviceId === undefined &&
      bdSeq !== undefined &&
      node.bdSeq !== undefined &&
      bdSeq !== node.bdSeq;
    if (!isLate) book.forget(node, origin);
    return !isLate;
  }

  function itemsOf(message: Message, payload: SparkplugPayload, connection: string): Items {
    const { kind, origin } = message;
    const node = book.touch(origin);
    node.connection = connection;
    switch (kind) {
      case 'NBIRTH':
      case 'DBIRTH':
        readBirth(message, node, payload);
        return [eventOf(origin, kind.toLowerCase(), payload), ...readData(message, node, payload)];
      case 'NDATA':
      case 'DDATA':
        checkSequence(node, origin, payload);
        return readData(message, node, payload);
      case 'NDEATH':
      case 'DDEATH': {
        const type = readDeath(message, node, payload) ? kind.toLowerCase() : 'ndeath-late';
        return [eventOf(origin, type, payload)];
      }
      case 'NCMD':
      case 'DCMD':
        return [];
    }
  }

  function parse(inbound: Inbound): Parsed {
    const topic = readTopic(inbound.route);
    if (topic === undefined) return malformed('the topic is none of Sparkplug B');
    if (topic.kind === 'STATE') return readState(inbound.body);
    const payload = readPayload(inbound.body);
    if ('code' in payload) return payload;
    const [first, ...others] = itemsOf(topic, payload, inbound.sender.connection);
    if (first !== undefined) return [first, ...others];
    return [eventOf(topic.origin, topic.kind.toLowerCase(), payload)];
  }

  return {
    adapter: {
      name: sparkplugName,
      topicFilters: ['spBv1.0/+/+/+', 'spBv1.0/+/+/+/+', 'spBv1.0/STATE/+'],
      isNetworkServer: false,
      parse,
    },
    counts: () => ({ ...book.counts(), ...totals }),
  };
}

function following(seq: number): number {
  return (seq + 1) % 256;
}

function bdSeqOf({ metrics }: SparkplugPayload): number | undefined {
  const value = metrics.find(({ name }) => name === 'bdSeq')?.value;
  return value?.kind === 'integer' ? value.unsigned : undefined;
}

function eventOf(origin: Origin, type: string, { time }: SparkplugPayload): SourceEvent {
  const event = {
    kind: 'event',
    adapter: sparkplugName,
    type,
    deviceId: deviceIdOf(origin),
  } as const;
  return time === undefined ? event : { ...event, time };
}

/** Another host application tells whether it is there. */
function readState(body: Buffer): Parsed {
  const message = openObject(body);
  if ('code' in message) return message;
  const isOnline = readFlag(message, 'online') === true;
  const time = readNumber(message, 'timestamp');
  const complaint: string | undefined = message.complaints[0];
  if (complaint !== undefined) return malformed(complaint);
  const event: Draft<SourceEvent> = {
    kind: 'event',
    adapter: sparkplugName,
    type: isOnline ? 'host-online' : 'host-offline',
  };
  if (time !== undefined) event.time = time;
  return [event];
}
