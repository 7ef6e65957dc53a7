/** A bound UDP socket with promises at both ends of its life. */
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { createInFlight } from './in-flight.ts';

export interface UdpSocket {
  readonly port: number;
  /** Does not wait and does not fail: UDP promises nothing, and the sender asks again. */
  send(datagram: Buffer, to: Pick<RemoteInfo, 'address' | 'port'>): void;
  close(): Promise<void>;
}

/** Bytes the kernel keeps while the gateway is busy: about a thousand datagrams. */
const receiveBufferBytes = 1_048_576;

export function openUdpSocket(
  { host, port }: { readonly host: string; readonly port: number },
  onDatagram: (datagram: Buffer, from: RemoteInfo) => void,
): Promise<UdpSocket> {
  const socket = createSocket({
    type: isIPv6(host) ? 'udp6' : 'udp4',
    recvBufferSize: receiveBufferBytes,
  });
  return new Promise((resolve, reject) => {
    socket.once('error', (error) => {
      socket.close();
      reject(error);
    });
    socket.bind({ address: host, port, exclusive: true }, () => {
      socket.removeAllListeners('error');
      // Later errors are of one datagram that could not be sent: its sender asks again.
      socket.on('error', () => {});
      socket.on('message', onDatagram);
      resolve(wrap(socket));
    });
  });
}

/** An answer that was given is on its way before the socket closes. */
const sendTimeoutMs = 1_000;

function wrap(socket: Socket): UdpSocket {
  const sending = createInFlight();
  let isOpen = true;
  return {
    port: socket.address().port,
    send: (datagram, { address, port }) => {
      if (!isOpen) return;
      sending.track(new Promise((resolve) => socket.send(datagram, port, address, resolve)));
    },
    close: async () => {
      isOpen = false;
      await sending.settle(sendTimeoutMs);
      await new Promise<void>((resolve) => socket.close(resolve));
    },
  };
}
