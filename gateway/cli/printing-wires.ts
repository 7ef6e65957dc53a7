/** Wires of a dry run: every message becomes a line of a capture, and nothing is sent. */
import { once } from 'node:events';
import { messageLine } from '../../simulators/capture/message.ts';
import type { Wires } from '../../simulators/capture/wires.ts';

/** Ends quietly when whoever reads has read enough, as `head` has. */
export function printingWires(onClosed: () => void = () => undefined): Wires {
  const tally = { sent: 0, acknowledged: 0, failed: 0, unaddressed: 0, reasons: [] };
  const output = process.stdout;
  let isClosed = false;
  output.once('error', () => {
    isClosed = true;
    onClosed();
  });
  return {
    tally,
    async send(message, settled) {
      tally.sent += 1;
      if (!isClosed && !output.write(`${messageLine(message)}\n`)) {
        await once(output, 'drain').catch(() => undefined);
      }
      tally.acknowledged += 1;
      settled?.();
    },
    stop: () => undefined,
    close: async () => undefined,
  };
}

/** The same for what is no message of a capture. */
export async function printLines<T>(items: Iterable<T>, line: (item: T) => string): Promise<void> {
  const output = process.stdout;
  let isClosed = false;
  output.once('error', () => {
    isClosed = true;
  });
  for (const item of items) {
    if (isClosed) return;
    if (output.write(`${line(item)}\n`)) continue;
    await once(output, 'drain').catch(() => undefined);
  }
}
