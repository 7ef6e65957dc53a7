/** Work on many items that gives the event loop back in between: devices do not wait for it. */
import { setImmediate as nextTurn } from 'node:timers/promises';

/** A few milliseconds of the longest work that is done on one item, which is to read a device. */
const itemsPerTurn = 50;

export async function inTurns<T>(items: Iterable<T>, work: (item: T) => void): Promise<void> {
  let count = 0;
  for (const item of items) {
    work(item);
    count += 1;
    if (count % itemsPerTurn === 0) await nextTurn();
  }
}
