/**
 * The seam to a wire that a replay sends through. Whatever the wire, a message counts as taken only
 * by the receiver's own acknowledgement.
 */
import type { CapturedMessage } from './message.ts';

export interface Wire {
  /**
   * Resolves once there is room and the message is on its way. `settled` is called once: without an
   * error when the receiver has acknowledged it, with one when it never will.
   */
  send(message: CapturedMessage, settled: (error?: Error) => void): Promise<void>;
  /** From now on nothing is sent; frees whoever waits for room. */
  stop(): void;
  /** Waits up to `graceMs` for outstanding acknowledgements, then closes. */
  close(graceMs: number): Promise<void>;
}

/** A name and what proves it, as an operator gives them; by the sender's name in the capture. */
export interface ReplayAccount {
  readonly username?: string;
  readonly password?: string;
  /** Bearer token of an HTTP source. */
  readonly token?: string;
}

export interface ReplayAccounts {
  /** Undefined when the capture's sender has no account here and there is no default one. */
  of(sender: string | undefined): ReplayAccount | undefined;
}

/** Room for a bounded number of messages that wait for their acknowledgement. */
export interface Room {
  enter(): Promise<boolean>;
  leave(): void;
  stop(): void;
  /** Resolves when nothing is under way, or after the time. */
  empty(graceMs: number): Promise<void>;
}

const pollMs = 20;

export function createRoom(placesMax: number): Room {
  const waiting: (() => void)[] = [];
  let taken = 0;
  let isStopped = false;
  return {
    async enter() {
      while (taken >= placesMax && !isStopped) {
        await new Promise<void>((resolve) => waiting.push(resolve));
      }
      if (isStopped) return false;
      taken += 1;
      return true;
    },
    leave() {
      taken -= 1;
      waiting.shift()?.();
    },
    stop() {
      isStopped = true;
      for (const wake of waiting.splice(0)) wake();
    },
    async empty(graceMs) {
      const deadline = Date.now() + graceMs;
      while (taken > 0 && Date.now() < deadline) {
        await new Promise((resolve) => setTimeout(resolve, pollMs));
      }
    },
  };
}
