/** What the sandbox and its thread say to each other. Plain data: it is copied between threads. */
import type { CodecLimits } from './limits.ts';

/** Given to the thread as it starts. */
export interface SandboxSettings {
  readonly limits: CodecLimits;
  /** Two 32-bit numbers: calls begun so far, and the place in the chunk of the one under way. */
  readonly progress: SharedArrayBuffer;
  /** The engine's program, where it is compiled already. */
  readonly wasmModule: WebAssembly.Module | undefined;
}

export interface SandboxScript {
  /** Another for each text: the hash of it. */
  readonly key: string;
  readonly source: string;
}

export interface SandboxCall {
  /** JSON, as the guest program reads it. */
  readonly request: string;
  /** What the codec's clock shows, epoch milliseconds. */
  readonly time: number;
}

/** Calls of one script, made one after the other, each as if it were the first. */
export interface Chunk {
  readonly key: string;
  /** Absent when this thread has been given it before. */
  readonly source?: string;
  readonly calls: readonly SandboxCall[];
  /** What the calls of this batch may still lose to the clock before their limit goes down. */
  readonly allowanceMs: number;
}

export interface ChunkAnswer {
  /** One for each call: `v` and JSON, or `e` and a message. */
  readonly texts: readonly string[];
  readonly allowanceMs: number;
}
