/**
 * The engine's program, compiled once for all threads of this process: a thread that is started in
 * the place of one that was killed is ready sooner, and runs the code that was made faster already.
 */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';

let compiled: Promise<WebAssembly.Module | undefined> | undefined;

/** Undefined where the file is not found: then each thread compiles it for itself. */
export function engineModule(): Promise<WebAssembly.Module | undefined> {
  compiled ??= compile().catch(() => undefined);
  return compiled;
}

async function compile(): Promise<WebAssembly.Module> {
  const library = createRequire(import.meta.url).resolve('quickjs-emscripten');
  const file = createRequire(library).resolve('@jitl/quickjs-wasmfile-release-sync/wasm');
  return WebAssembly.compile(await readFile(file));
}
