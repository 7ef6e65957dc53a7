/** A derive worker for tests: answers by what it is asked, crashes or ends when told by a device's id. */
import { parentPort, workerData } from 'node:worker_threads';

const port = parentPort;
const tell = (message) => port.postMessage(message);
const batchOf = (name) => ({ kind: 'live', series: [[name, 'q', '', '', '']], rows: [] });

const actions = {
  wake: () => tell({ kind: 'stored', readings: 0, seq: 1 }),
  forget: ({ before: seq }) => tell({ kind: 'stored', readings: 0, seq }),
  device({ id, device }) {
    tell(batchOf(`${id}:${device === undefined ? 'gone' : device.kind}`));
    if (id === 'crash') {
      for (let count = 0; count < 50; count += 1) tell(batchOf(`last words ${count}`));
      throw new Error('told to crash');
    }
    if (id === 'end') process.exit(3);
  },
  request({ id, request }) {
    if (request.kind === 'ping') tell({ kind: 'answer', id, result: undefined });
    else if (request.query.device === 'silent') return;
    else if (request.query.device === 'broken') tell({ kind: 'failure', id, reason: 'no disk' });
    else if (request.query.device === 'odd') tell({ kind: 'answer', id, result: 'text' });
    else tell({ kind: 'answer', id, result: [request.query] });
  },
  stop() {
    if (workerData.devices.some((device) => device.id === 'deaf')) return;
    port.close();
  },
};

port.on('message', (message) => actions[message.kind](message));
if (!workerData.devices.some((device) => device.id === 'slow')) tell({ kind: 'ready' });
