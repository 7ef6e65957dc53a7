/**
 * MQTT packets as bytes and a socket that collects what comes back: for what a client library
 * hides.
 */
import { connect, type Socket } from 'node:net';

export function text(value: string): Buffer {
  const bytes = Buffer.from(value, 'utf8');
  const length = Buffer.alloc(2);
  length.writeUInt16BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

/** A packet with its remaining length in as few bytes as it takes. */
export function packet(firstByte: number, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([firstByte]), remainingLength(body.length), body]);
}

export function remainingLength(length: number): Buffer {
  const bytes: number[] = [];
  let left = length;
  do {
    const more = left >= 128 ? 0x80 : 0;
    bytes.push((left % 128) | more);
    left = Math.floor(left / 128);
  } while (left > 0);
  return Buffer.from(bytes);
}

export interface ConnectPacket {
  readonly clientId?: string;
  readonly clean?: boolean;
  readonly username?: string;
  readonly password?: string;
  readonly will?: { readonly topic: string; readonly payload: string; readonly flags?: number };
  readonly level?: number;
  readonly keepalive?: number;
}

export function connectPacket(options: ConnectPacket = {}): Buffer {
  const { clientId = 'raw', clean = true, username, password, will } = options;
  const flags =
    (clean ? 0x02 : 0) |
    (will === undefined ? 0 : (will.flags ?? 0x04)) |
    (username === undefined ? 0 : 0x80) |
    (password === undefined ? 0 : 0x40);
  const keepalive = options.keepalive ?? 60;
  const header = [options.level ?? 4, flags, keepalive >> 8, keepalive & 0xff];
  const properties = options.level === 5 ? [Buffer.from([0])] : [];
  return packet(
    0x10,
    text('MQTT'),
    Buffer.from(header),
    ...properties,
    text(clientId),
    ...(will === undefined ? [] : [text(will.topic), text(will.payload)]),
    ...(username === undefined ? [] : [text(username)]),
    ...(password === undefined ? [] : [text(password)]),
  );
}

export interface PublishPacket {
  readonly topic: string | Buffer;
  readonly payload?: string | Buffer;
  readonly qos?: 0 | 1 | 2;
  readonly dup?: boolean;
  readonly retain?: boolean;
  readonly id?: number;
}

export function publishPacket(options: PublishPacket): Buffer {
  const { topic, payload = '', qos = 1, dup = false, retain = false, id = 1 } = options;
  const firstByte = 0x30 | (dup ? 0x08 : 0) | (qos << 1) | (retain ? 0x01 : 0);
  const name = typeof topic === 'string' ? text(topic) : topic;
  const identifier = qos === 0 ? [] : [Buffer.from([id >> 8, id & 0xff])];
  return packet(firstByte, name, ...identifier, Buffer.from(payload));
}

export function subscribePacket(filters: readonly string[], qos = 1, id = 7): Buffer {
  const list = filters.flatMap((filter) => [text(filter), Buffer.from([qos])]);
  return packet(0x82, Buffer.from([id >> 8, id & 0xff]), ...list);
}

export const pingreq = Buffer.from([0xc0, 0]);
export const disconnectPacket = Buffer.from([0xe0, 0]);

export function connack(returnCode: number, sessionPresent = 0): string {
  return Buffer.from([0x20, 2, sessionPresent, returnCode]).toString('hex');
}

export function puback(id: number): string {
  return Buffer.from([0x40, 2, id >> 8, id & 0xff]).toString('hex');
}

export interface RawClient {
  readonly socket: Socket;
  send(...packets: readonly Buffer[]): void;
  /** All that came so far, in hex. */
  received(): string;
  /** Resolves once this many bytes have come in all; rejects when the connection ends before. */
  bytes(count: number): Promise<string>;
  /** Resolves with all that came when the other side has ended the connection. */
  closed(): Promise<string>;
}

export async function openRaw(port: number): Promise<RawClient> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  await new Promise((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', reject);
  });
  return collect(socket);
}

export function collect(socket: Socket): RawClient {
  let all = Buffer.alloc(0);
  let isClosed = false;
  const waiting = new Set<() => void>();
  const wake = () => {
    for (const check of waiting) check();
  };
  socket.on('data', (chunk: Buffer) => {
    all = Buffer.concat([all, chunk]);
    wake();
  });
  socket.on('error', () => undefined);
  socket.on('close', () => {
    isClosed = true;
    wake();
  });
  const until = (isDone: () => boolean, failure: () => boolean) =>
    new Promise<string>((resolve, reject) => {
      const check = () => {
        if (!isDone() && !failure()) return;
        waiting.delete(check);
        if (isDone()) resolve(all.toString('hex'));
        else reject(new Error(`connection ended after ${all.toString('hex')}`));
      };
      waiting.add(check);
      check();
    });
  return {
    socket,
    send: (...packets) => {
      socket.write(Buffer.concat(packets));
    },
    received: () => all.toString('hex'),
    bytes: (count) =>
      until(
        () => all.length >= count,
        () => isClosed,
      ),
    closed: () =>
      until(
        () => isClosed,
        () => false,
      ),
  };
}

/** Connects and waits for the CONNACK. */
export async function connectRaw(port: number, options: ConnectPacket = {}): Promise<RawClient> {
  const client = await openRaw(port);
  client.send(connectPacket(options));
  await client.bytes(4);
  return client;
}
