/** What a process holds in memory, as Linux counts it, now and at its highest. */
import { readFileSync } from 'node:fs';

export interface Memory {
  /** All that is resident; megabytes of 2^20 bytes, as are the others. */
  readonly residentMb: number;
  /** The process' own: heaps, buffers, stacks. */
  readonly ownMb: number;
  /** Pages of files, above all of the ledger: the system takes them back when it needs them. */
  readonly filesMb: number;
}

export function memoryOf(pid: number): Memory {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const megabytes = (name: string) =>
    Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? Number.NaN) / 1_024;
  return {
    residentMb: megabytes('VmRSS'),
    ownMb: megabytes('RssAnon'),
    filesMb: megabytes('RssFile') + megabytes('RssShmem'),
  };
}

export interface MemoryWatch {
  /** The highest own memory since the last call. */
  takePeakMb(): number;
  stop(): void;
}

const lookEveryMs = 200;

export function watchMemory(pid: number): MemoryWatch {
  let peakMb = 0;
  const look = () => {
    peakMb = Math.max(peakMb, memoryOf(pid).ownMb);
  };
  const timer = setInterval(look, lookEveryMs);
  return {
    takePeakMb: () => {
      look();
      const found = peakMb;
      peakMb = 0;
      return found;
    },
    stop: () => clearInterval(timer),
  };
}
