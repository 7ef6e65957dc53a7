/** What the sandbox and its thread say to each other. Plain data: it is copied between threads. */
import type { EngineModule } from './engine-module.ts';
import type { CodecLimits } from './limits.ts';

/** Given to the thread as it starts. */
export interface SandboxSettings {
  readonly limits: CodecLimits;
  /**
   * Three 32-bit numbers: calls begun so far, the place in the chunk of the one under way, and the
   * milliseconds that it may run.
   */
  readonly progress: SharedArrayBuffer;
  /** The engine's program, where it is compiled already. */
  readonly module: EngineModule | undefined;
}

export interface SandboxScript {
  /** What people call it. */
  readonly id?: string;
  /** Another for each text: the hash of it. */
  readonly key: string;
  readonly source: string;
}

/** `time` is what the codec's clock shows, epoch milliseconds. */
export type SandboxCall = RequestCall | UplinkCall;

export interface RequestCall {
  /** JSON, as the guest program reads it. */
  readonly request: string;
  readonly time: number;
}

/** The same as a request of kind `uplink`, for a third of the price. */
export interface UplinkCall {
  /** Latin-1, one character a byte: a text costs little to copy between threads. */
  readonly bytes: string;
  readonly fPort: number;
  readonly time: number;
  /** JSON with `variables` and `dialect`; empty where there are none. */
  readonly settings: string;
}

/** Calls of one script, made one after the other, each as if it were the first. */
export interface Chunk extends ChunkLimits {
  readonly key: string;
  /** Absent when this thread has been given it before. */
  readonly source?: string;
  readonly calls: readonly SandboxCall[];
}

export interface ChunkLimits {
  /** Of each call. */
  readonly timeLimitMs: number;
  /** What slow calls may take together before the others are left for another chunk. */
  readonly allowanceMs: number;
}

export interface ChunkAnswer {
  /**
   * One for each call: `v` and JSON, or `e` and a message. Fewer when one was late, which is the
   * last of them, or when the allowance was used up.
   */
  readonly texts: readonly string[];
  /** What slow calls took that were not late. */
  readonly slowMs: number;
  /** What the late one took; 0 when none was. */
  readonly lateMs: number;
}
