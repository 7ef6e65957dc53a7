import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { WebSocket, WebSocketServer } from 'ws';
import {
  closeCodes,
  type LiveRow,
  liveSubprotocol,
  type SeriesEntry,
  type ServerMessage,
} from '../../../dashboard/protocol.ts';
import {
  createLiveClient,
  type LiveClient,
  type LiveState,
  retryDelay,
  type SocketHandlers,
} from '../../../dashboard/web/live-client.ts';
import { readMessage } from '../../../dashboard/web/live-message.ts';
import type { LiveReading } from '../../../dashboard/web/live-subscription.ts';

/** A gateway's end that does only what a test tells it. */
class Gateway {
  readonly heard: Record<string, unknown>[] = [];
  private readonly server: WebSocketServer;
  private socket: WebSocket | undefined;
  private waiting: (() => void)[] = [];
  connections = 0;
  epoch = 'e1';
  hb = 10_000;
  refuseWith: number | undefined;

  constructor(server: WebSocketServer) {
    this.server = server;
    server.on('connection', (socket) => this.welcome(socket));
  }

  get address(): string {
    const address = this.server.address();
    return `ws://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
  }

  private welcome(socket: WebSocket): void {
    this.connections += 1;
    this.socket = socket;
    socket.on('message', (data) => {
      const message: Record<string, unknown> = { ...JSON.parse(String(data)) };
      this.heard.push(message);
      this.wake();
    });
    if (this.refuseWith !== undefined) socket.close(this.refuseWith);
    else this.hello();
    this.wake();
  }

  private hello(): void {
    const limits = { subscriptionsMax: 4, rateMinMs: 250, messageBytesMax: 1_000 };
    this.say({ t: 'hello', v: 1, now: 1_000, epoch: this.epoch, hb: this.hb, limits });
  }

  wake(): void {
    for (const waiting of this.waiting.splice(0)) waiting();
  }

  /** Resolves when the condition holds; looked at whenever something happened. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => this.waiting.push(resolve));
  }

  say(message: ServerMessage): void {
    this.socket?.send(JSON.stringify(message));
  }

  sayText(text: string): void {
    this.socket?.send(text);
  }

  kill(): void {
    this.socket?.terminate();
  }

  close(code: number): void {
    this.socket?.close(code);
  }

  subs(): Record<string, unknown>[] {
    return this.heard.filter((message) => message['t'] === 'sub');
  }
}

const series: SeriesEntry[] = [
  [0, 'a', 'air_temperature', '', 'Cel'],
  [1, 'b', 'water_level', '', 'm'],
];

const row = (index: number, value: number): LiveRow => [index, 5, value, 1, 'mic', 6, 7];

let gateway: Gateway;
let server: WebSocketServer;
let client: LiveClient;
let states: LiveState[];
let taken: [string, (number | string)[]][];

function openSocket(handlers: SocketHandlers) {
  const socket = new WebSocket(gateway.address, liveSubprotocol);
  socket.on('open', () => handlers.opened());
  socket.on('message', (data) => handlers.heard(String(data)));
  socket.on('close', (code) => handlers.closed(code));
  socket.on('error', () => {});
  return {
    send: (text: string) => socket.send(text),
    close: () => socket.terminate(),
  };
}

const valuesOf = (readings: readonly LiveReading[]) => readings.map((reading) => reading.value);

function take(kind: string, values: (number | string)[]): void {
  taken.push([kind, values]);
  gateway.wake();
}

beforeEach(async () => {
  server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  await new Promise((resolve) => server.once('listening', resolve));
  gateway = new Gateway(server);
  states = [];
  taken = [];
  client = createLiveClient({
    connect: openSocket,
    onState(state) {
      states.push(state);
      gateway.wake();
    },
    onServerTime: () => {},
    onSources({ store }, { store: since }) {
      if (store !== undefined) take('store', [store, ...(since === undefined ? [] : [since])]);
    },
    onSlow: (rateMs) => take('slow', [rateMs]),
    now: () => Date.now(),
    random: () => 0,
    timing: { retryMinMs: 5, retryMaxMs: 20 },
  });
  client.subscribe({
    view: 'latest',
    sink: {
      snapshot: (readings) => take('snapshot', valuesOf(readings)),
      delta: (readings) => take('delta', valuesOf(readings)),
      gap: () => take('gap', []),
    },
  });
});

afterEach(async () => {
  client.stop();
  for (const socket of server.clients) socket.terminate();
  await new Promise((resolve) => server.close(resolve));
});

const lastId = () => Number(gateway.subs().at(-1)?.['id']);
const phase = () => states.at(-1)?.phase;

async function becomeLive(): Promise<void> {
  const before = gateway.subs().length;
  client.start();
  await gateway.until(() => gateway.subs().length > before);
  gateway.say({ t: 'snap', id: lastId(), seq: 10, part: 1, of: 1, series, rows: [row(0, 1)] });
  await gateway.until(() => phase() === 'live');
}

function delta(from: number, seq: number, value: number): void {
  gateway.say({ t: 'd', id: lastId(), from, seq, rows: [row(0, value)] });
}

describe('The live client', () => {
  it('is live only when all parts of the snapshot have come', async () => {
    client.start();
    await gateway.until(() => gateway.subs().length === 1);
    const id = lastId();
    gateway.say({ t: 'snap', id, seq: 10, part: 1, of: 2, series, rows: [row(0, 1)] });
    gateway.say({ t: 'hb', now: 1, seq: 10, ingestLagMs: 0, sources: {} });
    gateway.say({ t: 'slow', id, rate: 4_000 });
    await gateway.until(() => taken.length === 1);
    expect([phase(), taken]).toEqual(['connecting', [['slow', [4_000]]]]);
    gateway.say({ t: 'snap', id, seq: 10, part: 2, of: 2, series: [], rows: [row(1, 2)] });
    await gateway.until(() => phase() === 'live');
    expect(taken[1]).toEqual(['snapshot', [1, 2]]);
  });

  it('hands over whether the store is behind, with each heartbeat', async () => {
    client.start();
    await gateway.until(() => gateway.subs().length === 1);
    const beat = { t: 'hb', now: 1, seq: 10, ingestLagMs: 0 } as const;
    gateway.say({ ...beat, sources: { store: 'late' }, lateSince: { store: 7 } });
    gateway.say({ ...beat, sources: { store: 'ok' } });
    await gateway.until(() => taken.length === 2);
    expect(taken).toEqual([
      ['store', ['late', 7]],
      ['store', ['ok']],
    ]);
  });

  it('hands over deltas that join on', async () => {
    await becomeLive();
    delta(11, 14, 3);
    delta(15, 15, 4);
    await gateway.until(() => taken.length === 3);
    expect(taken.slice(1)).toEqual([
      ['delta', [3]],
      ['delta', [4]],
    ]);
  });

  it('subscribes anew, without resume, when a delta does not join on', async () => {
    await becomeLive();
    const id = lastId();
    delta(12, 14, 3);
    await gateway.until(() => gateway.subs().length === 2);
    expect(gateway.heard.at(-2)).toEqual({ t: 'unsub', id });
    expect(gateway.subs()[1]).not.toHaveProperty('resume');
    gateway.say({ t: 'd', id, from: 15, seq: 15, rows: [row(0, 9)] });
    gateway.say({ t: 'snap', id: lastId(), seq: 20, part: 1, of: 1, series, rows: [row(0, 5)] });
    await gateway.until(() => taken.length === 2);
    expect(taken[1]).toEqual(['snapshot', [5]]);
  });

  it('subscribes anew when a row belongs to no announced series', async () => {
    await becomeLive();
    gateway.say({ t: 'd', id: lastId(), from: 11, seq: 11, rows: [row(7, 1)] });
    await gateway.until(() => gateway.subs().length === 2);
    expect(taken).toHaveLength(1);
  });

  it('says that it is down and resumes where it was', async () => {
    await becomeLive();
    delta(11, 12, 3);
    await gateway.until(() => taken.length === 2);
    gateway.kill();
    await gateway.until(() => phase() === 'down');
    expect(states.at(-1)).toHaveProperty('lastHeard');
    await gateway.until(() => gateway.subs().length === 2);
    expect(gateway.subs()[1]).toMatchObject({ resume: { epoch: 'e1', seq: 12 } });
    expect(phase()).toBe('down');
    gateway.say({ t: 'resume', id: lastId(), ok: true });
    gateway.say({ t: 'd', id: lastId(), from: 13, seq: 13, series, rows: [row(0, 4)] });
    await gateway.until(() => taken.length === 3);
    expect([phase(), taken[2]]).toEqual(['live', ['delta', [4]]]);
  });

  it('starts from a snapshot when the gateway cannot resume or has restarted', async () => {
    await becomeLive();
    gateway.kill();
    await gateway.until(() => gateway.subs().length === 2);
    gateway.say({ t: 'resume', id: lastId(), ok: false, why: 'expired' });
    gateway.say({ t: 'snap', id: lastId(), seq: 90, part: 1, of: 1, series, rows: [row(0, 8)] });
    await gateway.until(() => phase() === 'live');
    expect(taken.at(-1)).toEqual(['snapshot', [8]]);
    gateway.epoch = 'e2';
    gateway.kill();
    await gateway.until(() => gateway.subs().length === 3);
    expect(gateway.subs()[2]).not.toHaveProperty('resume');
  });

  it('gives up a connection that is silent for 2.5 heartbeats', async () => {
    gateway.hb = 40;
    await becomeLive();
    await gateway.until(() => phase() === 'down');
    await gateway.until(() => gateway.connections === 2);
  });

  it('reconnects after a frame that is not the protocol, and passes over unknown ones', async () => {
    await becomeLive();
    gateway.sayText('{"t":"weather"}');
    delta(11, 11, 3);
    await gateway.until(() => taken.length === 2);
    gateway.sayText('not json');
    await gateway.until(() => gateway.connections === 2);
  });

  it.each([closeCodes.badMessage, closeCodes.auth, closeCodes.forbidden, closeCodes.version])(
    'does not try again after close code %d',
    async (code) => {
      await becomeLive();
      gateway.close(code);
      await gateway.until(() => phase() === 'refused');
      expect(states.at(-1)).toMatchObject({ code });
      client.wake();
      await new Promise((resolve) => setTimeout(resolve, 60));
      expect(gateway.connections).toBe(1);
    },
  );

  it.each([closeCodes.slow, closeCodes.tooMany, closeCodes.draining, 1001])(
    'tries again after close code %d',
    async (code) => {
      await becomeLive();
      gateway.close(code);
      await gateway.until(() => gateway.connections === 2);
    },
  );

  it('hands nothing over while paused and jumps to the present afterwards', async () => {
    await becomeLive();
    client.pause();
    await gateway.until(() => gateway.heard.at(-1)?.['t'] === 'pause');
    delta(11, 11, 3);
    await gateway.until(() => gateway.heard.at(-1)?.['t'] === 'unsub');
    expect(taken).toHaveLength(1);
    client.go();
    await gateway.until(() => gateway.subs().length === 2);
    gateway.say({ t: 'snap', id: lastId(), seq: 30, part: 1, of: 1, series, rows: [row(0, 6)] });
    await gateway.until(() => taken.length === 2);
    expect(taken[1]).toEqual(['snapshot', [6]]);
  });

  it('goes on without a new snapshot when the gateway held still during the pause', async () => {
    await becomeLive();
    client.pause();
    client.go();
    await gateway.until(() => gateway.heard.at(-1)?.['t'] === 'go');
    delta(11, 20, 3);
    await gateway.until(() => taken.length === 2);
    expect([gateway.subs().length, taken[1]]).toEqual([1, ['delta', [3]]]);
  });

  it('tells the sink of a gap', async () => {
    await becomeLive();
    gateway.say({ t: 'gap', id: lastId(), from: 11, to: 20 });
    await gateway.until(() => taken.length === 2);
    expect(taken[1]).toEqual(['gap', []]);
  });

  it('ends a subscription that nobody reads any more', async () => {
    await becomeLive();
    const sink = { snapshot: () => {}, delta: () => {}, gap: () => {} };
    const end = client.subscribe({ view: 'series', filter: { device: 'a' }, rateMs: 500, sink });
    await gateway.until(() => gateway.subs().length === 2);
    expect(gateway.subs()[1]).toMatchObject({
      view: 'series',
      filter: { device: 'a' },
      rate: 500,
    });
    const id = lastId();
    end();
    await gateway.until(() => gateway.heard.at(-1)?.['t'] === 'unsub');
    expect(gateway.heard.at(-1)).toEqual({ t: 'unsub', id });
  });
});

describe('The wait before another attempt', () => {
  const timing = { retryMinMs: 1_000, retryMaxMs: 60_000, helloWithinMs: 1 };

  it('lies between one second and a bound that doubles up to a minute', () => {
    for (let attempt = 0; attempt < 40; attempt += 1) {
      const bound = Math.min(60_000, 2_000 * 2 ** attempt);
      expect(retryDelay(attempt, 0, timing)).toBe(1_000);
      expect(retryDelay(attempt, 0.999_999, timing)).toBeGreaterThan(bound * 0.99);
      expect(retryDelay(attempt, 0.999_999, timing)).toBeLessThan(bound);
    }
  });
});

describe('Reading a message', () => {
  it.each([
    ['no JSON', '{'],
    ['a list', '[]'],
    ['no type', '{"now":1}'],
    ['a hello without a heartbeat', '{"t":"hello","now":1,"epoch":"e"}'],
    ['a row too short', '{"t":"d","id":1,"from":1,"seq":1,"rows":[[0,1]]}'],
    [
      'a row with a list for a value',
      '{"t":"d","id":1,"from":1,"seq":1,"rows":[[0,1,[],1,"mic",1,1]]}',
    ],
    [
      'a series without words',
      '{"t":"snap","id":1,"seq":1,"part":1,"of":1,"series":[[0]],"rows":[]}',
    ],
  ])('refuses %s', (_, text) => {
    expect(readMessage(text)).toEqual({ kind: 'bad' });
  });

  it('knows what a later version may add from what is broken', () => {
    expect(readMessage('{"t":"toString"}')).toEqual({ kind: 'unknown' });
    expect(readMessage('{"t":"hb","now":1,"seq":2}')).toMatchObject({ kind: 'message' });
  });
});
