/** The sandbox's thread: loads scripts, makes their calls, and may be killed at any moment. */
import assert from 'node:assert/strict';
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { createEngine, type LoadedScript } from './engine.ts';
import { installEngineClock } from './engine-clock.ts';
import type { Chunk, ChunkAnswer, SandboxSettings } from './sandbox-messages.ts';
import { ownThread } from './thread-time.ts';

/** Scripts kept ready, at some 300 kB each; the one not used for longest goes first. */
const loadedMax = 256;
/** What a call has at least, however much others have lost to the clock. */
const timeLimitMsMin = 20;
/** A script that is late this often without a break is not called again in this chunk. */
const lateCallsMax = 5;
/** What a call may take without being charged for it. */
const freeMs = 5;

async function run(port: MessagePort, settings: SandboxSettings): Promise<void> {
  const { limits, progress, wasmModule } = settings;
  const engine = await createEngine(limits, installEngineClock(), wasmModule);
  const steps = new Int32Array(progress);
  const sources = new Map<string, string>();
  const loaded = new Map<string, LoadedScript>();

  function scriptOf(key: string, source: string | undefined): LoadedScript {
    if (source !== undefined) sources.set(key, source);
    const text = sources.get(key);
    assert.ok(text !== undefined, 'a script is sent before it is called');
    const script = loaded.get(key) ?? engine.load(text, limits.timeLimitMs);
    loaded.delete(key);
    loaded.set(key, script);
    const [oldest] = loaded.keys();
    if (loaded.size > loadedMax && oldest !== undefined) loaded.delete(oldest);
    return script;
  }

  function answer(chunk: Chunk): ChunkAnswer {
    step(0);
    const script = scriptOf(chunk.key, chunk.source);
    let { allowanceMs } = chunk;
    let lateCalls = 0;
    const texts = chunk.calls.map(({ request, time }, index) => {
      if (lateCalls >= lateCallsMax) return `eran out of time ${lateCalls} times on end`;
      step(index);
      const startedAt = performance.now();
      const timeLimitMs = Math.min(limits.timeLimitMs, Math.max(timeLimitMsMin, allowanceMs));
      const { text, isLate } = engine.run(script, { request, time, timeLimitMs });
      const tookMs = performance.now() - startedAt;
      if (tookMs > freeMs) allowanceMs -= tookMs;
      lateCalls = isLate ? lateCalls + 1 : 0;
      return isLate ? `eran longer than ${Math.ceil(timeLimitMs)} ms` : text;
    });
    return { texts, allowanceMs };
  }

  function step(index: number): void {
    Atomics.store(steps, 1, index);
    Atomics.add(steps, 0, 1);
  }

  port.on('message', (chunk: Chunk) => port.postMessage(answer(chunk)));
  port.postMessage(ownThread());
}

if (parentPort !== null) {
  const settings: SandboxSettings = workerData;
  await run(parentPort, settings);
}
