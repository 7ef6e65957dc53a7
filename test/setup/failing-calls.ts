/** Makes system calls of a running process fail on one file, as a broken disk would, by strace. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';

export interface FailingCalls {
  /** Lets the calls succeed again; resolves with how many were made to fail. */
  stop(): Promise<number>;
}

/** `inject` is strace's word for it, such as `fdatasync:error=EIO`. */
export async function failCalls(
  pid: number,
  { path, inject }: { readonly path: string; readonly inject: string },
): Promise<FailingCalls> {
  const words = ['-f', '-p', String(pid), '-P', path, '-e', `inject=${inject}`];
  const tracer = spawn('strace', words, { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  const attached = new Promise<void>((resolve, reject) => {
    tracer.stderr.on('data', (bytes: Buffer) => {
      said += bytes.toString();
      if (/^strace: Process \d+ attached/m.test(said)) resolve();
    });
    tracer.once('exit', () => reject(new Error(`strace could not follow the process: ${said}`)));
  });
  // It also ends by itself, when the process does.
  const ended = once(tracer, 'close');
  await attached;
  return {
    async stop() {
      tracer.kill('SIGINT');
      await ended;
      return said.split('\n').filter((line) => line.includes('(INJECTED)')).length;
    },
  };
}
