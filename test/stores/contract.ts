/** What every store must do: one suite, run against each of them. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { OnRejected, RejectedRecord } from '../../gateway/stores/admission.ts';
import { QueryRefused } from '../../gateway/stores/query-limits.ts';
import type {
  AggregateQuery,
  ReadingQuery,
  ReadingReader,
  RecordWriter,
} from '../../gateway/stores/store.ts';
import { minute, readingOf, start, writeTo } from './sample.ts';

export interface OpenedStore {
  readonly writer: RecordWriter;
  readonly reader: ReadingReader;
  close(): Promise<void>;
}

export interface StoreUnderTest {
  readonly name: string;
  /** Called once, before all tests; each test uses devices of its own. */
  open(onRejected: OnRejected): Promise<OpenedStore>;
}

export function describeStoreContract(underTest: StoreUnderTest): void {
  describe(`${underTest.name} as a telemetry store`, () => {
    const rejected: { records: readonly RejectedRecord[]; reason: string }[] = [];
    let store: OpenedStore;
    beforeAll(async () => {
      store = await underTest.open((records, reason) => rejected.push({ records, reason }));
    });
    afterAll(async () => {
      await store.close();
    });

    const write = (...readings: ReturnType<typeof readingOf>[]) =>
      writeTo(store.writer, { readings, links: [] });
    const read = (query: Partial<ReadingQuery> & { device: string }) =>
      store.reader.readings({ from: start, to: start + 1e9, limit: 1_000, ...query });
    const aggregate = (query: Partial<AggregateQuery> & { device: string }) =>
      store.reader.aggregate({
        quantity: 'air_temperature',
        from: start,
        to: start + 60 * minute,
        everyMs: 10 * minute,
        aggregate: 'mean',
        limit: 1_000,
        ...query,
      });

    it('answers that it is there', async () => {
      await expect(store.reader.ping()).resolves.toBeUndefined();
    });

    it('gives back a number with its channel, quality, voucher and seq', async () => {
      await write(
        readingOf({ device: 'c1', value: -3.25, quality: 3, vouchedBy: 'tls-client', seq: 77 }),
        readingOf({ device: 'c1', channel: 'north', value: 1e21, seq: 78 }),
      );
      expect(await read({ device: 'c1' })).toEqual([
        {
          device: 'c1',
          quantity: 'air_temperature',
          value: -3.25,
          time: start,
          quality: 3,
          vouchedBy: 'tls-client',
          seq: 77,
        },
        {
          device: 'c1',
          quantity: 'air_temperature',
          channel: 'north',
          value: 1e21,
          time: start,
          quality: 1,
          vouchedBy: 'mic',
          seq: 78,
        },
      ]);
    });

    it('gives back states as text beside numbers of the same time', async () => {
      await write(
        readingOf({ device: 'c2', quantity: 'door_state', value: 'open' }),
        readingOf({ device: 'c2', value: 0 }),
      );
      const values = (await read({ device: 'c2' })).map((r) => [r.quantity, r.value]);
      expect(values).toEqual([
        ['air_temperature', 0],
        ['door_state', 'open'],
      ]);
    });

    it('keeps an unmapped quantity that is a number here and a text there', async () => {
      await write(
        readingOf({ device: 'c3', quantity: 'x_mode', value: 4 }),
        readingOf({ device: 'c3', quantity: 'x_mode', value: 'eco', time: start + minute }),
      );
      const values = (await read({ device: 'c3', quantity: 'x_mode' })).map((r) => r.value);
      expect(values).toEqual([4, 'eco']);
      expect((await read({ device: 'c3' })).map((r) => r.value)).toEqual([4, 'eco']);
    });

    it('narrows to one quantity, one channel and the half-open range', async () => {
      const times = [start, start + minute, start + 2 * minute];
      for (const channel of ['a', 'b']) {
        await write(...times.map((time) => readingOf({ device: 'c4', channel, time })));
      }
      await write(readingOf({ device: 'c4', quantity: 'noise_level', channel: 'a' }));
      const found = await read({
        device: 'c4',
        quantity: 'air_temperature',
        channel: 'a',
        from: start + minute,
        to: start + 2 * minute,
      });
      expect(found.map((r) => [r.channel, r.time])).toEqual([['a', start + minute]]);
    });

    it('sorts by time, then quantity, then channel, in whatever order they came', async () => {
      const written = [];
      for (const time of [start + minute, start, start + 2 * minute]) {
        for (const quantity of ['wind_speed', 'air_temperature']) {
          for (const channel of ['2', undefined, '10']) {
            written.push(readingOf({ device: 'c5', time, quantity, channel }));
          }
        }
      }
      await write(...written.slice(9));
      await write(...written.slice(0, 9));
      const keys = (await read({ device: 'c5' })).map((r) => keyOf(r));
      expect(keys).toEqual(written.map((r) => keyOf(r)).sort());
    });

    it('pages by cursor without a gap or a repetition', async () => {
      const written = [];
      for (let i = 0; i < 60; i += 1) {
        const time = start + Math.floor(i / 12) * minute;
        const channel = `${i % 4}`;
        const quantity = ['a', 'b', 'c'][i % 3] ?? '';
        written.push(readingOf({ device: 'c6', time, quantity: `x_${quantity}`, channel }));
      }
      await write(...written);
      const all = (await read({ device: 'c6' })).map((r) => keyOf(r));
      expect(all).toHaveLength(60);
      for (const limit of [1, 7, 60]) {
        expect(await readByPages(store.reader, 'c6', limit)).toEqual(all);
      }
    });

    it('keeps the last write of one point', async () => {
      await write(readingOf({ device: 'c7', value: 1, seq: 5, quality: 2 }));
      await write(readingOf({ device: 'c7', value: 2, seq: 5, quality: 1 }));
      await write(readingOf({ device: 'c7', value: 2, seq: 5, quality: 1 }));
      expect((await read({ device: 'c7' })).map((r) => [r.value, r.quality])).toEqual([[2, 1]]);
      expect(await aggregate({ device: 'c7', aggregate: 'count' })).toEqual([
        { time: start, value: 1 },
      ]);
    });

    it('keeps the newer of two values of one point in one batch', async () => {
      await write(
        readingOf({ device: 'c8', value: 1, seq: 5 }),
        readingOf({ device: 'c8', value: 9, seq: 6 }),
        readingOf({ device: 'c8', value: 3, seq: 6 }),
      );
      expect((await read({ device: 'c8' })).map((r) => [r.value, r.seq])).toEqual([[3, 6]]);
    });

    it('keeps one point when a device has moved to another area since', async () => {
      await write(readingOf({ device: 'c9', value: 1, seq: 5, area: 'old town' }));
      await write(readingOf({ device: 'c9', value: 1, seq: 5, area: 'harbour' }));
      expect(await read({ device: 'c9' })).toHaveLength(1);
      expect(await aggregate({ device: 'c9', aggregate: 'sum' })).toEqual([
        { time: start, value: 1 },
      ]);
    });

    it('aggregates only values of quality 1 and 2 and leaves gaps open', async () => {
      const values = [
        { at: 0, value: 10, quality: 1 },
        { at: 1, value: 20, quality: 2 },
        { at: 2, value: 900, quality: 3 },
        { at: 3, value: 900, quality: 4 },
        { at: 4, value: 900, quality: 9 },
        { at: 15, value: 900, quality: 4 },
        { at: 25, value: 7, quality: 1 },
        { at: 29, value: 5, quality: 1 },
      ] as const;
      await write(
        ...values.map(({ at, value, quality }) =>
          readingOf({ device: 'a1', time: start + at * minute, value, quality }),
        ),
      );
      const expected = { mean: [15, 6], min: [10, 5], max: [20, 7], sum: [30, 12], count: [2, 2] };
      for (const [name, [first, second]] of Object.entries(expected)) {
        expect(await aggregate({ device: 'a1', aggregate: aggregateNamed(name) })).toEqual([
          { time: start, value: first },
          { time: start + 20 * minute, value: second },
        ]);
      }
      expect(await aggregate({ device: 'a1', aggregate: 'last', limit: 1 })).toEqual([
        { time: start, value: 20 },
      ]);
    });

    it('aligns windows to the epoch, not to the range', async () => {
      await write(readingOf({ device: 'a2', time: start + 12 * minute, value: 4 }));
      const found = await aggregate({ device: 'a2', from: start + 11 * minute });
      expect(found).toEqual([{ time: start + 10 * minute, value: 4 }]);
    });

    it('aggregates over channels together and apart', async () => {
      await write(
        readingOf({ device: 'a3', channel: '1', value: 1 }),
        readingOf({ device: 'a3', channel: '2', value: 3 }),
        readingOf({ device: 'a3', channel: '2', value: 5, time: start + minute }),
      );
      expect(await aggregate({ device: 'a3' })).toEqual([{ time: start, value: 3 }]);
      expect(await aggregate({ device: 'a3', channel: '2' })).toEqual([{ time: start, value: 4 }]);
      expect(await aggregate({ device: 'a3', aggregate: 'last' })).toEqual([
        { time: start, value: 5 },
      ]);
    });

    it('aggregates states to nothing', async () => {
      await write(readingOf({ device: 'a4', quantity: 'door_state', value: 'open' }));
      for (const name of ['mean', 'count', 'last']) {
        const found = await aggregate({
          device: 'a4',
          quantity: 'door_state',
          aggregate: aggregateNamed(name),
        });
        expect(found).toEqual([]);
      }
    });

    it.each(hostileTexts)('stores the state %j unchanged', async (text) => {
      const device = `t1-${hostileTexts.indexOf(text)}`;
      await write(readingOf({ device, quantity: 'x_note', value: text, area: text, agency: text }));
      expect((await read({ device })).map((r) => r.value)).toEqual([text]);
    });

    it.each(hostileTexts)('stores the quantity and the channel %j unchanged', async (text) => {
      const device = `t2-${hostileTexts.indexOf(text)}`;
      await write(
        readingOf({ device, quantity: `x_${text}`, channel: `c${text}`, value: 1 }),
        readingOf({ device, quantity: 'air_temperature', value: 2 }),
      );
      const found = await read({ device });
      expect(found.map((r) => [r.quantity, r.channel ?? '', r.value])).toEqual([
        ['air_temperature', '', 2],
        [`x_${text}`, `c${text}`, 1],
      ]);
      const asked = { device, quantity: `x_${text}`, channel: `c${text}` };
      expect(await read(asked)).toHaveLength(1);
      expect(await aggregate({ ...asked, aggregate: 'sum' })).toEqual([{ time: start, value: 1 }]);
    });

    it.each(['seq', 'time', 'device', 'vouched_by', 'air_temperature_qc', 'x_a_text'])(
      'does not confuse a quantity named %s with its own columns',
      async (quantity) => {
        const device = `t3-${quantity}`;
        await write(readingOf({ device, quantity, value: 1.5, seq: 9 }));
        const found = await read({ device });
        expect(found.map((r) => [r.quantity, r.value, r.seq])).toEqual([[quantity, 1.5, 9]]);
      },
    );

    it.each(hostileTexts)('refuses the device id %j and stores the rest', async (text) => {
      rejected.length = 0;
      const device = `t4-${hostileTexts.indexOf(text)}`;
      await write(readingOf({ device: text }), readingOf({ device }));
      expect(await read({ device })).toHaveLength(1);
      expect(await read({ device: text })).toEqual([]);
      expect(rejected.map(({ records }) => records.map((record) => record.device))).toEqual([
        [text],
      ]);
    });

    it.each([Number.NaN, Number.POSITIVE_INFINITY, 'x'.repeat(5_000)])(
      'reports a value that cannot be stored and keeps the rest',
      async (value) => {
        rejected.length = 0;
        const device = `t5-${String(value).slice(0, 5)}`;
        await write(readingOf({ device, quantity: 'x_bad', value }), readingOf({ device }));
        expect((await read({ device })).map((r) => r.quantity)).toEqual(['air_temperature']);
        expect(rejected).toHaveLength(1);
      },
    );

    it('stores a batch of 12,000 readings with their links and pages through it', async () => {
      const readings = Array.from({ length: 12_000 }, (_, i) =>
        readingOf({
          device: `big-${i % 3}`,
          quantity: ['air_temperature', 'pm2_5'][i % 2] ?? '',
          time: start + Math.floor(i / 6) * 1_000,
          value: i,
          seq: i,
        }),
      );
      const links = readings.map(({ device, time, seq }) => ({
        device,
        gateway: 'gw, 1\\',
        time,
        seq,
        rssi: -97,
        snr: 7.5,
        fCnt: 4_000_000_000,
      }));
      await writeTo(store.writer, { readings, links });
      expect(await readByPages(store.reader, 'big-1', 1_500)).toHaveLength(4_000);
      const count = await aggregate({
        device: 'big-2',
        quantity: 'pm2_5',
        aggregate: 'count',
        everyMs: 24 * 60 * minute,
        to: start + 24 * 60 * minute,
      });
      expect(count.reduce((sum, window) => sum + window.value, 0)).toBe(2_000);
    });

    it('lets the later of two batches in one bundle win where both have the point', async () => {
      const first = readingOf({ device: 'twice', value: 1, quality: 1, seq: 1 });
      const others = Array.from({ length: 11_000 }, (_, i) =>
        readingOf({ device: 'twice', time: start + (i + 1) * 1_000, value: i, seq: i + 2 }),
      );
      const again = readingOf({ device: 'twice', value: 2, quality: 4, seq: 20_000 });
      const batches = [[first], others, [again]].map((readings) => ({ readings, links: [] }));
      await writeTo(store.writer, ...batches);
      const [found] = await read({ device: 'twice', limit: 1 });
      expect([found?.value, found?.quality, found?.seq]).toEqual([2, 4, 20_000]);
    });

    it('takes an empty batch and answers nothing for what it does not know', async () => {
      await writeTo(store.writer, { readings: [], links: [] });
      expect(await read({ device: 'nobody' })).toEqual([]);
      expect(await read({ device: 'c1', quantity: 'never_seen' })).toEqual([]);
      expect(await read({ device: 'c1', from: start + 5, to: start + 5 })).toEqual([]);
      expect(await aggregate({ device: 'nobody' })).toEqual([]);
      expect(await aggregate({ device: 'c1', quantity: 'never_seen' })).toEqual([]);
    });

    it('refuses questions without a bound', async () => {
      await expect(read({ device: 'c1', limit: 1e9 })).rejects.toThrow(QueryRefused);
      await expect(read({ device: 'c1', limit: 0 })).rejects.toThrow(QueryRefused);
      await expect(read({ device: 'c1', to: Number.NaN })).rejects.toThrow(QueryRefused);
      await expect(aggregate({ device: 'c1', everyMs: 0 })).rejects.toThrow(QueryRefused);
      await expect(aggregate({ device: 'c1', from: 0, everyMs: 1 })).rejects.toThrow(QueryRefused);
    });
  });
}

/** Each breaks out of something: a line, a tag, a quoted field, a statement, a pattern. */
const hostileTexts = [
  'a b',
  'a,area=evil',
  'trailing\\',
  'back\\,slash\\=es\\ ',
  'quote"\' OR 1=1 --',
  'line\ntelemetry,device=evil air_temperature=1 1',
  'tab\tand\rreturn',
  '100%5C%',
  'Nəsimi rayonu 🌡',
  '$device',
  '"; DROP MEASUREMENT telemetry; --',
  'x'.repeat(100),
];

interface Keyed {
  readonly time: number;
  readonly quantity: string;
  readonly channel?: string | undefined;
}

function keyOf({ time, quantity, channel }: Keyed): string {
  return `${time} ${quantity} ${channel ?? ''}`;
}

async function readByPages(reader: ReadingReader, device: string, limit: number) {
  const keys: string[] = [];
  let after: { time: number; quantity: string; channel: string } | undefined;
  for (;;) {
    const query = { device, from: start, to: start + 1e9, limit };
    const page = await reader.readings(after === undefined ? query : { ...query, after });
    keys.push(...page.map((r) => keyOf(r)));
    const last = page.at(-1);
    if (last === undefined || page.length < limit) return keys;
    after = { time: last.time, quantity: last.quantity, channel: last.channel ?? '' };
  }
}

function aggregateNamed(name: string): AggregateQuery['aggregate'] {
  const names = ['mean', 'min', 'max', 'sum', 'count', 'last'] as const;
  const found = names.find((known) => known === name);
  if (found === undefined) throw new Error(`no aggregate is called ${name}`);
  return found;
}
