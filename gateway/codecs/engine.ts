/**
 * One QuickJS engine whose memory is put back before every call. All state of the engine lies in
 * one WebAssembly memory, so the image taken after a script was loaded, copied back, is a fresh
 * context with that script: nothing a call does can reach the next one, and there is nothing to
 * prove about the script. Only what was written to has to be copied: see memory-image.ts.
 */
import assert from 'node:assert/strict';
import {
  newQuickJSWASMModuleFromVariant,
  newVariant,
  type QuickJSContext,
  type QuickJSHandle,
  type QuickJSSyncVariant,
  RELEASE_SYNC,
} from 'quickjs-emscripten';
import type { EngineClock } from './engine-clock.ts';
import type { EngineModule } from './engine-module.ts';
import { guestProgram, lookUpProgram, uplinkLayout } from './guest-program.ts';
import type { CodecLimits } from './limits.ts';
import { createMemoryImages, type MemoryImage } from './memory-image.ts';
import { createNumberTexts } from './named-numbers.ts';
import type { SandboxCall, UplinkCall } from './sandbox-messages.ts';
import { standIns } from './stand-ins.ts';
import { createCallTimer, ownThread } from './thread-time.ts';

/** A script that is ready to be called, or why it is not. */
export type LoadedScript =
  | ReadyScript
  | { readonly ok: false; readonly error: string; readonly isLate: boolean };

interface ReadyScript {
  readonly ok: true;
  readonly image: MemoryImage;
  readonly freshSource?: string;
}

export interface Engine {
  load(source: string, timeLimitMs: number): LoadedScript;
  /** One call, with the state as it was after loading, as far as the engine has told what it wrote. */
  run(script: LoadedScript, call: SandboxCall, timeLimitMs: number): EngineAnswer;
  /** Whether that held for all calls since this was asked; else they are to be made again. */
  hasHeld(script: LoadedScript): boolean;
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
  module?: EngineModule,
): Promise<Engine> {
  assert.ok(limits.memoryBytesMax <= 16_777_216, 'a script has at most 16 MiB');
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
  let noteWrite = (_at: number, _length: number) => {};
  const variant = newVariant(RELEASE_SYNC, {
    wasmMemory: memory,
    ...(module === undefined ? {} : { wasmModule: module.wasmModule }),
  });
  const quickJs = await newQuickJSWASMModuleFromVariant(
    watchRequests(variant, (at, length) => noteWrite(at, length)),
  );
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
  const place = findUplinkPlace(memory);
  const numberTexts = createNumberTexts(limits.resultCharactersMax);
  const images = createMemoryImages(memory, module?.layout);
  noteWrite = images.noteWrite;
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

  function makeCall(call: SandboxCall, isText: boolean) {
    const self = context.undefined;
    if ('request' in call) {
      return context.callFunction(runCall, self, context.newString(call.request));
    }
    const { at, length } = place.write(call, isText);
    images.noteWrite(at, length);
    const { settings } = call;
    if (settings === '') return context.callFunction(runUplink, self);
    return context.callFunction(runUplink, self, context.newString(settings));
  }

  /** Undefined when the guest has answered in numbers whose names only a text can tell. */
  function answer(script: ReadyScript, call: SandboxCall, timeLimitMs: number, isText: boolean) {
    images.putBack(script.image);
    start(call.time, timeLimitMs);
    // A script that asks for the time while it loads is loaded anew for each call.
    const error = script.freshSource === undefined ? undefined : evaluate(script.freshSource);
    if (error !== undefined) return { text: `e${error}`, isLate };
    const result = makeCall(call, isText);
    if (result.error) return { text: `e${explain(context, result.error, isLate)}`, isLate };
    const told = context.getString(result.value);
    const { values, namesLength } = place.read();
    if (values.length === 0) return { text: told, isLate: false };
    const text = numberTexts.textOf(told, namesLength, values);
    return text === undefined ? undefined : { text, isLate: false };
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
      return (
        answer(script, call, timeLimitMs, false) ??
        answer(script, call, timeLimitMs, true) ?? { text: 'egave no text', isLate: false }
      );
    },
    hasHeld: (script) => !script.ok || images.isAsTaken(script.image),
  };
}

/** The library writes texts and arguments itself, each time into memory that it asks for. */
function watchRequests(
  variant: QuickJSSyncVariant,
  onRequest: (at: number, length: number) => void,
): QuickJSSyncVariant {
  return {
    ...variant,
    async importModuleLoader() {
      const load = await variant.importModuleLoader();
      assert.ok(typeof load === 'function', 'a variant that was made is loaded by a function');
      return async (options) => {
        const module = await load(options);
        const { _malloc: allocate } = module;
        module._malloc = (length) => {
          const at = allocate(length);
          onRequest(at, length);
          return at;
        };
        return module;
      };
    },
  };
}

/**
 * Where the guest program reads uplinks and leaves the numbers of its answer. The library does not
 * tell where that is: the guest has filled it with a byte that stands nowhere else so often.
 */
function findUplinkPlace(memory: WebAssembly.Memory) {
  const { timeAt, fPortAt, lengthAt, isTextAt, countAt, namesLengthAt } = uplinkLayout;
  const { valuesAt, valuesMax, bytesAt, bytesMax, mark } = uplinkLayout;
  const whole = Buffer.from(memory.buffer);
  const marks = Buffer.alloc(bytesMax, mark);
  const start = whole.indexOf(marks);
  assert.ok(start >= bytesAt, 'the guest has a place for uplinks');
  const fields = new DataView(memory.buffer, start - bytesAt, valuesAt);
  const values = new Float64Array(memory.buffer, start - bytesAt + valuesAt, valuesMax);
  const payload = whole.subarray(start, start + bytesMax).fill(0);
  assert.ok(whole.indexOf(marks) < 0, 'the guest has one place for uplinks');
  return {
    /** Tells what part of the memory it has written to. */
    write({ bytes, fPort, time }: UplinkCall, isText: boolean) {
      const length = payload.write(bytes, 'latin1');
      fields.setFloat64(timeAt, time, true);
      fields.setUint32(fPortAt, fPort, true);
      fields.setUint32(lengthAt, length, true);
      fields.setUint32(isTextAt, isText ? 1 : 0, true);
      return { at: start - bytesAt, length: bytesAt + length };
    },
    /** The values have gone with the next call. */
    read() {
      const count = Math.min(fields.getUint32(countAt, true), valuesMax);
      const namesLength = fields.getUint32(namesLengthAt, true);
      return { values: values.subarray(0, count), namesLength };
    },
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
