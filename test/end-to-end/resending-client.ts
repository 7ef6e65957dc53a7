/**
 * An MQTT client that never gives up a message: what was not acknowledged when the connection ended
 * is sent again on the next one, as firmware does, with DUP or as if it were new. At QoS 2 it keeps
 * the state that the protocol asks of a sender [MQTT-4.3.3-1].
 */
import { setTimeout as sleep } from 'node:timers/promises';
import {
  connectPacket,
  openRaw,
  packet,
  publishPacket,
  type RawClient,
} from '../transports/mqtt/wire.ts';
import type { Account } from './accounts.ts';

export interface Message {
  readonly id: number;
  readonly topic: string;
  readonly payload: Buffer;
  readonly qos: 1 | 2;
}

export interface ResendingClientOptions {
  readonly port: () => number;
  readonly account: Account;
  readonly clientId: string;
  /**
   * With it, the session lasts, and a resent message has the DUP flag and its packet identifier;
   * else all of them are new.
   */
  readonly marksDup: boolean;
  /** The next message to send. */
  readonly next: () => Message;
  /** Between two messages. */
  readonly everyMs: number;
}

export interface ResendingClient {
  /** Ids of the messages that have their PUBACK or PUBREC. */
  readonly acknowledged: ReadonlySet<number>;
  /** Times that a message was sent again. */
  resent(): number;
  /** Sends nothing new; resolves when everything is acknowledged. */
  finish(): Promise<void>;
}

interface Waiting {
  readonly message: Message;
  readonly packetId: number;
  /** QoS 2 after PUBREC: only PUBREL may be sent from here on. */
  isReceived: boolean;
}

const puback = 0x40;
const pubrec = 0x50;
const pubcomp = 0x70;

const inFlightMax = 200;
const reconnectMs = 20;

export function startResendingClient(options: ResendingClientOptions): ResendingClient {
  const acknowledged = new Set<number>();
  const waiting = new Map<number, Waiting>();
  let lastPacketId = 0;
  let resent = 0;
  let isFinishing = false;

  function send(client: RawClient, message: Message, { packetId = 0, dup = false } = {}): void {
    let id = packetId;
    if (id === 0) {
      lastPacketId = (lastPacketId % 65_535) + 1;
      id = lastPacketId;
    }
    waiting.set(id, { message, packetId: id, isReceived: false });
    client.send(publishPacket({ ...message, id, dup }));
  }

  /** In the order of their first sending [MQTT-4.6.0-1]. */
  function resend(client: RawClient): void {
    const before = [...waiting.values()];
    waiting.clear();
    for (const known of before) {
      const { message, packetId, isReceived } = known;
      if (!isReceived) {
        resent += 1;
        send(client, message, options.marksDup ? { packetId, dup: true } : {});
      } else if (options.marksDup) {
        waiting.set(packetId, known);
        client.send(pubrel(packetId));
      }
    }
  }

  /** Takes the answers after the CONNACK; returns how many bytes it has read. */
  function hear(client: RawClient, from: number): number {
    const bytes = Buffer.from(client.received().slice(2 * from), 'hex');
    let at = 0;
    for (; at + 4 <= bytes.length; at += 4) {
      take(client, bytes[at] ?? 0, bytes.readUInt16BE(at + 2));
    }
    return from + at;
  }

  function take(client: RawClient, kind: number, packetId: number): void {
    const known = waiting.get(packetId);
    const { qos } = known?.message ?? {};
    const isAwaited =
      (kind === puback && qos === 1) ||
      (kind === pubrec && qos === 2) ||
      (kind === pubcomp && known?.isReceived === true);
    if (known === undefined || !isAwaited) throw new Error('an answer that nobody awaits');
    acknowledged.add(known.message.id);
    if (kind === pubrec) {
      known.isReceived = true;
      client.send(pubrel(packetId));
    } else {
      waiting.delete(packetId);
    }
  }

  async function connection(): Promise<void> {
    const client = await openRaw(options.port());
    const { account, clientId } = options;
    client.send(connectPacket({ ...account, clientId, clean: !options.marksDup }));
    await client.bytes(4);
    let isOpen = true;
    client.socket.once('close', () => {
      isOpen = false;
    });
    let read = 4;
    client.socket.on('data', () => {
      read = hear(client, read);
    });
    resend(client);
    while (isOpen && !(isFinishing && waiting.size === 0)) {
      if (!isFinishing && waiting.size < inFlightMax) send(client, options.next());
      await sleep(options.everyMs);
    }
    client.socket.destroy();
  }

  async function run(): Promise<void> {
    while (!isFinishing || waiting.size > 0) {
      await connection().catch(() => sleep(reconnectMs));
    }
  }

  const running = run();
  return {
    acknowledged,
    resent: () => resent,
    finish() {
      isFinishing = true;
      return running;
    },
  };
}

function pubrel(packetId: number): Buffer {
  return packet(0x62, Buffer.from([packetId >> 8, packetId & 0xff]));
}
