/** A call in the kept engine gives what it gives in a context that was made for it alone. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  newQuickJSWASMModuleFromVariant,
  type QuickJSWASMModule,
  RELEASE_SYNC,
} from 'quickjs-emscripten';
import { createEngine, type Engine } from '../../gateway/codecs/engine.ts';
import { engineModule } from '../../gateway/codecs/engine-module.ts';
import { guestProgram, lookUpProgram } from '../../gateway/codecs/guest-program.ts';
import { codecLimits } from '../../gateway/codecs/limits.ts';
import type { RequestCall, UplinkCall } from '../../gateway/codecs/sandbox-messages.ts';
import { standIns } from '../../gateway/codecs/stand-ins.ts';
import { memorable, time, uplinkRequest } from './scripts.ts';

const realNow = Date.now;
let now = 0;
let reads = 0;
const clock = {
  set(given: number) {
    now = given;
  },
  reads: () => reads,
};

/** Without images: a new runtime and context, the script, one call. */
function runFresh(quickJs: QuickJSWASMModule, source: string, call: RequestCall): string {
  clock.set(0);
  const runtime = quickJs.newRuntime({ memoryLimitBytes: codecLimits.memoryBytesMax });
  const context = runtime.newContext();
  const evaluate = (text: string) =>
    context.unwrapResult(context.evalCode(text, 'codec.js', { type: 'global' }));
  evaluate(standIns).dispose();
  const guest = evaluate(guestProgram(codecLimits));
  clock.set(call.time);
  evaluate(source).dispose();
  const found = evaluate(lookUpProgram);
  const [adopt, run] = [context.getProp(guest, 'adopt'), context.getProp(guest, 'run')];
  context.unwrapResult(context.callFunction(adopt, context.undefined, found)).dispose();
  const request = context.newString(call.request);
  const result = context.unwrapResult(context.callFunction(run, context.undefined, request));
  const text = context.getString(result);
  for (const handle of [result, request, adopt, run, found, guest]) handle.dispose();
  context.dispose();
  runtime.dispose();
  return text;
}

/** The same uplink as the gateway hands it over. */
function plainly({ request, time: at }: RequestCall): UplinkCall {
  const { bytes, fPort, variables } = JSON.parse(request);
  const settings = Object.keys(variables).length === 0 ? '' : JSON.stringify({ variables });
  return { bytes: Buffer.from(bytes).toString('latin1'), fPort, time: at, settings };
}

/** The same order on every run. */
function shuffled<T>(list: readonly T[]): T[] {
  let state = 42;
  const keyed = list.map((one) => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return { one, key: state };
  });
  return keyed.sort((left, right) => left.key - right.key).map(({ one }) => one);
}

describe.each([
  { name: 'Kept state', marks: true },
  { name: 'Kept state of an engine that does not mark what it writes', marks: false },
])('$name', ({ marks }) => {
  let engine: Engine;
  let quickJs: QuickJSWASMModule;

  beforeAll(async () => {
    Date.now = () => {
      reads += 1;
      return now;
    };
    const module = await engineModule();
    expect(module).toBeDefined();
    engine = await createEngine(codecLimits, clock, marks ? module : undefined);
    quickJs = await newQuickJSWASMModuleFromVariant(RELEASE_SYNC);
  });

  afterAll(() => {
    Date.now = realNow;
  });

  it('equals a context for each message, over shuffled messages of many devices', () => {
    const scripts = Object.entries(memorable).map(([name, source]) => ({
      name,
      source,
      loaded: engine.load(source, 10_000),
    }));
    const messages = shuffled(
      scripts.flatMap((script) => Array.from({ length: 25 }, (_, device) => ({ script, device }))),
    );
    for (const { script, device } of messages) {
      const variables = device % 2 === 0 ? {} : { height: String(device) };
      const part = { fPort: 2, variables };
      const call = uplinkRequest([device, 200, 7], part, time + device * 1_000);
      const text = runFresh(quickJs, script.source, call);
      const asRequest = engine.run(script.loaded, call, 10_000).text;
      const asUplink = engine.run(script.loaded, plainly(call), 10_000).text;
      const { name } = script;
      expect({ name, asRequest, asUplink }).toEqual({ name, asRequest: text, asUplink: text });
    }
  });

  it('is all there, byte for byte, after calls of every kind of script', () => {
    for (const [name, source] of Object.entries(memorable)) {
      const script = engine.load(source, 10_000);
      for (let length = 0; length < 48; length += 1) {
        const bytes = Array.from({ length }, (_, place) => (place * 37 + length * 11) & 0xff);
        const call = uplinkRequest(bytes, { fPort: 1 + (length % 3) }, time + length);
        const isRequest = length % 3 === 0;
        engine.run(script, isRequest ? call : plainly(call), 10_000);
        expect({ name, length, hasHeld: engine.hasHeld(script) }).toEqual({
          ...{ name, length, hasHeld: true },
        });
      }
    }
  });

  it('is as before after a call that used up its memory', () => {
    const bomb = engine.load(
      'var kept = 0; function decodeUplink(i) { kept++; if (i.fPort === 9) for (var a = []; ; ) a.push({}); return { data: { kept: kept } } }',
      10_000,
    );
    const run = (fPort: number) => engine.run(bomb, uplinkRequest([1], { fPort }), 10_000).text;
    expect(run(1)).toBe('v{"data":{"kept":1}}');
    expect(run(9)).toContain('out of memory');
    expect(run(1)).toBe('v{"data":{"kept":1}}');
  });

  it('shows the time of the uplink, and while loading that of the same uplink', () => {
    const source = memorable['a clock read on load'] ?? '';
    const { text } = engine.run(engine.load(source, 10_000), uplinkRequest([1]), 10_000);
    expect(text).toBe(`v{"data":{"loadedAt":${time},"calls":1}}`);
  });
});
