import { afterEach, describe, expect, it, jest } from '@jest/globals';
import type { Device } from '../../gateway/model/device.ts';
import { type DeriveProcess, startDeriveProcess } from '../../gateway/pipeline/derive-process.ts';
import type { FromWorker } from '../../gateway/pipeline/worker-messages.ts';
import { until } from '../setup/gateway-process.ts';

const program = new URL('./answering-worker.mjs', import.meta.url);
const query = { device: 'meter-7', from: 0, to: 1, limit: 10 };

let derive: DeriveProcess | undefined;

afterEach(async () => {
  jest.useRealTimers();
  await derive?.stop();
  derive = undefined;
});

function started(devices: readonly Device[] = []) {
  /** Messages and crashes in the order in which the ingest thread learns of them. */
  const news: (FromWorker | string)[] = [];
  let starts = 0;
  const running = startDeriveProcess({
    program,
    settings() {
      starts += 1;
      const store = { kind: 'embedded', memoryLimitMb: 64, threads: 1 } as const;
      return { dataDir: '', store, devices };
    },
    onMessage: (message) => news.push(message),
    onCrash: (reason) => news.push(reason),
  });
  derive = running;
  return { running, news, starts: () => starts };
}

async function ready(devices: readonly Device[] = []) {
  const process = started(devices);
  await until('it is ready', () => process.running.isRunning());
  return process;
}

const device = (id: string): Device => ({ id, kind: 'cellular' });
const named = (news: readonly (FromWorker | string)[]) =>
  news.flatMap((one) => {
    if (typeof one === 'string') return [one];
    return one.kind === 'live' ? one.series.map(([name]) => name) : [];
  });

describe('The derive process', () => {
  it('passes messages on in both directions', async () => {
    const { running, news } = await ready();
    running.device('meter-7', device('meter-7'));
    running.device('meter-8', undefined);
    running.forget(42);
    await until('it answers', () => news.length >= 4);
    expect(named(news)).toEqual(['meter-7:cellular', 'meter-8:gone']);
    expect(news.at(-1)).toEqual({ kind: 'stored', readings: 0, seq: 42 });
  });

  it('wakes the worker once for many new entries', async () => {
    const { running, news } = await ready();
    for (let count = 0; count < 1_000; count += 1) running.wake();
    await until('it is awake', () => news.length >= 2);
    running.forget(2);
    await until('it answers', () => news.length >= 3);
    expect(news.slice(1)).toEqual([
      { kind: 'stored', readings: 0, seq: 1 },
      { kind: 'stored', readings: 0, seq: 2 },
    ]);
  });

  it('hands questions on and their answers back', async () => {
    const { running } = await ready();
    await expect(running.readings(query)).resolves.toEqual([query]);
    await expect(running.ping()).resolves.toBeUndefined();
    const windows = { ...query, quantity: 'q', everyMs: 1, aggregate: 'mean' } as const;
    await expect(running.aggregate(windows)).resolves.toEqual([windows]);
  });

  it("passes the store's refusal on and refuses an answer of another form", async () => {
    const { running } = await ready();
    await expect(running.readings({ ...query, device: 'broken' })).rejects.toThrow('no disk');
    await expect(running.readings({ ...query, device: 'odd' })).rejects.toThrow('another form');
  });

  it('refuses questions while the worker is starting', async () => {
    const { running } = started([device('slow')]);
    await expect(running.ping()).rejects.toThrow('starting');
    expect(running.isRunning()).toBe(false);
  });

  it('gives a question up that has no answer in time', async () => {
    const { running } = await ready();
    jest.useFakeTimers();
    const asked = expect(running.readings({ ...query, device: 'silent' })).rejects.toThrow(
      'no answer in time',
    );
    jest.advanceTimersByTime(30_000);
    await asked;
  });

  it('refuses more questions at once than it can remember', async () => {
    const { running } = await ready();
    const asked = Array.from({ length: 1_000 }, () =>
      running.readings({ ...query, device: 'silent' }).catch(String),
    );
    await expect(running.ping()).rejects.toThrow('too many questions');
    running.device('end', undefined);
    const answers = await Promise.all(asked);
    expect(new Set(answers).size).toBe(1);
    expect(answers[0]).toContain('stopped');
  });
});

describe('A derive worker that is lost', () => {
  it('starts again with fresh settings', async () => {
    const { running, news, starts } = await ready();
    running.device('crash', undefined);
    await until('it is told', () => news.some((one) => typeof one === 'string'));
    expect(running.isRunning()).toBe(false);
    await until('it is back', () => running.isRunning());
    expect(starts()).toBe(2);
    await expect(running.ping()).resolves.toBeUndefined();
  });

  it('is told after its last message and before its successor speaks', async () => {
    const { running, news } = await ready();
    running.device('crash', undefined);
    await until('it is back', () => news.filter((one) => isReady(one)).length === 2);
    const crash = news.findIndex((one) => typeof one === 'string');
    expect(news[crash]).toContain('told to crash');
    expect(named(news.slice(crash + 1))).toEqual([]);
    expect(named(news.slice(0, crash))).toContain('last words 49');
  });

  it('is told when it ends without an error', async () => {
    const { running, news } = await ready();
    running.device('end', undefined);
    await until('it is told', () => news.some((one) => typeof one === 'string'));
    expect(named(news).at(-1)).toBe('it ended with exit code 3');
  });

  it('does not come back after a stop', async () => {
    const { running, news, starts } = await ready();
    running.device('end', undefined);
    await until('it is told', () => news.some((one) => typeof one === 'string'));
    jest.useFakeTimers();
    await running.stop();
    jest.advanceTimersByTime(60_000);
    expect(starts()).toBe(1);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('is ended by force when it does not stop by itself', async () => {
    const { running, news } = await ready([device('deaf')]);
    jest.useFakeTimers();
    const stopped = running.stop();
    jest.advanceTimersByTime(10_000);
    await stopped;
    expect(running.isRunning()).toBe(false);
    expect(news.filter((one) => typeof one === 'string')).toEqual([]);
  });
});

function isReady(one: FromWorker | string): boolean {
  return typeof one === 'object' && one.kind === 'ready';
}
