import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { systemClock } from '../../gateway/model/clock.ts';
import type { RejectedRecord } from '../../gateway/stores/admission.ts';
import { createBackoff, createFeed, type FeedState } from '../../gateway/stores/feed.ts';
import { openInfluxStore } from '../../gateway/stores/influx/open-store.ts';
import { NotInfluxDb } from '../../gateway/stores/influx/server.ts';
import { type Influxd, startInfluxd } from '../setup/influxd.ts';
import { describeWith } from '../setup/tools.ts';
import { describeStoreContract } from './contract.ts';
import { bundleOf, linkOf, minute, readingOf, start, writeTo } from './sample.ts';

describeWith('influxd', 'The InfluxDB store', () => {
  let influxd: Influxd;
  beforeAll(async () => {
    influxd = await startInfluxd();
  });
  afterAll(async () => {
    await influxd.stop();
  });

  const all = { from: start, to: start + 1e9, limit: 10_000 };

  async function query(database: string, q: string): Promise<string> {
    const body = new URLSearchParams({ db: database, q });
    return (await fetch(`${influxd.url}/query`, { method: 'POST', body })).text();
  }

  describeStoreContract({
    name: 'InfluxDB',
    open: (onRejected) => openInfluxStore({ url: influxd.url, database: 'contract', onRejected }),
  });

  it('brings forth no measurement but its own, whatever the texts', async () => {
    const answer = await query('contract', 'SHOW MEASUREMENTS');
    expect(JSON.parse(answer).results[0].series[0].values).toEqual([['link'], ['telemetry']]);
  });

  it('lays points out as documented', async () => {
    const store = await openInfluxStore({ url: `${influxd.url}/`, database: 'lay out' });
    await writeTo(store.writer, {
      readings: [
        readingOf({ channel: '1', value: 1, seq: 7, area: 'Nəsimi rayonu' }),
        readingOf({
          channel: '1',
          value: 55,
          seq: 7,
          quantity: 'noise_level',
          area: 'Nəsimi rayonu',
        }),
        readingOf({ channel: '1', value: 'on', quantity: 'pump', area: 'Nəsimi rayonu', seq: 7 }),
      ],
      links: [linkOf({ fCnt: 9, spreadingFactor: 7 })],
    });
    expect(JSON.parse(await query('lay out', 'SELECT * FROM telemetry')).results[0].series).toEqual(
      [
        {
          name: 'telemetry',
          columns: [
            'time',
            'agency',
            'air_temperature',
            'air_temperature_qc',
            'area',
            'channel',
            'device',
            'noise_level',
            'noise_level_qc',
            'pump',
            'pump_qc',
            'seq',
            'vouched_by',
          ],
          values: [
            [
              '2026-06-01T00:00:00Z',
              'water board',
              1,
              1,
              'Nəsimi rayonu',
              '1',
              'd',
              55,
              1,
              'on',
              1,
              7,
              'mic',
            ],
          ],
        },
      ],
    );
    expect(JSON.parse(await query('lay out', 'SELECT * FROM link')).results[0].series).toEqual([
      {
        name: 'link',
        columns: ['time', 'device', 'f_cnt', 'gateway', 'rssi', 'snr', 'spreading_factor'],
        values: [['2026-06-01T00:00:00Z', 'd', 9, 'gw1', -100, 5, 7]],
      },
    ]);
    await store.close();
  });

  it('never overstates who vouches when one point has two vouchers', async () => {
    const store = await openInfluxStore({ url: influxd.url, database: 'vouchers' });
    await writeTo(store.writer, {
      readings: [
        readingOf({ vouchedBy: 'credential', seq: 1 }),
        readingOf({ vouchedBy: 'mic', quantity: 'noise_level', seq: 2 }),
      ],
      links: [],
    });
    const found = await store.reader.readings({ device: 'd', ...all });
    expect(found.map((r) => r.vouchedBy)).toEqual(['credential', 'credential']);
    await store.close();
  });

  it('finds the one poisoned reading in a batch and stores all others', async () => {
    const rejected: { records: readonly RejectedRecord[]; reason: string }[] = [];
    const store = await openInfluxStore({
      url: influxd.url,
      database: 'poison',
      onRejected: (records, reason) => rejected.push({ records, reason }),
    });
    await writeTo(store.writer, { readings: [readingOf({ quantity: 'door' })], links: [] });
    const readings = Array.from({ length: 700 }, (_, i) =>
      readingOf({
        quantity: i % 2 === 0 ? 'door' : 'noise_level',
        time: start + (i >> 1) * minute,
      }),
    );
    const poison = readingOf({ quantity: 'door', value: 'a text', time: start + 77 * minute });
    readings[154] = poison;
    await writeTo(store.writer, { readings, links: [linkOf({})] });
    const { device, quantity: name, time } = poison;
    expect(rejected.map(({ records }) => records)).toEqual([[{ device, name, time }]]);
    expect(rejected[0]?.reason).toContain('field type conflict');
    expect(await store.reader.readings({ device: 'd', ...all })).toHaveLength(699);
    await store.close();
  });

  it('finds a poisoned reading among texts that hold line ends, quotes and commas', async () => {
    const rejected: RejectedRecord[] = [];
    const store = await openInfluxStore({
      url: influxd.url,
      database: 'poison-texts',
      onRejected: (records) => rejected.push(...records),
    });
    await writeTo(store.writer, { readings: [readingOf({ quantity: 'air=t, m' })], links: [] });
    const area = 'a=1, b\\ "ğ"';
    const texts = ['one\ntwo', 'a "b", c=1 5\n', 'Bakı \\', ',x_qc=1i'];
    const readings = texts.flatMap((value, at) => [
      readingOf({ area, quantity: 'x_word', value, time: start + at * minute }),
      readingOf({ area, quantity: 'noise_level', value: at, time: start + at * minute }),
    ]);
    const poison = readingOf({
      area,
      quantity: 'air=t, m',
      value: 'a text\n',
      time: start + minute,
    });
    await writeTo(store.writer, { readings: [...readings, poison], links: [linkOf({})] });
    expect(rejected).toEqual([{ device: 'd', name: 'air=t, m', time: start + minute }]);
    const found = await store.reader.readings({ device: 'd', quantity: 'x_word', ...all });
    expect(found.map(({ value }) => value)).toEqual(texts);
    const levels = await store.reader.readings({ device: 'd', quantity: 'noise_level', ...all });
    expect(levels.map(({ value }) => value)).toEqual([0, 1, 2, 3]);
    await store.close();
  });

  it('reports the points that are older than the retention policy, in one request', async () => {
    await query('old', 'CREATE DATABASE old WITH DURATION 1d NAME short');
    const rejected: RejectedRecord[] = [];
    const store = await openInfluxStore({
      url: influxd.url,
      database: 'old',
      retentionPolicy: 'short',
      onRejected: (records) => rejected.push(...records),
    });
    const now = Date.now();
    const fresh = readingOf({ time: now, device: 'fresh' });
    const old = [10, 20].map((days) => readingOf({ time: now - days * 86_400_000 }));
    await writeTo(store.writer, { readings: [fresh, ...old], links: [] });
    expect(rejected.map(({ time }) => time)).toEqual(old.map(({ time }) => time).toReversed());
    const found = await store.reader.readings({ device: 'fresh', from: 0, to: now + 1, limit: 10 });
    expect(found).toHaveLength(1);
    await store.close();
  });

  it('writes the newer value last when two batches with one point are on their way', async () => {
    const store = await openInfluxStore({ url: influxd.url, database: 'order' });
    for (let round = 0; round < 20; round += 1) {
      const device = `r${round}`;
      const many = Array.from({ length: 500 }, (_, i) =>
        readingOf({ device, time: start + i, value: 1 }),
      );
      await Promise.all([
        writeTo(store.writer, { readings: many, links: [] }),
        writeTo(store.writer, { readings: [readingOf({ device, value: 2, seq: 2 })], links: [] }),
      ]);
      const [first] = await store.reader.readings({ device, ...all, limit: 1 });
      expect(first?.value).toBe(2);
    }
    await store.close();
  });

  it('makes the database anew when it was dropped', async () => {
    const store = await openInfluxStore({ url: influxd.url, database: 'dropped' });
    await query('dropped', 'DROP DATABASE dropped');
    const batch = { readings: [readingOf({})], links: [] };
    await expect(writeTo(store.writer, batch)).rejects.toThrow('database not found');
    await writeTo(store.writer, batch);
    expect(await store.reader.readings({ device: 'd', ...all })).toHaveLength(1);
    await store.close();
  });

  it('misses no point when the server goes away and comes back', async () => {
    const store = await openInfluxStore({ url: influxd.url, database: 'outage' });
    const states: FeedState[] = [];
    const feed = createFeed({
      clock: systemClock,
      backoff: createBackoff({ random: Math.random, firstMs: 10, ceilingMs: 100 }),
      onState: (state) => states.push(state),
    });
    const batchOf = (n: number) => ({
      readings: Array.from({ length: 50 }, (_, i) =>
        readingOf({ time: start + (n * 50 + i) * 1_000, seq: n * 50 + i + 1 }),
      ),
      links: [],
    });
    await feed.offer(bundleOf(store.writer, batchOf(0)));
    await influxd.pause();
    const offers = Array.from({ length: 12 }, (_, i) =>
      feed.offer(bundleOf(store.writer, batchOf(i + 1))),
    );
    while (feed.state().kind === 'ok') await new Promise((resolve) => setTimeout(resolve, 5));
    await expect(store.reader.ping()).rejects.toThrow();
    await influxd.resume();
    await Promise.all(offers);
    expect(feed.state().kind).toBe('ok');
    expect(states[0]?.reason).toContain('InfluxDB cannot be reached');
    const found = await store.reader.readings({ device: 'd', ...all });
    expect(found.map((r) => r.seq)).toEqual(Array.from({ length: 650 }, (_, i) => i + 1));
    await feed.close();
    await store.close();
  });
});

describe('Opening an InfluxDB store', () => {
  let server: Server | undefined;
  afterEach(async () => {
    if (server !== undefined) await once(server.close(), 'close');
    server = undefined;
  });

  async function serve(answer: (path: string) => { status: number; body: string }) {
    const requests: { path: string; authorization: string | undefined }[] = [];
    server = createServer((request, response) => {
      const path = request.url ?? '';
      requests.push({ path, authorization: request.headers.authorization });
      const { status, body } = answer(path);
      request.resume().on('end', () => response.writeHead(status).end(body));
    });
    server.keepAliveTimeout = 1;
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no TCP address');
    return { url: `http://127.0.0.1:${address.port}`, requests };
  }

  it('refuses an engine that answers every statement with the same series', async () => {
    const series = { name: 'databases', columns: ['name'], values: [['_internal']] };
    const body = JSON.stringify({ results: [{ series: [series] }] });
    const { url } = await serve((path) => ({ status: path === '/ping' ? 204 : 200, body }));
    await expect(openInfluxStore({ url, database: 'x' })).rejects.toThrow(NotInfluxDb);
  });

  it('refuses a web server that knows no queries', async () => {
    const { url } = await serve(() => ({ status: 404, body: 'not found' }));
    await expect(openInfluxStore({ url, database: 'x' })).rejects.toThrow(NotInfluxDb);
  });

  it('gives up a write that is never answered', async () => {
    server = createServer((request, response) => {
      if (request.url?.startsWith('/write')) return;
      response.writeHead(request.url === '/ping' ? 204 : 400).end('{"error":"parsing"}');
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no TCP address');
    const url = `http://127.0.0.1:${address.port}`;
    const store = await openInfluxStore({ url, database: 'x', writeTimeoutMs: 50 });
    const batch = { readings: [readingOf({})], links: [] };
    await expect(writeTo(store.writer, batch)).rejects.toThrow('InfluxDB cannot be reached');
    await store.close();
    server.closeAllConnections();
  });

  it('opens when nobody listens, and rejects what is asked until somebody does', async () => {
    const store = await openInfluxStore({ url: 'http://127.0.0.1:1', database: 'x' });
    await expect(store.reader.ping()).rejects.toThrow();
    const batch = { readings: [readingOf({})], links: [] };
    await expect(writeTo(store.writer, batch)).rejects.toThrow();
    await store.close();
  });

  it.each([
    [{ token: 'test-token' }, 'Token test-token'],
    [{ username: 'u', password: 'test:p' }, `Basic ${Buffer.from('u:test:p').toString('base64')}`],
    [{}, undefined],
  ])('shows the credentials %j in a header only', async (credentials, authorization) => {
    const { url, requests } = await serve((path) => ({
      status: path.startsWith('/query') ? 400 : 204,
      body: '{"error":"error parsing query"}',
    }));
    const store = await openInfluxStore({ url, database: 'x', ...credentials });
    await writeTo(store.writer, { readings: [readingOf({})], links: [] });
    await expect(
      store.reader.readings({ device: 'd', from: 0, to: 1, limit: 1 }),
    ).rejects.toThrow();
    expect(new Set(requests.map((request) => request.authorization))).toEqual(
      new Set([authorization]),
    );
    for (const { path } of requests) expect(path).not.toMatch(/test|root/);
  });

  it.each([401, 403, 429, 500, 503])(
    'asks for another try when a write is answered %d',
    async (status) => {
      const rejected: RejectedRecord[] = [];
      const { url } = await serve((path) => ({
        status: path.startsWith('/write') ? status : path.startsWith('/query') ? 400 : 204,
        body: '{"error":"not now"}',
      }));
      const onRejected = (records: readonly RejectedRecord[]) => rejected.push(...records);
      const store = await openInfluxStore({ url, database: 'x', onRejected });
      const batch = { readings: [readingOf({})], links: [] };
      await expect(writeTo(store.writer, batch)).rejects.toThrow(`${status}: {"error":"not now"}`);
      expect(rejected).toEqual([]);
    },
  );
});
