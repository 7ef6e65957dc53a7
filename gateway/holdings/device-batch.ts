/**
 * Many devices into the state in one commit, by a thread of their own: 100,000 rows would hold up
 * the event loop for a third of a second. One commit: a process that dies leaves all or none.
 */
import { Worker } from 'node:worker_threads';
import type { DeviceBatch, SealedDevice } from '../lorawan/device-row.ts';

/** A message with more would take too long to be copied in one turn of the event loop. */
const devicesPerMessage = 200;

/** What a thread of a batch is told; it answers with nothing and ends, or breaks. */
export type ToBatchThread =
  | { readonly kind: 'devices'; readonly devices: readonly SealedDevice[] }
  | { readonly kind: 'commit' };

/** `program` is the compiled one beside this file if absent. */
export function openDeviceBatch(
  dataDir: string,
  program = new URL('./device-batch-thread.js', import.meta.url),
): DeviceBatch {
  const thread = new Worker(program, { workerData: dataDir, name: 'devices', env: {} });
  const ended = new Promise<void>((resolve, reject) => {
    thread.once('error', reject);
    thread.once('exit', (code) => {
      if (code === 0) resolve();
      else reject(new Error(`the thread that writes devices ended with ${code}`));
    });
  });
  // Whoever commits is told; until then nobody listens.
  ended.catch(() => undefined);
  let held: SealedDevice[] = [];
  const post = (message: ToBatchThread) => thread.postMessage(message);
  const postHeld = () => {
    if (held.length > 0) post({ kind: 'devices', devices: held });
    held = [];
  };
  return {
    add(devices) {
      held.push(...devices);
      if (held.length >= devicesPerMessage) postHeld();
    },
    async commit() {
      postHeld();
      post({ kind: 'commit' });
      await ended;
    },
    async abandon() {
      await thread.terminate();
    },
  };
}
