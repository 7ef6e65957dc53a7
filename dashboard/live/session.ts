/** One viewer of the live stream: who it is, what it asked for, and how far it has been told. */
import { type RawData, WebSocket } from 'ws';
import type { Hub } from '../../gateway/live/hub.ts';
import type { Clock } from '../../gateway/model/clock.ts';
import type { Access } from '../access.ts';
import { type ClientMessage, closeCodes, type ServerMessage } from '../protocol.ts';
import { parseClientMessage } from './messages.ts';
import { createSubscription, type LiveSubscription } from './subscription.ts';

export interface LiveSessionParts {
  readonly hub: Hub;
  readonly access: Pick<Access, 'byToken'>;
  readonly clock: Clock;
  readonly onSkipped: (count: number) => void;
  /** Since when each source of the picture is late, epoch milliseconds; undefined up to date. */
  readonly lateSince: () => Readonly<Record<string, number | undefined>>;
  readonly limits: {
    readonly heartbeatMs: number;
    readonly subscriptionsMax: number;
    readonly messageBytesMax: number;
  };
}

export interface LiveSession {
  heartbeat(): void;
  close(code: number, reason: string): void;
}

const authTimeoutMs = 5_000;
const rateMinMs = 100;
const rateMaxMs = 60_000;
const rateDefaultMs = 1_000;
/** A viewer with this much unread is left out of a round; what it missed is caught up later. */
const unreadSkipBytes = 262_144;
const unreadCloseBytes = 8_388_608;

export function createLiveSession(
  socket: WebSocket,
  parts: LiveSessionParts,
  isSignedIn: boolean,
): LiveSession {
  const { hub, clock, limits } = parts;
  const subscriptions = new Map<number, LiveSubscription>();
  let mayRead = isSignedIn;
  let isPaused = false;
  let isAlive = true;

  function send(message: ServerMessage): void {
    if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message));
  }

  /** False while the viewer does not want to be told, or cannot take more. */
  function isReady(): boolean {
    if (isPaused) return false;
    if (socket.bufferedAmount > unreadCloseBytes) socket.close(closeCodes.slow, 'too slow');
    if (socket.bufferedAmount <= unreadSkipBytes) return true;
    parts.onSkipped(1);
    return false;
  }

  function subscribe({ id, view, filter, rate, resume }: SubMessage): void {
    subscriptions.get(id)?.close();
    subscriptions.delete(id);
    if (socket.bufferedAmount > unreadCloseBytes) {
      socket.close(closeCodes.slow, 'too slow');
      return;
    }
    if (subscriptions.size >= limits.subscriptionsMax) {
      send({ t: 'err', id, code: 'too-many', detail: `at most ${limits.subscriptionsMax}` });
      return;
    }
    const subscription = createSubscription({
      id,
      hub,
      send,
      isReady,
      selection: { view, ...filter },
    });
    subscriptions.set(id, subscription);
    subscription.listen(clampRate(rate));
    subscription.start(resume);
  }

  function authenticate(token: string): void {
    if (mayRead) return;
    mayRead = parts.access.byToken(token) !== undefined;
    if (mayRead) tellState();
    else socket.close(closeCodes.auth, 'no such token');
  }

  function tellState(): void {
    const late: Record<string, number> = {};
    const sources: Record<string, 'ok' | 'late'> = {};
    for (const [name, since] of Object.entries(parts.lateSince())) {
      sources[name] = since === undefined ? 'ok' : 'late';
      if (since !== undefined) late[name] = since;
    }
    send({
      t: 'hb',
      now: clock.now(),
      seq: hub.seq(),
      ingestLagMs: hub.lagMs(),
      sources,
      ...(Object.keys(late).length > 0 && { lateSince: late }),
    });
  }

  function act(message: ClientMessage): void {
    switch (message.t) {
      case 'auth':
        authenticate(message.token);
        break;
      case 'sub':
        subscribe(message);
        break;
      case 'unsub':
        subscriptions.get(message.id)?.close();
        subscriptions.delete(message.id);
        break;
      case 'rate':
        subscriptions.get(message.id)?.listen(clampRate(message.ms));
        break;
      case 'pause':
        isPaused = true;
        break;
      case 'go':
        isPaused = false;
        for (const subscription of subscriptions.values()) subscription.catchUp();
    }
  }

  function onMessage(data: RawData): void {
    const message = parseClientMessage(data.toString());
    if (message === undefined)
      socket.close(closeCodes.badMessage, 'not a message of this protocol');
    else if (mayRead || message.t === 'auth') act(message);
    else send({ t: 'err', code: 'auth', detail: 'sign in first' });
  }

  const authTimer = setTimeout(() => {
    if (!mayRead) socket.close(closeCodes.auth, 'no sign-in');
  }, authTimeoutMs);
  socket.on('message', onMessage);
  socket.on('pong', () => {
    isAlive = true;
  });
  socket.on('error', () => socket.terminate());
  socket.once('close', () => {
    clearTimeout(authTimer);
    for (const subscription of subscriptions.values()) subscription.close();
  });
  const { heartbeatMs, subscriptionsMax, messageBytesMax } = limits;
  send({
    t: 'hello',
    v: 1,
    now: clock.now(),
    epoch: hub.epoch,
    hb: heartbeatMs,
    limits: { subscriptionsMax, rateMinMs, messageBytesMax },
  });
  // At once, so that nothing looks current until the first heartbeat that is not.
  if (mayRead) tellState();
  return {
    heartbeat() {
      if (!isAlive) {
        socket.terminate();
        return;
      }
      isAlive = false;
      socket.ping();
      if (mayRead) tellState();
    },
    close: (code, reason) => socket.close(code, reason),
  };
}

type SubMessage = Extract<ClientMessage, { t: 'sub' }>;

function clampRate(rate = rateDefaultMs): number {
  return Math.min(rateMaxMs, Math.max(rateMinMs, Math.round(rate)));
}
