/**
 * How long a pass waits for scripts on trial, by the wall clock. Only what is lost counts: time in
 * which they get on with their calls is free.
 */

export interface PassTime {
  isOver(): boolean;
  /** Resolves when it is over. */
  readonly over: Promise<void>;
  /** So much was lost elsewhere. */
  lose(ms: number): void;
  /**
   * From here on the pass waits for some calls, until the function given back is called with what
   * some of them took too long.
   */
  wait(): (lostMs: number) => void;
  /** Nobody asks any more. */
  end(): void;
}

const lookMs = 5;

export function startPassTime(ms: number): PassTime {
  let lost = 0;
  let waitingSince: number | undefined;
  let isOver = false;
  let timer: NodeJS.Timeout | undefined;

  /** With the calls under way, of which nobody knows yet how they get on. */
  function isUsedUp(): boolean {
    const waited = waitingSince === undefined ? 0 : performance.now() - waitingSince;
    return lost + waited >= ms;
  }

  const over = new Promise<void>((resolve) => {
    const look = () => {
      if (!isUsedUp()) timer = setTimeout(look, lookMs);
      else setImmediate(() => setImmediate(lookAgain));
    };
    /** Where this thread was busy itself, answers may have come that it had not read yet. */
    const lookAgain = () => {
      if (isOver) return;
      if (!isUsedUp()) return look();
      isOver = true;
      resolve();
    };
    look();
  });

  return {
    isOver: () => isOver,
    over,
    lose(lostMs) {
      lost += lostMs;
    },
    wait() {
      waitingSince = performance.now();
      return (lostMs) => {
        lost += lostMs;
        waitingSince = undefined;
      };
    },
    end() {
      isOver = true;
      clearTimeout(timer);
    },
  };
}
