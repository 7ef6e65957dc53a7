/** Runs the compiled program once and hears it out: for starts that are refused. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';

const program = resolve('dist/gateway/cli/fieldgate.js');
/** A program that has not ended by then is ended: it should have refused to start. */
const runMsMax = 20_000;

export interface Ending {
  /** Null when it had to be killed. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export function runProgram(...words: readonly string[]): Promise<Ending> {
  return runProgramIn({}, ...words);
}

/** With these variables beside those of the tests. */
export async function runProgramIn(
  environment: Readonly<Record<string, string>>,
  ...words: readonly string[]
): Promise<Ending> {
  const child = spawn(process.execPath, [program, ...words], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...environment },
  });
  const timer = setTimeout(() => child.kill('SIGKILL'), runMsMax);
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (bytes: Buffer) => {
    stdout += bytes.toString();
  });
  child.stderr.on('data', (bytes: Buffer) => {
    stderr += bytes.toString();
  });
  const [code] = await once(child, 'close');
  clearTimeout(timer);
  return { code: typeof code === 'number' ? code : null, stdout, stderr };
}
