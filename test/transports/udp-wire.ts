/** Semtech UDP datagrams as bytes, and a gateway that collects what comes back. */
import { createSocket } from 'node:dgram';

export const gatewayEui = '0016c001ff10a1b2';

export interface Datagram {
  readonly version?: number;
  readonly token?: number;
  readonly type: number;
  readonly gateway?: string;
  readonly json?: unknown;
}

export const types = { pushData: 0, pushAck: 1, pullData: 2, pullAck: 4, txAck: 5 } as const;

export function datagramOf({ version = 2, token = 0x1234, type, gateway, json }: Datagram): Buffer {
  const header = Buffer.from([version, token >> 8, token & 0xff, type]);
  const eui = Buffer.from(gateway ?? gatewayEui, 'hex');
  const body = json === undefined ? '' : typeof json === 'string' ? json : JSON.stringify(json);
  return Buffer.concat([header, eui, Buffer.from(body)]);
}

export interface UdpClient {
  send(datagram: Buffer): void;
  /** What came back so far, in hex. */
  readonly received: string[];
  /** Resolves once so many datagrams have come back in all. */
  answers(count: number): Promise<readonly string[]>;
  close(): void;
}

export function openUdpClient(port: number): UdpClient {
  const socket = createSocket('udp4');
  const received: string[] = [];
  const waiting = new Set<() => void>();
  socket.on('message', (datagram) => {
    received.push(datagram.toString('hex'));
    for (const check of waiting) check();
  });
  return {
    send: (datagram) => socket.send(datagram, port, '127.0.0.1'),
    received,
    answers: (count) =>
      new Promise((resolve) => {
        const check = () => {
          if (received.length < count) return;
          waiting.delete(check);
          resolve(received);
        };
        waiting.add(check);
        check();
      }),
    close: () => socket.close(),
  };
}
