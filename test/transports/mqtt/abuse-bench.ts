/** A broker that lets anybody in, and a client on it that has to be served whatever the others do. */
import { startWitness, type Witness } from './abuse-clients.ts';
import { type MqttBench, startBench } from './bench.ts';

export interface AbuseBench extends MqttBench {
  readonly witness: Witness;
  /** Resolves when some more of the witness' messages are acknowledged. */
  served(): Promise<void>;
  /** Resolves with the client ids that are left once all but one connection have ended. */
  alone(): Promise<readonly string[]>;
}

export async function startAbuseBench(
  options: Parameters<typeof startBench>[0] = {},
): Promise<AbuseBench> {
  const bench = await startBench({ anonymous: true, ...options });
  const witness = await startWitness(bench.port, { everyMs: 2 });
  return {
    ...bench,
    witness,
    served: async () => {
      const before = witness.acknowledged();
      while (witness.acknowledged() < before + 3) await tick();
    },
    alone: async () => {
      while (bench.broker.counts().connections > 1) await tick();
      return bench.broker.clients().map(({ clientId }) => clientId);
    },
    stop: async () => {
      await witness.stop();
      await bench.stop();
    },
  };
}

export function tick(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 5));
}
