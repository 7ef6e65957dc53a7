/**
 * What points to somebody who records and sends again, or who forges: counted by kind for the
 * metrics and by subject for an alarm. The subject is the device where the frame proves one, else
 * the account that handed it on. The single events are in the ledger; so is the alarm.
 */
import type { Delivery, Item, Receipt } from './ledger/ledger.ts';
import type { Clock } from './model/clock.ts';
import type { Inbound } from './model/inbound.ts';
import type { SourceEvent } from './model/uplink.ts';

/**
 * `replayed-frame`: an old counter under a valid MIC; `replayed-join`: a DevNonce used before;
 * `mic-mismatch`: a DevAddr or devEui that is known, and no key of it.
 */
export const securityKinds = ['replayed-frame', 'replayed-join', 'mic-mismatch', 'alarm'] as const;
export type SecurityKind = (typeof securityKinds)[number];

export interface SecurityLimits {
  readonly windowMs: number;
  /** Within a window; one alarm for each subject, kind and window. */
  readonly replaysMax: number;
  /** Higher: a neighbour's network may use the same DevAddr, which is no attack. */
  readonly mismatchesMax: number;
  /** Beyond these the oldest is forgotten. */
  readonly subjectsMax: number;
}

export const securityLimits: SecurityLimits = {
  ...{ windowMs: 600_000, replaysMax: 10, mismatchesMax: 200, subjectsMax: 10_000 },
};

interface WatchParts {
  readonly metrics: { security(kind: SecurityKind): void };
  readonly log: { warn(fields: object, message: string): void };
  readonly clock: Clock;
  /** Writes the alarm down beside what it tells of. */
  readonly raise: (delivery: Delivery) => Promise<unknown>;
  readonly limits?: SecurityLimits;
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
  const { metrics, log, clock, limits = securityLimits } = parts;
  const counts = new Map<string, Count>();

  function countOf(key: string, now: number): Count {
    const known = counts.get(key);
    if (known !== undefined && Math.abs(now - known.since) < limits.windowMs) return known;
    const fresh = { since: now, count: 0 };
    counts.delete(key);
    counts.set(key, fresh);
    const [oldest] = counts.keys();
    if (counts.size > limits.subjectsMax && oldest !== undefined) counts.delete(oldest);
    return fresh;
  }

  function see(kind: SecurityKind, item: Item, inbound: Inbound): void {
    metrics.security(kind);
    const now = clock.now();
    const subject = item.deviceId ?? inbound.sender.credential;
    const counted = countOf(`${kind} ${subject}`, now);
    counted.count += 1;
    const threshold = kind === 'mic-mismatch' ? limits.mismatchesMax : limits.replaysMax;
    if (counted.count !== threshold) return;
    metrics.security('alarm');
    const alarm = { kind, subject, count: counted.count, since: counted.since, at: now };
    log.warn({ event: 'security-alarm', ...alarm }, 'frames are forged or sent again');
    parts.raise(alarmDelivery(alarm, item.deviceId, inbound)).catch((error: unknown) => {
      log.warn({ event: 'security-alarm-unwritten', error: String(error) }, 'alarm not written');
    });
  }

  return {
    note({ inbound, items }, receipts) {
      receipts.forEach(({ outcome }, place) => {
        if (outcome !== 'replayed' && outcome !== 'quarantined') return;
        const item = items[place];
        const kind = item && kindOf(item, outcome);
        if (item !== undefined && kind !== undefined) see(kind, item, inbound);
      });
    },
  };
}

/** The ledger finds out a frame's replay; that of a join was found before. */
function kindOf(item: Item, outcome: 'replayed' | 'quarantined'): SecurityKind | undefined {
  if (outcome === 'replayed') return 'replayed-frame';
  if (item.kind !== 'quarantined') return undefined;
  if (item.fault.code === 'FRAME_REPLAYED') return 'replayed-join';
  return item.fault.code === 'MIC_MISMATCH' ? 'mic-mismatch' : undefined;
}

interface Alarm {
  readonly kind: SecurityKind;
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
