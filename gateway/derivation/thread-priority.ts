/**
 * Acknowledging comes first: where processors are short, the threads that only read what was
 * written give way to the one that takes uplinks in. A message that waits for its acknowledgement
 * is sent again by some devices; a value on a screen that comes a little later is not.
 */
import { getPriority, setPriority } from 'node:os';
import { basename } from 'node:path';
import { ownThread } from '../codecs/thread-time.ts';

/** About a third of the processor time of a thread that does not give way, when both want it. */
const steps = 5;
const nicenessMax = 19;

/** For the calling thread and those that it starts; Linux only, elsewhere all stay equal. */
export function giveWay(): void {
  const thread = ownThread();
  if (thread === undefined) return;
  try {
    setPriority(Number(basename(thread)), Math.min(nicenessMax, getPriority() + steps));
  } catch {
    // Where that is forbidden, all stay equal.
  }
}
