/**
 * Beginnings and ends of connections wait for their turn, so that a burst of them does not hold up
 * those who are connected: a TLS handshake takes the loop a millisecond or two and an end a tenth,
 * and an outage brings thousands of both. What is done in one turn of the loop fits beside the rest
 * of it; when there is nothing else to do, all the time is theirs.
 */
import type { Duplex } from 'node:stream';

export interface ConnectionPace {
  /** Addresses take turns, and in one address who came first goes first. */
  open(socket: Duplex, opening: Opening): void;
  /** Ends go first: who comes back finds the connection gone that it had before. */
  end(conn: Duplex): void;
  /** Connections that wait to be opened. */
  waiting(): number;
}

export interface Opening {
  readonly address: string;
  /** Runs unless the connection ends before. What it leaves to do is in ticks and microtasks. */
  readonly begin: () => void;
  /** Runs instead when it has waited for too long. */
  readonly onLate: () => void;
}

/** Of one turn of the loop, with everything that is done in it. */
const turnMs = 8;
/** However busy the loop is, so much is done in each turn; more, the longer they have waited. */
const endsLeast = 8;
const openingsLeast = 1;
const openingsMost = 8;
const oneMoreAfterMs = 1_000;

export interface ConnectionPaceOptions {
  readonly monotonicMs: () => number;
  /** How long a connection may wait to be opened. */
  readonly waitMsMax: number;
}

export function createConnectionPace(options: ConnectionPaceOptions): ConnectionPace {
  const { monotonicMs } = options;
  const openings = createOpeningQueue(options);
  /** As many at most as there may be connections: each counts until it has closed. */
  const ends = new Set<() => void>();
  let isRunning = false;
  /** When all was done that was to be done in the last turn; what came then is the other work. */
  let doneMs = 0;

  function run(): void {
    if (isRunning) return;
    isRunning = true;
    doneMs = monotonicMs();
    setImmediate(takeTurn);
  }

  function takeTurn(): void {
    const untilMs = doneMs + turnMs;
    const more = Math.floor(openings.oldestMs() / oneMoreAfterMs);
    let openingsLeft = Math.min(openingsMost, openingsLeast + more);
    let endsLeft = endsLeast;

    function takeOne(): (() => void) | undefined {
      const isTimeLeft = monotonicMs() < untilMs;
      if (ends.size > 0 && (isTimeLeft || endsLeft > 0)) {
        endsLeft -= 1;
        return takeFirst(ends);
      }
      if (!isTimeLeft && openingsLeft <= 0) return undefined;
      openingsLeft -= 1;
      return openings.take();
    }

    function next(): void {
      const work = takeOne();
      if (work !== undefined) {
        work();
        afterwards(next);
        return;
      }
      doneMs = monotonicMs();
      isRunning = ends.size > 0 || openings.size() > 0;
      if (isRunning) setImmediate(takeTurn);
    }
    next();
  }

  return {
    waiting: openings.size,
    open: (socket, opening) => {
      openings.add(socket, opening);
      run();
    },
    end: (conn) => {
      const push = conn.push.bind(conn);
      conn.push = (chunk: unknown, encoding?: BufferEncoding) => {
        if (chunk !== null) return push(chunk, encoding);
        ends.add(() => push(null));
        run();
        return false;
      };
    },
  };
}

interface OpeningQueue {
  add(socket: Duplex, opening: Opening): void;
  take(): (() => void) | undefined;
  /** How long the one whose turn it is has waited. */
  oldestMs(): number;
  size(): number;
}

interface Waiting {
  readonly socket: Duplex;
  readonly opening: Opening;
  readonly sinceMs: number;
  /** Takes it out of the queue. */
  leave(): void;
}

function createOpeningQueue({ monotonicMs, waitMsMax }: ConnectionPaceOptions): OpeningQueue {
  /** By address, the one whose turn it is first. */
  const byAddress = new Map<string, Set<Waiting>>();
  let count = 0;

  function first(): Waiting | undefined {
    for (const queue of byAddress.values()) for (const waiting of queue) return waiting;
    return undefined;
  }

  function remove(waiting: Waiting): void {
    const { address } = waiting.opening;
    const queue = byAddress.get(address);
    if (queue?.delete(waiting) !== true) return;
    count -= 1;
    if (queue.size === 0) byAddress.delete(address);
  }

  return {
    size: () => count,
    oldestMs: () => monotonicMs() - (first()?.sinceMs ?? monotonicMs()),
    add: (socket, opening) => {
      const leave = () => {
        clearTimeout(timer);
        socket.off('close', leave);
        remove(waiting);
      };
      const waiting: Waiting = { socket, opening, sinceMs: monotonicMs(), leave };
      const timer = setTimeout(() => {
        leave();
        opening.onLate();
      }, waitMsMax);
      socket.once('close', leave);
      const queue = byAddress.get(opening.address) ?? new Set();
      byAddress.set(opening.address, queue.add(waiting));
      count += 1;
    },
    take: () => {
      const waiting = first();
      if (waiting === undefined) return undefined;
      const { address, begin } = waiting.opening;
      waiting.leave();
      const queue = byAddress.get(address);
      if (queue !== undefined) {
        // Filed again, behind the other addresses.
        byAddress.delete(address);
        byAddress.set(address, queue);
      }
      // Destroyed in this very turn, it has not told yet.
      return waiting.socket.destroyed ? () => {} : begin;
    },
  };
}

function takeFirst<T>(set: Set<T>): T | undefined {
  for (const value of set) {
    set.delete(value);
    return value;
  }
  return undefined;
}

/** When the ticks and microtasks are over that what has run until now has left. */
function afterwards(next: () => void): void {
  process.nextTick(() => queueMicrotask(() => process.nextTick(next)));
}
