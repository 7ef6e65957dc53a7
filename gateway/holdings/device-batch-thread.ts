/** The thread that device-batch.ts starts: gathers devices, writes them in one commit, and ends. */
import { parentPort, workerData } from 'node:worker_threads';
import { openState } from '../ledger/lmdb-files.ts';
import {
  type DeviceRow,
  deviceRowsName,
  type SealedDevice,
  writeDevice,
} from '../lorawan/device-row.ts';
import type { ToBatchThread } from './device-batch.ts';

const held: SealedDevice[] = [];

parentPort?.on('message', (message: ToBatchThread) => {
  if (message.kind === 'devices') held.push(...message.devices);
  else void commit();
});

/** The environment is that of the process, opened once more. A failure breaks the thread. */
async function commit(): Promise<void> {
  const state = openState({ directory: String(workerData) });
  try {
    const rows = state.openDB<DeviceRow, string>({ name: deviceRowsName, encoding: 'json' });
    state.transactionSync(() => {
      for (const one of held) writeDevice(rows, one);
    });
  } finally {
    await state.close();
  }
  parentPort?.close();
}
