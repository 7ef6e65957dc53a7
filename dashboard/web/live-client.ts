/**
 * The page's end of the live stream. It never shows itself live while it is not: a connection that
 * is silent for 2.5 heartbeats counts as lost, a hole in the sequence leads to a new snapshot, and
 * after a loss it takes up where it was (epoch and sequence) or starts from a snapshot.
 *
 *   connecting ─▶ live ─▶ down ─(jittered wait)─▶ connecting …
 *        └──────────┴────▶ refused            close codes that forbid another attempt
 */
import { closeCodes, type SeriesEntry, type ServerMessage } from '../protocol.ts';
import { readMessage, writeMessage } from './live-message.ts';
import {
  createSubscription,
  type Subscription,
  type SubscriptionMessage,
  type SubscriptionOptions,
} from './live-subscription.ts';

export type LiveState =
  | { phase: 'connecting' }
  | { phase: 'live' }
  /** `lastHeard`: by the local clock, epoch milliseconds; absent when nothing was ever heard. */
  | { phase: 'down'; lastHeard?: number }
  /** The gateway wants no further attempt; `code` is its close code. */
  | { phase: 'refused'; code: number; lastHeard?: number };

export interface SocketHandlers {
  opened(): void;
  heard(text: string): void;
  closed(code: number): void;
}

/** A WebSocket in the browser and in the tests alike; `close` must lead to `closed`. */
interface LiveSocket {
  send(text: string): void;
  close(): void;
}

/** By name, epoch milliseconds. */
type SourceTimes = Readonly<Record<string, number>>;

interface LiveClientOptions {
  connect(handlers: SocketHandlers): LiveSocket;
  onState(state: LiveState): void;
  /** The server's clock, epoch milliseconds, at each message that bears it. */
  onServerTime(now: number): void;
  /** After signing in and with each heartbeat: whether, or since when not, a source is up to date. */
  onSources(sources: Readonly<Record<string, string>>, lateSince: SourceTimes): void;
  /** The gateway lowered the rate for a slow reader; milliseconds between deltas. */
  onSlow(rateMs: number): void;
  now(): number;
  /** In [0, 1). */
  random(): number;
  timing?: Partial<LiveTiming>;
}

interface LiveTiming {
  retryMinMs: number;
  retryMaxMs: number;
  /** From the attempt to the gateway's hello. */
  helloWithinMs: number;
}

export interface LiveClient {
  start(): void;
  /** Returns what ends the subscription. */
  subscribe(options: SubscriptionOptions): () => void;
  /** Nothing is handed over until `go`, which jumps to the present. */
  pause(): void;
  go(): void;
  /** The machine woke or the network came back: looks at once whether the stream still flows. */
  wake(): void;
  stop(): void;
}

const timingDefault: LiveTiming = { retryMinMs: 1_000, retryMaxMs: 60_000, helloWithinMs: 10_000 };
const heartbeatsMissedMax = 2.5;
/** The doubling of the wait ends here; `retryMaxMs` is reached long before. */
const attemptsCountedMax = 16;

/** Holes mended on one connection; a stream with more is given up and tried again later. */
const renewalsMax = 20;

const finalCodes: ReadonlySet<number> = new Set([
  closeCodes.badMessage,
  closeCodes.auth,
  closeCodes.forbidden,
  closeCodes.version,
]);

/** Full jitter: anywhere between the least wait and a bound that doubles with each attempt. */
export function retryDelay(attempt: number, random: number, timing: LiveTiming): number {
  const doubled = timing.retryMinMs * 2 ** Math.min(attempt + 1, attemptsCountedMax);
  const bound = Math.min(timing.retryMaxMs, doubled);
  return timing.retryMinMs + random * (bound - timing.retryMinMs);
}

interface Connection {
  readonly socket: LiveSocket;
  readonly series: Map<number, SeriesEntry>;
  /** By their number on this connection. */
  readonly requested: Map<number, Subscription>;
  hello: { epoch: string; hb: number } | undefined;
  renewals: number;
}

export function createLiveClient(options: LiveClientOptions): LiveClient {
  const timing = { ...timingDefault, ...options.timing };
  const subscriptions = new Set<Subscription>();
  let connection: Connection | undefined;
  let retryTimer: ReturnType<typeof setTimeout> | undefined;
  let deadlineTimer: ReturnType<typeof setTimeout> | undefined;
  let attempt = 0;
  let nextId = 1;
  let lastHeard: number | undefined;
  let isPaused = false;
  let isStopped = true;
  let phase: LiveState['phase'] = 'connecting';

  function report(state: LiveState): void {
    phase = state.phase;
    options.onState(state);
  }

  const heardField = () => (lastHeard === undefined ? {} : { lastHeard });

  function connect(): void {
    clearTimeout(retryTimer);
    retryTimer = undefined;
    const handlers: SocketHandlers = {
      opened: () => {},
      heard: (text) => connection === opened && hear(opened, text),
      closed: (code) => connection === opened && lose(code),
    };
    const opened: Connection = {
      socket: options.connect(handlers),
      series: new Map(),
      requested: new Map(),
      hello: undefined,
      renewals: 0,
    };
    connection = opened;
    expectWithin(timing.helloWithinMs);
  }

  function expectWithin(durationMs: number): void {
    clearTimeout(deadlineTimer);
    deadlineTimer = setTimeout(drop, durationMs);
  }

  /** Gives a connection up without waiting for its close, which a dead network never brings. */
  function drop(): void {
    const dead = connection;
    lose(0);
    dead?.socket.close();
  }

  function lose(code: number): void {
    clearTimeout(deadlineTimer);
    connection = undefined;
    if (isStopped) return;
    if (finalCodes.has(code)) {
      report({ phase: 'refused', code, ...heardField() });
      return;
    }
    report({ phase: 'down', ...heardField() });
    retryTimer = setTimeout(connect, retryDelay(attempt, options.random(), timing));
    attempt += 1;
  }

  function request(on: Connection, subscription: Subscription): void {
    on.requested.delete(subscription.id);
    const id = nextId;
    nextId += 1;
    on.requested.set(id, subscription);
    on.socket.send(writeMessage(subscription.request(id, on.hello?.epoch)));
  }

  function renew(on: Connection, subscription: Subscription): void {
    on.renewals += 1;
    subscription.forget();
    if (on.renewals > renewalsMax) {
      drop();
      return;
    }
    on.socket.send(writeMessage({ t: 'unsub', id: subscription.id }));
    request(on, subscription);
  }

  function hear(on: Connection, text: string): void {
    const read = readMessage(text);
    if (read.kind === 'bad') {
      drop();
      return;
    }
    lastHeard = options.now();
    expectWithin(on.hello === undefined ? timing.helloWithinMs : patienceMs(on.hello));
    if (read.kind === 'message') act(on, read.message);
  }

  const patienceMs = (hello: { hb: number }) => heartbeatsMissedMax * hello.hb;

  function act(on: Connection, message: ServerMessage): void {
    switch (message.t) {
      case 'hello':
        options.onServerTime(message.now);
        on.hello = { epoch: message.epoch, hb: message.hb };
        expectWithin(patienceMs(message));
        if (isPaused) on.socket.send(writeMessage({ t: 'pause' }));
        else for (const subscription of subscriptions) request(on, subscription);
        return;
      case 'hb':
        options.onServerTime(message.now);
        options.onSources(message.sources ?? {}, message.lateSince ?? {});
        return;
      case 'snap':
      case 'd':
        for (const entry of message.series ?? []) on.series.set(entry[0], entry);
        takeReadings(on, message);
        return;
      case 'resume':
        if (message.ok) on.requested.get(message.id)?.resumed();
        else on.requested.get(message.id)?.forget();
        if (message.ok) becomeLive();
        return;
      case 'gap':
        on.requested.get(message.id)?.gap();
        return;
      case 'slow':
        options.onSlow(message.rate);
        return;
      case 'err':
        if (message.code === 'auth' && connection === on) {
          lose(closeCodes.auth);
          on.socket.close();
        }
    }
  }

  function takeReadings(on: Connection, message: SubscriptionMessage): void {
    const subscription = on.requested.get(message.id);
    if (subscription === undefined) return;
    if (isPaused) {
      // What is passed over now is made good by a snapshot when the reader goes on.
      on.requested.delete(message.id);
      subscription.forget();
      on.socket.send(writeMessage({ t: 'unsub', id: message.id }));
      return;
    }
    const taken = subscription.take(message, on.series);
    if (taken === 'hole') renew(on, subscription);
    if (taken === 'data') becomeLive();
  }

  function becomeLive(): void {
    attempt = 0;
    if (phase !== 'live') report({ phase: 'live' });
  }

  return {
    start() {
      isStopped = false;
      attempt = 0;
      report({ phase: 'connecting' });
      connect();
    },
    subscribe(wanted) {
      const subscription = createSubscription(wanted);
      subscriptions.add(subscription);
      if (connection?.hello !== undefined && !isPaused) request(connection, subscription);
      return () => {
        subscriptions.delete(subscription);
        if (connection?.requested.delete(subscription.id)) {
          connection.socket.send(writeMessage({ t: 'unsub', id: subscription.id }));
        }
      };
    },
    pause() {
      isPaused = true;
      if (connection?.hello !== undefined) connection.socket.send(writeMessage({ t: 'pause' }));
    },
    go() {
      isPaused = false;
      if (connection?.hello === undefined) return;
      connection.socket.send(writeMessage({ t: 'go' }));
      const known = new Set(connection.requested.values());
      for (const subscription of subscriptions) {
        if (!known.has(subscription)) request(connection, subscription);
      }
    },
    wake() {
      if (isStopped || phase === 'refused') return;
      if (connection === undefined) {
        connect();
        return;
      }
      const beat = connection.hello?.hb ?? timing.helloWithinMs;
      if (options.now() - (lastHeard ?? 0) <= beat * 1.2) return;
      attempt = 0;
      const dead = connection;
      connection = undefined;
      connect();
      dead.socket.close();
    },
    stop() {
      isStopped = true;
      clearTimeout(retryTimer);
      clearTimeout(deadlineTimer);
      const open = connection;
      connection = undefined;
      open?.socket.close();
    },
  };
}
