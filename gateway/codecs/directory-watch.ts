/** Tells that something in a directory may have changed: once for what comes together. */
import { type FSWatcher, watch } from 'node:fs';

/** An editor writes a file in several steps, and a checkout many files. */
const settleMs = 200;
/** How often it is looked at without being told: not every file system tells. */
const pollMs = 5_000;

export function watchDirectory(directory: string, onChange: () => void): { close(): void } {
  let timer: NodeJS.Timeout | undefined;
  const watcher = open(directory, () => {
    clearTimeout(timer);
    timer = setTimeout(onChange, settleMs);
  });
  const poll = setInterval(onChange, pollMs).unref();
  return {
    close() {
      watcher?.close();
      clearInterval(poll);
      clearTimeout(timer);
    },
  };
}

/** Undefined where the system cannot: then the poll sees it. */
function open(directory: string, onEvent: () => void): FSWatcher | undefined {
  try {
    const watcher = watch(directory, { persistent: false }, onEvent);
    watcher.on('error', () => watcher.close());
    return watcher;
  } catch {
    return undefined;
  }
}
