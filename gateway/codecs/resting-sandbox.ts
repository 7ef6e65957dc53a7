/** A sandbox for what is asked now and then: started by a call, ended when none comes. */
import { createSandbox, type Sandbox, type SandboxOptions } from './sandbox.ts';

const restMs = 10_000;

export function createRestingSandbox(options: SandboxOptions): Sandbox {
  let open: Sandbox | undefined;
  let underWay = 0;
  let timer: NodeJS.Timeout | undefined;

  async function rest(): Promise<void> {
    const closing = open;
    open = undefined;
    await closing?.close();
  }

  return {
    async run(jobs) {
      clearTimeout(timer);
      underWay += 1;
      open ??= createSandbox(options);
      try {
        return await open.run(jobs);
      } finally {
        underWay -= 1;
        if (underWay === 0) timer = setTimeout(() => void rest(), restMs).unref();
      }
    },
    async close() {
      clearTimeout(timer);
      await rest();
    },
  };
}
