/** The sandbox's thread: loads scripts, makes their calls, and may be killed at any moment. */
import assert from 'node:assert/strict';
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { createEngine, type LoadedScript } from './engine.ts';
import { installEngineClock } from './engine-clock.ts';
import type { Chunk, ChunkAnswer, SandboxSettings } from './sandbox-messages.ts';
import { ownThread } from './thread-time.ts';

/** Scripts kept ready, at some 300 kB each; the one not used for longest goes first. */
const loadedMax = 256;
/** What a script has at least to load, however much others have lost to the clock. */
const loadMsMin = 50;
/** A call that takes longer is a slow one. */
const slowMsMin = 5;

async function run(port: MessagePort, settings: SandboxSettings): Promise<void> {
  const { limits, progress, module } = settings;
  const engine = await createEngine(limits, installEngineClock(), module);
  const steps = new Int32Array(progress);
  const sources = new Map<string, string>();
  const loaded = new Map<string, LoadedScript>();

  /** One that is late is not kept: it may have been unlucky. */
  function scriptOf({ key, source, timeLimitMs }: Chunk): LoadedScript {
    if (source !== undefined) sources.set(key, source);
    const text = sources.get(key);
    assert.ok(text !== undefined, 'a script is sent before it is called');
    const limitMs = Math.min(limits.timeLimitMs, Math.max(loadMsMin, timeLimitMs));
    step(0, limitMs);
    const script = loaded.get(key) ?? engine.load(text, limitMs);
    loaded.delete(key);
    if (script.ok || !script.isLate) loaded.set(key, script);
    const [oldest] = loaded.keys();
    if (loaded.size > loadedMax && oldest !== undefined) loaded.delete(oldest);
    return script;
  }

  function answer(chunk: Chunk): ChunkAnswer {
    const startedAt = performance.now();
    const script = scriptOf(chunk);
    if (!script.ok && script.isLate) {
      const lateMs = performance.now() - startedAt;
      return { texts: [`e${script.error}`], slowMs: 0, lateMs };
    }
    const made = makeCalls(chunk, script);
    if (engine.hasHeld(script)) return made;
    const again = makeCalls(chunk, script);
    engine.hasHeld(script);
    return { ...again, slowMs: made.slowMs + made.lateMs + again.slowMs };
  }

  function makeCalls(chunk: Chunk, script: LoadedScript): ChunkAnswer {
    const { calls, timeLimitMs, allowanceMs } = chunk;
    const texts: string[] = [];
    let slowMs = 0;
    let at = performance.now();
    for (const [index, call] of calls.entries()) {
      step(index, timeLimitMs);
      const { text, isLate } = engine.run(script, call, timeLimitMs);
      const tookMs = performance.now() - at;
      at += tookMs;
      texts.push(isLate ? `eran longer than ${timeLimitMs} ms` : text);
      if (isLate) return { texts, slowMs, lateMs: tookMs };
      if (tookMs > slowMsMin) slowMs += tookMs;
      if (slowMs > allowanceMs && allowanceMs > 0) break;
    }
    return { texts, slowMs, lateMs: 0 };
  }

  function step(index: number, limitMs: number): void {
    Atomics.store(steps, 1, index);
    Atomics.store(steps, 2, limitMs);
    Atomics.add(steps, 0, 1);
  }

  port.on('message', (chunk: Chunk) => port.postMessage(answer(chunk)));
  port.postMessage(ownThread());
}

if (parentPort !== null) {
  const settings: SandboxSettings = workerData;
  await run(parentPort, settings);
}
