/** What a process holds in memory, as Linux counts it, now and at its highest. */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

const lookEveryMs = 200;

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

/**
 * The mean over a while: under load a heap goes up and down by tens of megabytes between two
 * collections, and a single look tells where in between it was.
 */
export async function meanMemoryOf(pid: number, seconds: number): Promise<Memory> {
  const looks: Memory[] = [];
  for (let look = 0; look < (seconds * 1_000) / lookEveryMs; look += 1) {
    await sleep(lookEveryMs);
    looks.push(memoryOf(pid));
  }
  const mean = (part: (memory: Memory) => number) =>
    looks.reduce((sum, look) => sum + part(look), 0) / looks.length;
  return {
    residentMb: mean(({ residentMb }) => residentMb),
    ownMb: mean(({ ownMb }) => ownMb),
    filesMb: mean(({ filesMb }) => filesMb),
  };
}

export interface MemoryWatch {
  /** The highest own memory since the last call. */
  takePeakMb(): number;
  stop(): void;
}

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
