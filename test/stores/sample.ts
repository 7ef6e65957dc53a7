/** Readings for the tests of stores. */
import type { LinkSample, Reading } from '../../gateway/model/reading.ts';
import type { RecordBatch, RecordBundle, RecordWriter } from '../../gateway/stores/store.ts';

/** 2026-06-01T00:00:00Z, aligned to hours. */
export const start = 1_780_272_000_000;
export const minute = 60_000;

type ReadingPart = Partial<Omit<Reading, 'channel'>> & { readonly channel?: string | undefined };

export function readingOf(part: ReadingPart): Reading {
  const { channel, ...rest } = part;
  return {
    device: 'd',
    quantity: 'air_temperature',
    value: 21.5,
    unit: 'Cel',
    time: start,
    receivedAt: start + 500,
    quality: 1,
    vouchedBy: 'mic',
    seq: 1,
    agency: 'water board',
    area: 'centre',
    ...rest,
    ...(channel !== undefined && { channel }),
  };
}

export function linkOf(part: Partial<LinkSample>): LinkSample {
  return { device: 'd', gateway: 'gw1', time: start, seq: 1, rssi: -100, snr: 5, ...part };
}

/** The batches one after the other in one bundle. */
export function bundleOf(
  writer: Pick<RecordWriter, 'gather'>,
  ...batches: readonly RecordBatch[]
): RecordBundle {
  const bundle = writer.gather();
  for (const batch of batches) bundle.add(batch);
  return bundle;
}

export function writeTo(
  writer: Pick<RecordWriter, 'gather'>,
  ...batches: readonly RecordBatch[]
): Promise<void> {
  return bundleOf(writer, ...batches).write();
}
