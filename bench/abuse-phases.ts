/** What strangers do to a broker in the benchmark, each kind until it is over. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { inParallel, openIdle, sendMutated } from '../test/transports/mqtt/abuse-clients.ts';
import { connectPacket, publishPacket, subscribePacket } from '../test/transports/mqtt/wire.ts';

export interface AbusePlan {
  readonly port: number;
  readonly tlsPort: number;
  /** PEM of the certificate behind the TLS port. */
  readonly ca: Buffer;
  readonly packets: number;
  readonly idle: number;
  readonly flaps: number;
  readonly subscribers: number;
}

export interface AbusePhase {
  readonly name: string;
  run(plan: AbusePlan): Promise<void>;
}

const host = '127.0.0.1';
/** Connections that are being made at one time. */
const atOnce = 200;
/** Above what the sockets of both sides hold, and the gateway for one subscriber. */
const unreadBytes = 20_000_000;
const unreadBody = Buffer.alloc(20_000, 'x');

/** In the order in which they are run. */
export const abusePhases: readonly AbusePhase[] = [
  {
    name: 'damaged packets',
    run: async ({ port, packets }) => {
      await sendMutated(port, { packets, seed: 4, atOnce });
    },
  },
  { name: 'declared lengths of 256 MiB', run: declareTooMuch },
  {
    name: 'idle connections',
    run: ({ port, idle }) => holdIdle(idle, (id) => openIdle(port, id)),
  },
  {
    name: 'idle TLS connections',
    run: ({ tlsPort, ca, idle }) => holdIdle(idle, (id) => openTls({ port: tlsPort, ca }, id)),
  },
  { name: 'flapping connections', run: flap },
  { name: 'subscribers that do not read', run: readNothing },
];

async function declareTooMuch({ port }: AbusePlan): Promise<void> {
  const bytes = Buffer.concat([Buffer.from('10ffffff7f', 'hex'), Buffer.alloc(1_000_000)]);
  await inParallel({ count: 1_000, atOnce }, async () => {
    const socket = connect({ port, host });
    socket.on('error', ignore);
    socket.write(bytes);
    await closed(socket);
  });
}

async function holdIdle(count: number, openOne: (id: string) => Promise<Socket>): Promise<void> {
  const sockets: Socket[] = [];
  await inParallel({ count, atOnce }, async (index) => {
    sockets.push(await openOne(`idle-${index}`));
  });
  await Promise.all(
    sockets.map((socket) => {
      socket.destroy();
      return closed(socket);
    }),
  );
}

async function openTls(
  { port, ca }: { readonly port: number; readonly ca: Buffer },
  clientId: string,
): Promise<Socket> {
  const socket = connectTls({ port, host, ca });
  socket.write(connectPacket({ clientId, keepalive: 0 }));
  const [answer] = await once(socket, 'data');
  if (!Buffer.isBuffer(answer) || answer[3] !== 0) throw new Error(`${clientId} was not let in`);
  return socket;
}

/** A thousand client ids come and go until each is banned, and on. */
async function flap({ port, flaps }: AbusePlan): Promise<void> {
  await inParallel({ count: flaps, atOnce }, async (index) => {
    const socket = connect({ port, host, noDelay: true });
    socket.on('error', ignore);
    socket.once('data', () => socket.resetAndDestroy());
    socket.write(connectPacket({ clientId: `flapping-${index % 1_000}` }));
    await closed(socket);
  });
}

/** Half of them over TLS, half at QoS 1. */
async function readNothing({ port, tlsPort, ca, subscribers }: AbusePlan): Promise<void> {
  const lazy: Socket[] = [];
  await inParallel({ count: subscribers, atOnce: 20 }, async (index) => {
    const clientId = `lazy-${index}`;
    const isTls = index % 4 < 2;
    const socket = await (isTls
      ? openTls({ port: tlsPort, ca }, clientId)
      : openIdle(port, clientId));
    socket.removeAllListeners('close').on('error', ignore);
    socket.write(subscribePacket(['flood/#'], index % 2));
    await once(socket, 'data');
    socket.pause();
    lazy.push(socket);
  });
  const sender = await openIdle(port, 'flood');
  for (let sent = 0; sent * unreadBody.length < unreadBytes; sent += 1) {
    const id = (sent % 65_535) + 1;
    sender.write(publishPacket({ topic: 'flood/x', payload: unreadBody, id }));
    await once(sender, 'data');
  }
  for (const socket of [...lazy, sender]) socket.removeAllListeners('close').destroy();
}

function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    if (socket.closed) resolve();
    else socket.once('close', () => resolve());
  });
}

function ignore(): void {}
