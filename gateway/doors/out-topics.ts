/**
 * New readings for MQTT subscribers, on `out/{area}/{device}/{quantity}`: JSON, QoS 1, never kept
 * as the retained message and never taken in again. What nobody has subscribed to costs a look-up.
 */
import type { Hub } from '../live/hub.ts';
import type { SeriesIdentity } from '../live/series-table.ts';
import { createSampledWarning, type Log } from '../log.ts';
import type { Clock } from '../model/clock.ts';
import type { ReadingRow } from '../model/reading-row.ts';
import type { MqttBroker } from '../transports/mqtt/broker.ts';

/** The first level of these topics: the broker lets nobody else publish there. */
export const outLevel = 'out';
/** Messages that the broker has not taken yet; what comes on top is left out, and said. */
const underwayMax = 20_000;
/** The level of a topic for a device without an area. */
const noArea = '-';

interface OutParts {
  readonly hub: Pick<Hub, 'tap'>;
  readonly broker: Pick<MqttBroker, 'mayBeWanted' | 'isWanted' | 'publish'>;
  /** Readings up to this place in the ledger were told by an earlier process. */
  readonly after: number;
  readonly log: Log;
  readonly clock: Clock;
}

/** Returns how to end it, which resolves when the broker has what it was given. */
export function publishReadings({ hub, broker, after, log, clock }: OutParts): () => Promise<void> {
  const warn = createSampledWarning(log, clock.now);
  const underway = new Set<Promise<void>>();

  function publish(topic: string, message: object): void {
    const publishing = broker
      .publish(topic, JSON.stringify(message))
      .catch((error: unknown) => {
        warn('out', { event: 'out-failed', error: String(error) }, 'a reading was not published');
      })
      .finally(() => underway.delete(publishing));
    underway.add(publishing);
  }

  const leave = hub.tap((identity, row) => {
    if (row[6] <= after || !broker.mayBeWanted(outLevel)) return;
    const topic = topicOf(identity);
    if (!broker.isWanted(topic)) return;
    if (underway.size < underwayMax) publish(topic, messageOf(identity, row));
    else warn('out', { event: 'out-left-out' }, 'readings were not published: too many at once');
  });
  return async () => {
    leave();
    await Promise.all(underway);
  };
}

function topicOf({ area, device, quantity }: SeriesIdentity): string {
  return [outLevel, area ?? noArea, device, quantity].map(levelOf).join('/');
}

/** A level holds no separator and no wildcard; these and the percent sign are written as in URLs. */
function levelOf(name: string): string {
  return name.replace(/[%/+#\p{Cc}]/gu, (character) => encodeURIComponent(character));
}

/** As `GET /api/v1/latest` tells it. */
function messageOf(identity: SeriesIdentity, row: ReadingRow) {
  const [, time, value, quality, vouchedBy, receivedAt, seq] = row;
  const { device, quantity, channel, unit } = identity;
  return {
    ...{ device, quantity, ...(channel === '' ? {} : { channel }) },
    ...{ value, unit, time: new Date(time).toISOString() },
    ...{ receivedAt: new Date(receivedAt).toISOString(), quality, vouchedBy, seq },
  };
}
