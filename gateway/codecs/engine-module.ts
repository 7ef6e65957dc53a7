/**
 * The engine's program, compiled once for all threads of this process: a thread that is started in
 * the place of one that was killed is ready sooner, and runs the code that was made faster already.
 */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { type MarkLayout, markWrites } from './write-marks.ts';

/** Marks what it writes. */
export interface EngineModule {
  readonly wasmModule: WebAssembly.Module;
  readonly layout: MarkLayout;
}

let compiled: Promise<EngineModule | undefined> | undefined;

/**
 * Undefined where the file is not found or not understood: then each thread compiles it for itself
 * as it is.
 */
export function engineModule(): Promise<EngineModule | undefined> {
  compiled ??= compile().catch(() => undefined);
  return compiled;
}

async function compile(): Promise<EngineModule> {
  const library = createRequire(import.meta.url).resolve('quickjs-emscripten');
  const file = createRequire(library).resolve('@jitl/quickjs-wasmfile-release-sync/wasm');
  const { wasm, ...layout } = markWrites(await readFile(file));
  return { wasmModule: await WebAssembly.compile(wasm), layout };
}
