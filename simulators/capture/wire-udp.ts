/**
 * Replays datagrams of Semtech packet forwarders, each sent again until its PUSH_ACK comes: what a
 * forwarder does not do, but a replay that says it is whole must.
 */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { NotSent } from '../not-sent.ts';
import { createRoom, type Wire } from './wire.ts';

export interface UdpWireOptions {
  /** `udp://host:port`. */
  readonly url: string;
}

/** Fewer than a gateway takes at once from one forwarder, since one too many is dropped. */
const datagramsMax = 16;
const attemptsMax = 6;
const firstWaitMs = 500;
const pushData = 0;
const pushAck = 1;
const headerBytes = 12;

interface Awaited {
  readonly acknowledged: () => void;
}

export async function openUdpWire({ url }: UdpWireOptions): Promise<Wire> {
  const { hostname, port } = new URL(url);
  const host = hostname.replace(/^\[|\]$/g, '');
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
  socket.connect(Number(port || 1700), host);
  await once(socket, 'connect');
  const awaited = new Map<string, Awaited>();
  const room = createRoom(datagramsMax);
  let isStopped = false;
  socket.on('message', (answer) => {
    if (answer.length >= 4 && answer[3] === pushAck) awaited.get(tokenOf(answer))?.acknowledged();
  });
  // Nobody listens there: the missing acknowledgement says so.
  socket.on('error', () => undefined);

  async function exchange(datagram: Buffer): Promise<void> {
    // A TX_ACK is itself an answer and gets none.
    if (datagram[3] !== pushData) return send(datagram);
    const token = tokenOf(datagram);
    await settledBefore(token);
    for (let attempt = 0; attempt < attemptsMax && !isStopped; attempt += 1) {
      const isTaken = await new Promise<boolean>((resolve) => {
        const timer = setTimeout(() => resolve(false), firstWaitMs * 2 ** attempt);
        const acknowledged = (): void => {
          clearTimeout(timer);
          resolve(true);
        };
        awaited.set(token, { acknowledged });
        send(datagram);
      });
      awaited.delete(token);
      if (isTaken) return;
    }
    throw new Error('no PUSH_ACK came');
  }

  /** Two datagrams with one token cannot be told apart by their answers. */
  async function settledBefore(token: string): Promise<void> {
    while (awaited.has(token)) await new Promise((resolve) => setTimeout(resolve, 5));
  }

  function send(datagram: Buffer): void {
    socket.send(datagram, () => undefined);
  }

  return {
    async send({ body }, settled) {
      if (body.length < headerBytes) return settled(new Error('the datagram has no header'));
      if (!(await room.enter())) return settled(new NotSent());
      exchange(body)
        .then(() => settled(), settled)
        .finally(room.leave);
    },
    stop() {
      isStopped = true;
      room.stop();
    },
    async close(graceMs) {
      await room.empty(graceMs);
      socket.close();
    },
  };
}

function tokenOf(datagram: Buffer): string {
  return datagram.toString('hex', 1, 3);
}
