/** Counts connections, in all and by address, and says when there are enough. */
import type { Duplex } from 'node:stream';

export interface ConnectionCount {
  /**
   * Counts the socket until it closes; the limit when one is reached, and then it is not counted.
   */
  admit(socket: Duplex, address: string): keyof ConnectionCountLimits | undefined;
  /** Counts it in all only, until it is known whose it is; then `admit` counts it by address. */
  hold(socket: Duplex): boolean;
  total(): number;
  /** Ends all that are counted. */
  destroyAll(): void;
}

export interface ConnectionCountLimits {
  readonly connectionsMax: number;
  readonly connectionsPerAddressMax: number;
}

export function createConnectionCount(limits: ConnectionCountLimits): ConnectionCount {
  const byAddress = new Map<string, number>();
  const open = new Set<Duplex>();

  function leave(socket: Duplex, address: string): void {
    open.delete(socket);
    const left = (byAddress.get(address) ?? 1) - 1;
    if (left === 0) byAddress.delete(address);
    else byAddress.set(address, left);
  }

  const isFull = () => open.size >= limits.connectionsMax;

  return {
    hold: (socket) => {
      if (isFull()) return false;
      open.add(socket);
      socket.once('close', () => open.delete(socket));
      return true;
    },
    admit: (socket, address) => {
      const here = byAddress.get(address) ?? 0;
      const isOneMore = !open.has(socket);
      if (isOneMore && isFull()) return 'connectionsMax';
      if (here >= limits.connectionsPerAddressMax) return 'connectionsPerAddressMax';
      open.add(socket);
      byAddress.set(address, here + 1);
      socket.once('close', () => leave(socket, address));
      return undefined;
    },
    total: () => open.size,
    destroyAll: () => {
      for (const socket of open) socket.destroy();
    },
  };
}

/** One spelling for an IPv4 address that came in on an IPv6 socket. */
export function plainAddress(address: string | undefined): string {
  return (address ?? 'unknown').replace(/^::ffff:(?=\d+\.)/, '');
}
