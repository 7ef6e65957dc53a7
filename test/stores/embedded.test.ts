import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { openEmbeddedStore } from '../../gateway/stores/embedded/open-store.ts';
import { shelfOf } from '../../gateway/stores/embedded/shelf.ts';
import { describeStoreContract } from './contract.ts';
import { linkOf, minute, readingOf, start, writeTo } from './sample.ts';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'fieldgate-embedded-'));
});
afterAll(async () => {
  await rm(directory, { recursive: true });
});

const open = (name: string, runRows?: number) =>
  openEmbeddedStore({
    file: join(directory, name),
    memoryLimitMb: 256,
    threads: 2,
    ...(runRows !== undefined && { runRows }),
  });

const all = { from: 0, to: start + 1e9, limit: 10_000 };

describeStoreContract({
  name: 'The embedded store',
  open: (onRejected) =>
    openEmbeddedStore({ file: join(directory, 'one'), memoryLimitMb: 256, threads: 2, onRejected }),
});

describeStoreContract({
  name: 'The embedded store that settles after every batch',
  open: (onRejected) =>
    openEmbeddedStore({
      file: join(directory, 'two'),
      memoryLimitMb: 256,
      threads: 2,
      runRows: 1,
      onRejected,
    }),
});

async function count(file: string, table: string): Promise<unknown> {
  const instance = await DuckDBInstance.create(join(directory, file));
  const connection = await instance.connect();
  const rows = await connection.runAndReadAll(`SELECT count(*)::DOUBLE FROM ${table}`);
  connection.closeSync();
  instance.closeSync();
  return rows.getRowsJS()[0]?.[0];
}

describe('The embedded store on disk', () => {
  it('holds everything after it was closed and opened again', async () => {
    const first = await open('again');
    await writeTo(first.writer, {
      readings: [readingOf({ value: 1, seq: 1 })],
      links: [linkOf({})],
    });
    await first.close();
    const second = await open('again');
    await writeTo(second.writer, {
      readings: [readingOf({ value: 2, seq: 1 })],
      links: [linkOf({})],
    });
    const found = await second.reader.readings({ device: 'd', ...all });
    await second.close();
    expect(found.map((r) => r.value)).toEqual([2]);
    expect(await count('again', 'telemetry')).toBe(1);
    expect(await count('again', 'link')).toBe(1);
  });

  it('removes settled rows that were written again', async () => {
    const store = await open('rewrite', 10);
    const readings = Array.from({ length: 10 }, (_, i) =>
      readingOf({ time: start + i * minute, seq: i + 1 }),
    );
    for (let round = 0; round < 5; round += 1) await writeTo(store.writer, { readings, links: [] });
    await store.close();
    expect(await count('rewrite', 'telemetry_settled')).toBe(10);
    expect(await count('rewrite', 'telemetry_recent')).toBe(0);
  });

  it('prefers the higher seq even when the lower one is written later', async () => {
    for (const runRows of [1, 1_000]) {
      const store = await open(`seq-${runRows}`, runRows);
      await writeTo(store.writer, { readings: [readingOf({ value: 9, seq: 9 })], links: [] });
      await writeTo(store.writer, { readings: [readingOf({ value: 5, seq: 5 })], links: [] });
      const found = await store.reader.readings({ device: 'd', ...all });
      await store.close();
      expect(found.map((r) => r.value)).toEqual([9]);
    }
  });

  it('drops what is older than the retention time', async () => {
    const store = await open('retention', 3);
    const times = [0, 1, 2, 3, 4].map((i) => start + i * minute);
    for (const time of times) {
      await writeTo(store.writer, { readings: [readingOf({ time })], links: [linkOf({ time })] });
    }
    await store.writer.dropBefore(start + 3 * minute);
    const found = await store.reader.readings({ device: 'd', ...all });
    await store.close();
    expect(found.map((r) => r.time)).toEqual(times.slice(3));
    expect(await count('retention', 'link')).toBe(2);
  });

  it('refuses a file of another schema', async () => {
    await (await open('schema')).close();
    const instance = await DuckDBInstance.create(join(directory, 'schema'));
    const connection = await instance.connect();
    await connection.run('UPDATE store_schema SET version = 99');
    connection.closeSync();
    instance.closeSync();
    await expect(open('schema')).rejects.toThrow('remove the file');
  });

  it('reads while it writes and settles', async () => {
    const store = await open('together', 500);
    const writes = Array.from({ length: 20 }, (_, batch) =>
      writeTo(store.writer, {
        readings: Array.from({ length: 100 }, (_, i) =>
          readingOf({ time: start + (batch * 100 + i) * 1_000, seq: batch * 100 + i + 1 }),
        ),
        links: [],
      }),
    );
    let seen = 0;
    for (let i = 0; i < 20; i += 1) {
      const found = await store.reader.readings({ device: 'd', ...all });
      expect(found.length).toBeGreaterThanOrEqual(seen);
      expect(found.length % 100).toBe(0);
      seen = found.length;
    }
    await Promise.all(writes);
    expect(await store.reader.readings({ device: 'd', ...all })).toHaveLength(2_000);
    await store.close();
  });
});

describe('The shelf of a device', () => {
  it('is the FNV-1a hash and stays it, since it is on disk', () => {
    expect(shelfOf('')).toBe(0x811c9dc5);
    expect(shelfOf('a')).toBe(0xe40c292c);
    expect(shelfOf('foobar')).toBe(0xbf9cf968);
  });
});
