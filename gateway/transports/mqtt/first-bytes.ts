/** Whoever connects and says nothing costs no more than a socket: nothing is begun before bytes. */
import type { Socket } from 'node:net';

export interface FirstBytesOptions {
  readonly timeoutMs: number;
  readonly onBytes: () => void;
  readonly onSilence: () => void;
}

/**
 * Calls one of both, or neither when the connection ends. The bytes stay to be read; no more are
 * taken from the system than the stream holds.
 */
export function awaitFirstBytes(socket: Socket, options: FirstBytesOptions): void {
  const timer = setTimeout(() => {
    forget();
    options.onSilence();
  }, options.timeoutMs);

  function forget(): void {
    clearTimeout(timer);
    socket.off('readable', look);
    socket.off('close', forget);
  }

  function look(): void {
    if (socket.readableLength > 0) {
      forget();
      options.onBytes();
    } else {
      // The end of the stream is only told to who reads it.
      socket.read();
    }
  }

  socket.on('readable', look);
  socket.once('close', forget);
}
