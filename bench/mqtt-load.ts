/** QoS 1 messages over several connections, as fast as they are acknowledged. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { connectPacket, publishPacket } from '../test/transports/mqtt/wire.ts';

/** What the benchmark asks of a broker process. */
export interface BrokerPlan {
  readonly kind: 'bare' | 'ours';
  /** Paths of PEM files. */
  readonly tls?: { readonly cert: string; readonly key: string } | undefined;
  readonly isDurable: boolean;
  readonly hasAcl: boolean;
}

export interface MqttLoad {
  readonly port: number;
  /** PEM of the server's certificate; without it, TCP. */
  readonly ca?: Buffer | undefined;
  readonly messages: number;
}

const connections = 20;
/** Unacknowledged messages of one connection. */
const windowLength = 50;
const login = { username: 'load', password: 'load-password' };
const body = Buffer.alloc(230, 'x').toString();

/** Acknowledged messages a second. */
export async function measureLoad({ port, ca, messages }: MqttLoad): Promise<number> {
  const sockets = await Promise.all(
    Array.from({ length: connections }, (_, index) => open({ port, ca }, `load-${index}`)),
  );
  const started = performance.now();
  const share = Math.ceil(messages / connections);
  await Promise.all(sockets.map((socket, index) => pump(socket, index * share, share)));
  const seconds = (performance.now() - started) / 1_000;
  for (const socket of sockets) socket.destroy();
  return (share * connections) / seconds;
}

export type Door = Pick<MqttLoad, 'port' | 'ca'>;

/** Connects and is greeted. */
export async function open({ port, ca }: Door, clientId: string): Promise<Socket> {
  const at = { port, host: '127.0.0.1' };
  const socket = ca === undefined ? connect({ ...at, noDelay: true }) : connectTls({ ...at, ca });
  socket.write(connectPacket({ clientId, ...login, keepalive: 3_600 }));
  const [answer] = await once(socket, 'data');
  if (Buffer.isBuffer(answer) && answer[0] === 0x20 && answer[3] === 0) return socket;
  throw new Error(`${clientId} was not let in`);
}

/** Sends a connection's share; resolves when the last of it is acknowledged. */
function pump(socket: Socket, first: number, count: number): Promise<void> {
  let sent = 0;
  let acknowledged = 0;
  let heldBytes = 0;
  const send = () => {
    const packets: Buffer[] = [];
    for (; sent < count && sent - acknowledged < windowLength; sent += 1) {
      const payload = `{"n":${first + sent},"pad":"${body}"}`;
      packets.push(publishPacket({ topic: 'up/load', payload, id: (sent % 65_535) + 1 }));
    }
    if (packets.length > 0) socket.write(Buffer.concat(packets));
  };
  return new Promise((resolve, reject) => {
    socket.once('close', () => reject(new Error('the connection was closed')));
    socket.on('data', (chunk) => {
      // Each answer is a PUBACK of four bytes.
      heldBytes += chunk.length;
      acknowledged += Math.floor(heldBytes / 4);
      heldBytes %= 4;
      if (acknowledged < count) send();
      else {
        socket.removeAllListeners('close');
        resolve();
      }
    });
    send();
  });
}
