/**
 * One connection of a load. It never gives a message up: what was not acknowledged when the
 * connection ended goes first on the next one, as firmware does, and its wait goes on counting.
 */
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import {
  connectPacket,
  disconnectPacket,
  type Login,
  pingPacket,
  readAnswers,
} from './mqtt-packets.ts';

/** Messages of one connection that wait for their PUBACK; the others wait for room. */
export const inFlightMax = 64;
const reconnectMs = 500;
const connackTimeoutMs = 30_000;
/** A broker that does not close its half is not waited for any longer. */
const closeGraceMs = 1_000;

export interface Door {
  readonly host: string;
  readonly port: number;
  readonly isTls: boolean;
}

export interface ConnectionParts {
  readonly door: Door;
  readonly login: Login;
  readonly packetOf: (number: number, packetId: number) => Buffer;
  readonly onWritten: (number: number) => void;
  readonly onAcknowledged: (number: number) => void;
  /** The connection ended although nobody wished it; these are sent again. */
  readonly onLost: (unacknowledged: number) => void;
}

export interface LoadConnection {
  /** Resolves when the broker has let it in; rejects, with the reason, when it has not. */
  open(): Promise<void>;
  isOpen(): boolean;
  add(number: number): void;
  /** Sends what may be sent now. */
  flush(): void;
  /** Messages that wait for room or for a connection. */
  waiting(): number;
  ping(): void;
  close(): void;
}

/** Reasons of CONNACK [MQTT-3.2.2-6]. */
const refusals = [
  '',
  'it does not speak MQTT 3.1.1',
  'it refuses the client id',
  'it is not ready',
  'user name or password are wrong',
  'the account may not come in',
];

export function createLoadConnection(parts: ConnectionParts): LoadConnection {
  const { door, login, packetOf, onWritten, onAcknowledged, onLost } = parts;
  const inFlight = new Map<number, number>();
  let queue: number[] = [];
  /** Place of the next one in the queue, which is cut when all of it is gone. */
  let head = 0;
  let socket: Socket | undefined;
  let isReady = false;
  let isClosed = false;
  let packetId = 0;
  let timer: NodeJS.Timeout | undefined;

  function attach(next: Socket, settle: (error?: Error) => void): void {
    let held: Buffer = Buffer.alloc(0);
    next.once(door.isTls ? 'secureConnect' : 'connect', () => next.write(connectPacket(login)));
    next.setTimeout(connackTimeoutMs, () => next.destroy(new Error('it gives no answer')));
    next.on('data', (bytes) => {
      try {
        const { answers, rest } = readAnswers(
          held.length === 0 ? bytes : Buffer.concat([held, bytes]),
        );
        held = rest;
        for (const answer of answers) {
          if (answer.kind === 'puback') take(answer.packetId);
          if (answer.kind === 'connack') greet(next, answer.code, settle);
        }
        flush();
      } catch (error) {
        next.destroy(error instanceof Error ? error : undefined);
      }
    });
    next.on('drain', flush);
    next.on('error', settle);
    next.on('close', () => {
      settle(new Error('it closed the connection'));
      leave(next);
    });
  }

  function greet(next: Socket, code: number, settle: (error?: Error) => void): void {
    if (code !== 0) {
      settle(new Error(refusals[code] ?? `it refuses with code ${code}`));
      next.destroy();
      return;
    }
    next.setTimeout(0);
    isReady = true;
    settle();
  }

  function take(id: number): void {
    const number = inFlight.get(id);
    if (number === undefined) throw new RangeError('a PUBACK that nobody awaits');
    inFlight.delete(id);
    onAcknowledged(number);
  }

  /** In the order of their first sending [MQTT-4.6.0-1]. */
  function leave(from: Socket): void {
    if (from !== socket) return;
    const wasReady = isReady;
    isReady = false;
    socket = undefined;
    queue = [...inFlight.values(), ...queue.slice(head)];
    head = 0;
    const again = inFlight.size;
    inFlight.clear();
    if (isClosed) return;
    if (wasReady) onLost(again);
    if (wasReady || timer !== undefined) {
      timer = setTimeout(() => void open().catch(() => undefined), reconnectMs);
    }
  }

  function open(): Promise<void> {
    if (isClosed) return Promise.resolve();
    const { host, port, isTls } = door;
    const next = isTls
      ? connectTls({ host, port, servername: host })
      : connect({ host, port, noDelay: true });
    socket = next;
    return new Promise((resolve, reject) => {
      attach(next, (error) => (error === undefined ? resolve() : reject(error)));
    });
  }

  function flush(): void {
    if (!isReady || socket === undefined || socket.writableNeedDrain) return;
    const packets: Buffer[] = [];
    while (head < queue.length && inFlight.size < inFlightMax) {
      const number = queue[head] ?? 0;
      head += 1;
      packetId = (packetId % 65_535) + 1;
      inFlight.set(packetId, number);
      packets.push(packetOf(number, packetId));
      onWritten(number);
    }
    if (head >= queue.length && head > 0) {
      queue = [];
      head = 0;
    }
    if (packets.length > 0)
      socket.write(packets.length === 1 ? (packets[0] ?? '') : Buffer.concat(packets));
  }

  return {
    open,
    isOpen: () => isReady,
    add: (number) => queue.push(number),
    flush,
    waiting: () => queue.length - head,
    ping: () => isReady && socket?.write(pingPacket),
    close() {
      isClosed = true;
      clearTimeout(timer);
      const last = socket;
      if (!isReady) last?.destroy();
      else
        last?.end(disconnectPacket, () => setTimeout(() => last.destroy(), closeGraceMs).unref());
    },
  };
}
