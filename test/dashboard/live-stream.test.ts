import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type RawData, WebSocket } from 'ws';
import { liveSubprotocol, type ServerMessage } from '../../dashboard/protocol.ts';
import { until } from '../setup/gateway-process.ts';
import { readingOf } from '../stores/sample.ts';
import { type RunningDashboard, startDashboard, storeLateSince } from './running-dashboard.ts';

let dashboard: RunningDashboard;
const sockets: WebSocket[] = [];

beforeEach(async () => {
  dashboard = await startDashboard();
  await dashboard.publish([reading(1), reading(2, 'b')]);
});

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.terminate();
  await dashboard.stop();
});

function reading(value: number, device = 'a') {
  return readingOf({ device, value, time: Date.now() - 10_000 + value, seq: value });
}

interface Viewer {
  readonly heard: ServerMessage[];
  readonly closed: Promise<number>;
  say(message: unknown): void;
  /** The next message of this kind. */
  next<T extends ServerMessage['t']>(t: T): Promise<Extract<ServerMessage, { t: T }>>;
}

async function open(options: { token?: string | null; origin?: string } = {}): Promise<Viewer> {
  const { token = dashboard.tokens.viewer, origin } = options;
  const socket = new WebSocket(`ws://127.0.0.1:${dashboard.port}/live`, liveSubprotocol, {
    headers: token === null ? {} : { Authorization: `Bearer ${token}` },
    ...(origin === undefined ? {} : { origin }),
  });
  sockets.push(socket);
  const heard: ServerMessage[] = [];
  const taken = new Set<ServerMessage>();
  socket.on('message', (data: RawData) => heard.push(JSON.parse(data.toString())));
  const closed = once(socket, 'close').then(([code]) => Number(code));
  await once(socket, 'open');
  return {
    heard,
    closed,
    say: (message) => socket.send(typeof message === 'string' ? message : JSON.stringify(message)),
    next: (t) =>
      until(`a message ${t}`, () => {
        const found = heard.find((message) => !taken.has(message) && isOf(message, t));
        if (found === undefined || !isOf(found, t)) return undefined;
        taken.add(found);
        return found;
      }),
  };
}

function isOf<T extends ServerMessage['t']>(
  message: ServerMessage,
  t: T,
): message is Extract<ServerMessage, { t: T }> {
  return message.t === t;
}

const latest = { t: 'sub', id: 1, view: 'latest', rate: 100 };

describe('The live stream', () => {
  it('greets with its version, epoch and limits, and beats', async () => {
    const viewer = await open();
    expect(await viewer.next('hello')).toMatchObject({
      ...{ v: 1, epoch: dashboard.hub.epoch, hb: 1_000 },
      limits: { subscriptionsMax: 3, rateMinMs: 100, messageBytesMax: 16_384 },
    });
    expect(await viewer.next('hb')).toMatchObject({ seq: 2, sources: { store: 'ok' } });
  });

  it('tells with its greeting, before any reading, since when the store is late', async () => {
    dashboard.setHealth(false);
    const viewer = await open();
    viewer.say(latest);
    await viewer.next('snap');
    expect(viewer.heard.map(({ t }) => t)).toEqual(['hello', 'hb', 'snap']);
    const late = { sources: { store: 'late' }, lateSince: { store: storeLateSince } };
    expect(await viewer.next('hb')).toMatchObject(late);
    dashboard.setHealth(true);
    const next = await viewer.next('hb');
    expect(next.sources).toEqual({ store: 'ok' });
    expect(next.lateSince).toBeUndefined();
  });

  it('tells it right after a sign-in by message, and to nobody before', async () => {
    const viewer = await open({ token: null });
    viewer.say({ t: 'auth', token: dashboard.tokens.viewer });
    viewer.say(latest);
    await viewer.next('snap');
    expect(viewer.heard.map(({ t }) => t)).toEqual(['hello', 'hb', 'snap']);
  });

  it('starts with the whole picture and goes on from there', async () => {
    const viewer = await open();
    viewer.say(latest);
    const snapshot = await viewer.next('snap');
    expect(snapshot).toMatchObject({ id: 1, seq: 2, part: 1, of: 1 });
    expect(snapshot.series.map(([, device]) => device)).toEqual(['a', 'b']);
    await dashboard.publish([reading(3), reading(4), reading(5, 'new')]);
    const delta = await viewer.next('d');
    expect(delta).toMatchObject({ from: 3, seq: 5 });
    expect(delta.series?.map(([, device]) => device)).toEqual(['new']);
    expect(delta.rows.map(([, , value]) => value)).toEqual([4, 5]);
  });

  it('gives every reading of one device when it is asked for its series', async () => {
    const viewer = await open();
    viewer.say({ t: 'sub', id: 2, view: 'series', filter: { device: 'a' }, rate: 100 });
    await viewer.next('snap');
    await dashboard.publish([reading(3), reading(9, 'b'), reading(4)]);
    expect((await viewer.next('d')).rows.map(([, , value]) => value)).toEqual([3, 4]);
  });

  it('resumes where a viewer was, in this epoch alone', async () => {
    const viewer = await open();
    const resume = { epoch: dashboard.hub.epoch, seq: 1 };
    viewer.say({ ...latest, resume });
    expect(await viewer.next('resume')).toEqual({ t: 'resume', id: 1, ok: true });
    expect(await viewer.next('d')).toMatchObject({ from: 2, seq: 2 });
    viewer.say({ ...latest, resume: { epoch: 'another', seq: 1 } });
    expect(await viewer.next('resume')).toMatchObject({ ok: false, why: 'restarted' });
    await viewer.next('snap');
    viewer.say({ ...latest, resume: { ...resume, seq: 99 } });
    expect(await viewer.next('resume')).toMatchObject({ ok: false, why: 'expired' });
    await viewer.next('snap');
  });

  it('is silent while paused and catches up after', async () => {
    const viewer = await open();
    viewer.say(latest);
    await viewer.next('snap');
    viewer.say({ t: 'pause' });
    await viewer.next('hb');
    await dashboard.publish([reading(3)]);
    await viewer.next('hb');
    expect(viewer.heard.filter(({ t }) => t === 'd')).toEqual([]);
    viewer.say({ t: 'go' });
    expect(await viewer.next('d')).toMatchObject({ from: 3, seq: 3 });
  });

  it('changes pace, and ends a subscription, when told', async () => {
    const viewer = await open();
    viewer.say({ ...latest, rate: 60_000 });
    await viewer.next('snap');
    viewer.say({ t: 'rate', id: 1, ms: 100 });
    await dashboard.publish([reading(3)]);
    await viewer.next('d');
    viewer.say({ t: 'unsub', id: 1 });
    await viewer.next('hb');
    await dashboard.publish([reading(4)]);
    await viewer.next('hb');
    expect(viewer.heard.filter(({ t }) => t === 'd')).toHaveLength(1);
  });

  it('refuses more subscriptions than one viewer may have', async () => {
    const viewer = await open();
    for (const id of [1, 2, 3, 1, 4]) viewer.say({ ...latest, id });
    expect(await viewer.next('err')).toMatchObject({ id: 4, code: 'too-many' });
    expect(viewer.heard.filter(({ t }) => t === 'snap')).toHaveLength(4);
  });

  it.each([
    'not json',
    '[]',
    'null',
    '{"t":"dance"}',
    '{"t":"sub","id":-1,"view":"latest"}',
    '{"t":"sub","id":1,"view":"map"}',
    '{"t":"sub","id":1,"view":"latest","more":1}',
    '{"t":"sub","id":1,"view":"latest","filter":{"device":""}}',
    '{"t":"sub","id":1,"view":"latest","rate":"fast"}',
    '{"t":"sub","id":1,"view":"latest","resume":{"epoch":"x"}}',
    '{"t":"rate","id":1}',
    '{"t":"pause","id":1}',
  ])('closes with 4400 for %s', async (text) => {
    const viewer = await open();
    viewer.say(text);
    expect(await viewer.closed).toBe(4400);
  });

  it('closes for a message that is too large', async () => {
    const viewer = await open();
    viewer.say('x'.repeat(16_385));
    expect(await viewer.closed).toBe(1009);
  });
});

describe('Who may watch', () => {
  it('nobody without a token, who is told so', async () => {
    const viewer = await open({ token: null });
    viewer.say(latest);
    expect(await viewer.next('err')).toMatchObject({ code: 'auth' });
    viewer.say({ t: 'auth', token: 'nobody' });
    expect(await viewer.closed).toBe(4401);
    expect(viewer.heard.filter(({ t }) => t === 'snap' || t === 'hb')).toEqual([]);
  });

  it('who sends a token as the first message', async () => {
    const viewer = await open({ token: null });
    viewer.say({ t: 'auth', token: dashboard.tokens.viewer });
    viewer.say(latest);
    await viewer.next('snap');
  });

  it('no page of another site', async () => {
    const url = `ws://127.0.0.1:${dashboard.port}/live`;
    const socket = new WebSocket(url, liveSubprotocol, { origin: 'https://elsewhere.example' });
    const [error] = await once(socket, 'error');
    expect(String(error)).toContain('403');
  });

  it('no more than there is room for', async () => {
    for (let count = 0; count < 5; count += 1) await open();
    expect(await (await open()).closed).toBe(4429);
  });

  it('nobody on another path', async () => {
    const socket = new WebSocket(`ws://127.0.0.1:${dashboard.port}/elsewhere`);
    const [error] = await once(socket, 'error');
    expect(String(error)).toContain('404');
  });
});

describe('Server-sent events', () => {
  async function events(headers: Record<string, string> = {}, query = '') {
    const response = await dashboard.ask(`/api/v1/live?rate=100${query}`, { headers });
    const chunks = response.body?.getReader();
    let text = '';
    return {
      response,
      /** Waits for `count` events. */
      async take(count: number) {
        const found = () => text.split('\n\n').filter((event) => event.includes('data: '));
        while (found().length < count) {
          const chunk = await chunks?.read();
          if (chunk?.value === undefined) throw new Error('the stream ended');
          text += new TextDecoder().decode(chunk.value);
        }
        return found().map((event) => ({
          id: /^id: (.*)$/m.exec(event)?.[1],
          data: JSON.parse(/^data: (.*)$/m.exec(event)?.[1] ?? ''),
        }));
      },
      end: () => chunks?.cancel(),
    };
  }

  it('bring the picture and then the changes, each with its id', async () => {
    const stream = await events({}, '&device=a');
    expect(stream.response.headers.get('content-type')).toContain('text/event-stream');
    const [snapshot] = await stream.take(1);
    expect(snapshot?.id).toBe(`${dashboard.hub.epoch}:2`);
    expect(snapshot?.data).toMatchObject({ t: 'snap', rows: [{}] });
    await dashboard.publish([reading(3)]);
    const delta = (await stream.take(2)).at(-1);
    expect(delta).toMatchObject({ id: `${dashboard.hub.epoch}:3`, data: { t: 'd', from: 3 } });
    await stream.end();
  });

  it('go on after the last event that a browser had', async () => {
    const stream = await events({ 'Last-Event-ID': `${dashboard.hub.epoch}:1` });
    const [resume, delta] = await stream.take(2);
    expect(resume?.data).toEqual({ t: 'resume', id: 0, ok: true });
    expect(delta?.data).toMatchObject({ t: 'd', from: 2, seq: 2 });
    await stream.end();
  });

  it('start anew when the last event is of another epoch or nonsense', async () => {
    const other = `${'0'.repeat(8)}-0000-0000-0000-${'0'.repeat(12)}:1`;
    const stream = await events({ 'Last-Event-ID': other });
    const [resume, snapshot] = await stream.take(2);
    expect(resume?.data).toMatchObject({ ok: false, why: 'restarted' });
    expect(snapshot?.data).toMatchObject({ t: 'snap' });
    await stream.end();
    const odd = await events({ 'Last-Event-ID': 'x:y' });
    expect((await odd.take(1))[0]?.data).toMatchObject({ t: 'snap' });
    await odd.end();
  });
});
