/**
 * Devices that go on publishing at QoS 1, each at its pace, whatever else happens: a process of
 * their own, so that what is done beside them is not in the times that they take.
 */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export interface OrdinaryTraffic {
  /** Milliseconds from PUBLISH to PUBACK, of all since the last call. */
  take(): Promise<readonly number[]>;
  /** Ends it; rejects when a connection was not left alone. */
  stop(): Promise<void>;
}

export interface TrafficPlan {
  readonly port: number;
  readonly devices: number;
  /** Of all together. */
  readonly messagesPerSecond: number;
}

/** A line for each that was sent to it. */
export interface TrafficAnswer {
  readonly latenciesMs: readonly number[];
  /** Connections that the gateway has ended. */
  readonly cut: number;
}

/** Resolves when all are connected. */
export async function startTraffic(plan: TrafficPlan): Promise<OrdinaryTraffic> {
  const program = fileURLToPath(new URL('./traffic-process.js', import.meta.url));
  const child = spawn(process.execPath, [program, JSON.stringify(plan)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();

  async function answer(): Promise<TrafficAnswer> {
    const { done, value } = await lines.next();
    if (done === true) throw new Error('the honest devices are gone');
    return JSON.parse(value);
  }

  async function ask(): Promise<TrafficAnswer> {
    child.stdin.write('\n');
    return answer();
  }

  await answer();
  return {
    take: async () => (await ask()).latenciesMs,
    stop: async () => {
      const { cut } = await ask();
      child.stdin.end();
      if (cut > 0) throw new Error(`${cut} honest connections were cut`);
    },
  };
}
