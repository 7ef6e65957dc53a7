/** What happens next: tasks by time, and of one time in the order in which they were planned. */
export interface EventQueue {
  at(time: number, task: () => void): void;
  /** Runs the earliest task and tells its time; undefined when nothing is left. */
  runNext(): number | undefined;
}

interface Entry {
  readonly time: number;
  readonly order: number;
  readonly task: () => void;
}

/** A binary heap. */
export function createEventQueue(): EventQueue {
  const heap: Entry[] = [];
  let planned = 0;
  const isBefore = (left: number, right: number): boolean => {
    const [one, other] = [heap[left], heap[right]];
    if (one === undefined || other === undefined) return one !== undefined;
    return one.time < other.time || (one.time === other.time && one.order < other.order);
  };
  const swap = (left: number, right: number): void => {
    const [one, other] = [heap[left], heap[right]];
    if (one === undefined || other === undefined) return;
    heap[left] = other;
    heap[right] = one;
  };

  function sink(): void {
    for (let at = 0; ; ) {
      const [left, right] = [2 * at + 1, 2 * at + 2];
      const least = isBefore(right, left) ? right : left;
      if (least >= heap.length || !isBefore(least, at)) return;
      swap(least, at);
      at = least;
    }
  }

  return {
    at(time, task) {
      heap.push({ time, order: planned, task });
      planned += 1;
      for (let at = heap.length - 1; at > 0; ) {
        const parent = (at - 1) >> 1;
        if (!isBefore(at, parent)) return;
        swap(at, parent);
        at = parent;
      }
    },
    runNext() {
      const first = heap[0];
      if (first === undefined) return undefined;
      swap(0, heap.length - 1);
      heap.pop();
      sink();
      first.task();
      return first.time;
    },
  };
}
