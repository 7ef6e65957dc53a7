/** One Basics Station on its `/traffic` WebSocket: what it is told, and what it hands in. */
import type { WebSocket } from 'ws';
import type { ChannelPlan } from '../../model/channel-plan.ts';
import { quoteLongIntegers } from '../../model/exact-json.ts';
import { toGpsMs } from '../../model/gps-time.ts';
import type { Inbound, Sender } from '../../model/inbound.ts';
import type { TransportHooks } from '../transport-hooks.ts';
import type { OrderedDelivery } from './ordered-delivery.ts';
import { routerConfigOf } from './router-config.ts';

export interface StationSession {
  readonly eui: string;
  readonly planName: string;
  readonly plan: ChannelPlan;
  readonly pingIntervalMs: number;
  readonly sender: Sender;
  /** Outlives the session: a station that comes again goes on in the same order. */
  readonly delivery: OrderedDelivery;
  readonly hooks: TransportHooks;
}

const unsupportedData = 1003;

export function runStationSession(socket: WebSocket, session: StationSession): void {
  const { delivery } = session;
  keepAlive(socket, session.pingIntervalMs);
  delivery.onChange((isHeld) => {
    if (isHeld) socket.pause();
    else socket.resume();
  });
  if (delivery.isHeld()) socket.pause();
  socket.on('message', (data, isBinary) => {
    if (isBinary || !Buffer.isBuffer(data)) socket.close(unsupportedData, 'text only');
    else take(socket, session, data);
  });
}

function take(socket: WebSocket, session: StationSession, body: Buffer): void {
  const { hooks, delivery } = session;
  const { msgtype, txtime } = readMessage(body);
  if (msgtype === 'timesync') {
    const gpsMicroseconds = Math.round(toGpsMs(hooks.clock.now())) * 1_000;
    // What the station wrote is given back as it was written, a number of any length.
    socket.send(`{"msgtype":"timesync","txtime":${txtime},"gpstime":${gpsMicroseconds}}`);
    return;
  }
  if (msgtype === 'version') {
    socket.send(JSON.stringify(routerConfigOf(session.plan, hooks.clock.now())));
  }
  delivery.push(inboundOf(session, body));
}

interface StationMessage {
  readonly msgtype?: string;
  /** A number as JSON. */
  readonly txtime: string;
}

/** What cannot be read is handed in like the rest: the adapter says what is wrong with it. */
function readMessage(body: Buffer): StationMessage {
  try {
    const message: unknown = JSON.parse(quoteLongIntegers(body.toString('utf8')));
    if (typeof message !== 'object' || message === null) return { txtime: '0' };
    const msgtype = 'msgtype' in message ? message.msgtype : undefined;
    const txtime = numberText('txtime' in message ? message.txtime : undefined);
    return typeof msgtype === 'string' ? { msgtype, txtime } : { txtime };
  } catch {
    return { txtime: '0' };
  }
}

function numberText(value: unknown): string {
  if (typeof value === 'number' && Number.isFinite(value)) return String(value);
  return typeof value === 'string' && /^-?[1-9]\d{0,18}$/.test(value) ? value : '0';
}

function inboundOf({ eui, planName, sender, hooks }: StationSession, body: Buffer): Inbound {
  return {
    // A WebSocket is HTTP until it is upgraded.
    transport: 'http',
    route: `basic-station/${planName}/${eui}`,
    body,
    receivedAt: hooks.clock.now(),
    sender,
    dup: false,
  };
}

function keepAlive(socket: WebSocket, pingIntervalMs: number): void {
  let isAlive = true;
  socket.on('pong', () => {
    isAlive = true;
  });
  const timer = setInterval(() => {
    // A socket that is held is not read, so its pongs are not seen either.
    if (!isAlive && !socket.isPaused) return socket.terminate();
    isAlive = false;
    socket.ping();
  }, pingIntervalMs);
  timer.unref();
  socket.on('close', () => clearInterval(timer));
  socket.on('error', () => socket.terminate());
}
