/**
 * One QuickJS engine whose whole memory is put back before every call. All state of the engine lies
 * in one WebAssembly memory, so the image taken after a script was loaded, copied back, is a fresh
 * context with that script, at the price of copying some 200 kB: nothing a call does can reach the
 * next one, and there is nothing to prove about the script.
 */
import assert from 'node:assert/strict';
import {
  newQuickJSWASMModuleFromVariant,
  newVariant,
  type QuickJSContext,
  type QuickJSHandle,
  RELEASE_SYNC,
} from 'quickjs-emscripten';
import type { EngineClock } from './engine-clock.ts';
import { guestProgram, lookUpProgram, uplinkLayout } from './guest-program.ts';
import type { CodecLimits } from './limits.ts';
import { createMemoryImages, type MemoryImage } from './memory-image.ts';
import type { SandboxCall, UplinkCall } from './sandbox-messages.ts';
import { standIns } from './stand-ins.ts';
import { createCallTimer, ownThread } from './thread-time.ts';

/** A script that is ready to be called, or why it is not. */
export type LoadedScript =
  | { readonly ok: true; readonly image: MemoryImage; readonly freshSource?: string }
  | { readonly ok: false; readonly error: string; readonly isLate: boolean };

export interface Engine {
  load(source: string, timeLimitMs: number): LoadedScript;
  /** One call, with the state as it was after loading. */
  run(script: LoadedScript, call: SandboxCall, timeLimitMs: number): EngineAnswer;
}

export interface EngineAnswer {
  /** `v` and JSON, or `e` and a message. */
  readonly text: string;
  readonly isLate: boolean;
}

/**
 * 24 MiB, never more: the engine's own 5 MiB of stack, a script's heap, and room to manage them.
 */
const pages = 384;

export async function createEngine(
  limits: CodecLimits,
  clock: EngineClock,
  wasmModule?: WebAssembly.Module,
): Promise<Engine> {
  assert.ok(limits.memoryBytesMax <= 16_777_216, 'a script has at most 16 MiB');
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
  const variant = newVariant(RELEASE_SYNC, {
    wasmMemory: memory,
    ...(wasmModule === undefined ? {} : { wasmModule }),
  });
  const quickJs = await newQuickJSWASMModuleFromVariant(variant);
  clock.set(0);
  const runtime = quickJs.newRuntime({
    memoryLimitBytes: limits.memoryBytesMax,
    maxStackSizeBytes: limits.stackBytesMax,
  });
  const timer = createCallTimer(ownThread());
  let isLate = false;
  timer.start(Number.POSITIVE_INFINITY);
  runtime.setInterruptHandler(() => {
    isLate = timer.isOver();
    return isLate;
  });
  const context = runtime.newContext();
  context.unwrapResult(context.evalCode(standIns, 'stand-ins.js', { type: 'global' }));
  const guest = context.unwrapResult(
    context.evalCode(guestProgram(limits), 'guest.js', { type: 'global' }),
  );
  const adopt = context.getProp(guest, 'adopt');
  const runCall = context.getProp(guest, 'run');
  const runUplink = context.getProp(guest, 'runUplink');
  const write = createUplinkWriter(memory);
  const images = createMemoryImages(memory);
  const base = images.take();

  /** Undefined when the script stands; else what is wrong with it. */
  function evaluate(source: string): string | undefined {
    const loaded = context.evalCode(source, 'codec.js', { type: 'global' });
    if (loaded.error) return explain(context, loaded.error, isLate);
    const found = context.evalCode(lookUpProgram, 'look-up.js', { type: 'global' });
    if (found.error) return explain(context, found.error, isLate);
    const adopted = context.callFunction(adopt, context.undefined, found.value);
    return adopted.error ? explain(context, adopted.error, isLate) : undefined;
  }

  function start(time: number, timeLimitMs: number): void {
    isLate = false;
    timer.start(timeLimitMs);
    clock.set(time);
  }

  function makeCall(call: SandboxCall) {
    const self = context.undefined;
    if ('request' in call) {
      return context.callFunction(runCall, self, context.newString(call.request));
    }
    write(call);
    const { settings } = call;
    if (settings === '') return context.callFunction(runUplink, self);
    return context.callFunction(runUplink, self, context.newString(settings));
  }

  return {
    load(source, timeLimitMs) {
      images.wipe(base);
      start(0, timeLimitMs);
      const readsBefore = clock.reads();
      const error = evaluate(source);
      if (error !== undefined) {
        const late = `ran longer than ${timeLimitMs} ms while it was loaded`;
        return { ok: false, error: isLate ? late : error, isLate };
      }
      const hasReadClock = clock.reads() > readsBefore;
      const image = hasReadClock ? base : images.take();
      return { ok: true, image, ...(hasReadClock ? { freshSource: source } : {}) };
    },
    run(script, call, timeLimitMs) {
      if (!script.ok) return { text: `e${script.error}`, isLate: false };
      images.putBack(script.image);
      start(call.time, timeLimitMs);
      // A script that asks for the time while it loads is loaded anew for each call.
      const error = script.freshSource === undefined ? undefined : evaluate(script.freshSource);
      if (error !== undefined) return { text: `e${error}`, isLate };
      const result = makeCall(call);
      if (result.error) return { text: `e${explain(context, result.error, isLate)}`, isLate };
      return { text: context.getString(result.value), isLate: false };
    },
  };
}

/**
 * Puts uplinks where the guest program reads them. The library does not tell where that is: the
 * guest has filled it with a byte that stands nowhere else so often.
 */
function createUplinkWriter(memory: WebAssembly.Memory) {
  const { timeAt, fPortAt, lengthAt, bytesAt, bytesMax, mark } = uplinkLayout;
  const whole = Buffer.from(memory.buffer);
  const marks = Buffer.alloc(bytesMax, mark);
  const start = whole.indexOf(marks);
  assert.ok(start >= bytesAt, 'the guest has a place for uplinks');
  const fields = new DataView(memory.buffer, start - bytesAt, bytesAt);
  const payload = whole.subarray(start, start + bytesMax).fill(0);
  assert.ok(whole.indexOf(marks) < 0, 'the guest has one place for uplinks');
  return ({ bytes, fPort, time }: UplinkCall) => {
    fields.setFloat64(timeAt, time, true);
    fields.setUint32(fPortAt, fPort, true);
    fields.setUint32(lengthAt, payload.write(bytes, 'latin1'), true);
  };
}

/**
 * Handles made by a call are never given back one by one: the image put back has never known them.
 */
function explain(context: QuickJSContext, error: QuickJSHandle, isLate: boolean): string {
  if (isLate) return 'ran longer than it may';
  const thrown: unknown = context.dump(error);
  if (typeof thrown !== 'object' || thrown === null) return String(thrown).slice(0, 256);
  const { name, message, stack } = { name: '', message: '', stack: '', ...thrown };
  const line = /codec\.js:(\d+)/.exec(String(stack))?.[1];
  const words = name === 'Error' ? String(message) : `${name}: ${message}`;
  return `${words}${line === undefined ? '' : ` (line ${line})`}`.slice(0, 256);
}
