/**
 * What points to somebody who records and sends again, or who forges: counted by kind for the
 * metrics and by subject for an alarm. The subject is the device where the frame proves one, else
 * the account that handed it on. The single events are in the ledger; so is the alarm.
 */
import type { Delivery, Item, Receipt } from '../ledger/ledger.ts';
import type { Clock } from '../model/clock.ts';
import type { Inbound } from '../model/inbound.ts';
import type { SourceEvent } from '../model/uplink.ts';

/**
 * `replayed-frame`: an old counter under a valid MIC; `replayed-join`: a DevNonce used before;
 * `mic-mismatch`: a DevAddr or devEui that is known, and no key of it; `counter-reset`: a device has
 * begun to count anew, or somebody plays a frame of it that was never heard here.
 */
export const securityKinds = [
  ...(['replayed-frame', 'replayed-join', 'mic-mismatch', 'counter-reset', 'alarm'] as const),
] as const;
export type SecurityKind = (typeof securityKinds)[number];

/** How many events of one subject within how long raise one alarm; a count of 0 raises none. */
export interface AlarmThreshold {
  readonly count: number;
  readonly windowMs: number;
}

/** The settings below `security`. */
export interface SecurityLimits {
  readonly replayedFrames: AlarmThreshold;
  readonly replayedJoins: AlarmThreshold;
  /** Higher: a neighbour's network may use the same DevAddr, which is no attack. */
  readonly wrongMics: AlarmThreshold;
  readonly counterResets: AlarmThreshold;
  /** Beyond these the oldest is forgotten. */
  readonly subjectsMax: number;
}

interface WatchParts {
  readonly metrics: { security(kind: SecurityKind): void };
  readonly log: { warn(fields: object, message: string): void };
  readonly clock: Clock;
  /** Writes the alarm down beside what it tells of. */
  readonly raise: (delivery: Delivery) => Promise<unknown>;
  readonly limits: SecurityLimits;
}

export interface SecurityWatch {
  /** A message is on disk. */
  note(delivery: Delivery, receipts: readonly Receipt[]): void;
}

interface Count {
  readonly since: number;
  count: number;
}

export function createSecurityWatch(parts: WatchParts): SecurityWatch {
  const { metrics, log, clock, limits } = parts;
  const thresholds = thresholdsOf(limits);
  const counts = new Map<string, Count>();

  function countOf(key: string, now: number, windowMs: number): Count {
    const known = counts.get(key);
    if (known !== undefined && Math.abs(now - known.since) < windowMs) return known;
    const fresh = { since: now, count: 0 };
    counts.delete(key);
    counts.set(key, fresh);
    const [oldest] = counts.keys();
    if (counts.size > limits.subjectsMax && oldest !== undefined) counts.delete(oldest);
    return fresh;
  }

  function see(kind: CountedKind, item: Item, inbound: Inbound): void {
    metrics.security(kind);
    const now = clock.now();
    const subject = item.deviceId ?? inbound.sender.credential;
    const { count, windowMs } = thresholds[kind];
    const counted = countOf(`${kind} ${subject}`, now, windowMs);
    counted.count += 1;
    if (counted.count !== count) return;
    metrics.security('alarm');
    const alarm = { kind, subject, count: counted.count, since: counted.since, at: now };
    log.warn({ event: 'security-alarm', ...alarm }, 'frames are forged or sent again');
    parts.raise(alarmDelivery(alarm, item.deviceId, inbound)).catch((error: unknown) => {
      log.warn({ event: 'security-alarm-unwritten', error: String(error) }, 'alarm not written');
    });
  }

  return {
    note({ inbound, items }, receipts) {
      receipts.forEach((receipt, place) => {
        const item = items[place];
        const kind = item && kindOf(item, receipt);
        if (item !== undefined && kind !== undefined) see(kind, item, inbound);
      });
    },
  };
}

type CountedKind = Exclude<SecurityKind, 'alarm'>;

function thresholdsOf(limits: SecurityLimits): Readonly<Record<CountedKind, AlarmThreshold>> {
  return {
    'replayed-frame': limits.replayedFrames,
    'replayed-join': limits.replayedJoins,
    'mic-mismatch': limits.wrongMics,
    'counter-reset': limits.counterResets,
  };
}

/** The ledger finds out a frame's replay; that of a join was found before. */
function kindOf(item: Item, { outcome, isReset }: Receipt): CountedKind | undefined {
  if (isReset === true) return 'counter-reset';
  if (outcome === 'replayed') return 'replayed-frame';
  if (outcome !== 'quarantined' || item.kind !== 'quarantined') return undefined;
  if (item.fault.code === 'FRAME_REPLAYED') return 'replayed-join';
  return item.fault.code === 'MIC_MISMATCH' ? 'mic-mismatch' : undefined;
}

interface Alarm {
  readonly kind: CountedKind;
  readonly at: number;
}

function alarmDelivery(alarm: Alarm, deviceId: string | undefined, inbound: Inbound): Delivery {
  const event: SourceEvent = {
    ...{ kind: 'event', adapter: 'security', type: `alarm-${alarm.kind}`, time: alarm.at },
    ...(deviceId === undefined ? {} : { deviceId }),
  };
  const { messageId: _sent, ...rest } = inbound;
  const body = Buffer.from(JSON.stringify(alarm));
  return { inbound: { ...rest, route: 'fieldgate/security', body, dup: false }, items: [event] };
}
