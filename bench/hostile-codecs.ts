/**
 * What twelve hostile codecs cost the devices beside them: a steady stream of honest uplinks goes
 * through the sandbox pass by pass, as in the derive worker; hostile ones arrive among them, first
 * each codec by itself, then all at once, as codecs that nobody knows and as ones that have done
 * well before. Told are the worst delays of an honest uplink from its
 * arrival to its values, and the memory that is not given back.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { codecLimits } from '../gateway/codecs/limits.ts';
import { type Script, versionOf } from '../gateway/codecs/script.ts';
import {
  openScriptCodecs,
  type ScriptCodecs,
  type ScriptInput,
} from '../gateway/codecs/script-codecs.ts';

export interface HostileFigures {
  /** Milliseconds; each codec by itself. */
  readonly alone: readonly { readonly what: string; readonly delayMs: number }[];
  readonly togetherMs: number;
  /** The same twelve at once, each of which has given data for a while and is trusted. */
  readonly turnedMs: number;
  /** With nobody hostile. */
  readonly quietMs: number;
  /** Resident memory that the worst round has left behind in a sandbox that stays open. */
  readonly keptMb: number;
  /** Honest uplinks that were not decoded, and hostile ones that were. */
  readonly wrong: number;
}

/** Bodies of decodeUplink. */
const hostile: Readonly<Record<string, string>> = {
  throws: 'throw new Error("frame too short")',
  loops: 'for (;;) try { for (;;); } catch (e) {}',
  'recurses without end': 'function f() { return f() + 1; } return f()',
  'allocates without end': 'for (var a = []; ; ) a.push({ x: 1 })',
  'returns 10 MB': 'return { data: { s: "x".repeat(1e7) } }',
  'returns NaN': 'return { data: { t: 0 / 0 } }',
  'returns functions': 'return { data: { t: function () {} } }',
  'returns cycles': 'var d = {}; d.d = d; return { data: d }',
  'returns prototype keys': 'return { data: JSON.parse(\'{"__proto__":1}\') }',
  'returns 10,000 fields':
    'var d = {}; for (var i = 0; i < 1e4; i++) d["f" + i] = i; return { data: d }',
  'matches without end': 'return { data: { t: /^(a+)+$/.test("a".repeat(40) + "b") } }',
  'searches where it cannot be stopped':
    'var s = "x".repeat(1e6); for (;;) s.indexOf("y" + Math.random())',
};

const honestScripts = 20;
/** On this port a codec does what it is here for; on others it gives data. */
const ownPort = 1;
/** Honest uplinks a second, and what a codec gets of hostile ones in each burst. */
const honestRate = 1_000;
const hostileUplinks = 5;
const roundMs = 2_000;
const batchMax = 2_000;
/** For threads to end and what they held to be given back. */
const settleMs = 1_000;

function scriptsOf(): ReadonlyMap<string, Script> {
  const honest = Array.from({ length: honestScripts }, (_, at): [string, string] => [
    `honest-${at}`,
    `return { data: { temperature: input.bytes[0] / 10, humidity: ${at} } }`,
  ]);
  return new Map(
    [...honest, ...Object.entries(hostile)].map(([id, body]) => {
      const well = `if (input.fPort !== ${ownPort}) return { data: { ok: 1 } };`;
      const source = `function decodeUplink(input) { ${well} ${body} }`;
      const key = versionOf(source);
      return [id, { id, title: id, variables: {}, source, key, version: key }];
    }),
  );
}

interface Arrival {
  readonly input: ScriptInput;
  readonly at: number;
  readonly isHonest: boolean;
}

function arrival(codec: string, at: number, fPort = ownPort): Arrival {
  const input = { codec, bytes: Uint8Array.of(215), fPort, time: Date.UTC(2026, 0, 1) };
  return { input, at, isHonest: codec.startsWith('honest') };
}

/** Plays a round; the hostile uplinks arrive in its middle. */
async function play(codecs: ScriptCodecs, hostileNames: readonly string[]) {
  const begin = performance.now();
  let sent = 0;
  let worstMs = 0;
  let wrong = 0;
  let waiting: Arrival[] = [];
  let left = hostileNames.flatMap((name) => Array.from({ length: hostileUplinks }, () => name));
  const arrive = (now: number) => {
    for (; sent < ((now - begin) * honestRate) / 1_000; sent += 1) {
      const at = begin + (sent * 1_000) / honestRate;
      waiting.push(arrival(`honest-${sent % honestScripts}`, at));
    }
    if (now - begin < roundMs / 2) return;
    waiting.push(...left.map((name) => arrival(name, now)));
    left = [];
  };
  while (performance.now() - begin < roundMs || waiting.length > 0) {
    if (performance.now() - begin < roundMs) arrive(performance.now());
    const pass = waiting.slice(0, batchMax);
    waiting = waiting.slice(batchMax);
    const decoded = await codecs.inPass.decode(pass.map(({ input }) => input));
    const now = performance.now();
    for (const [place, { at, isHonest }] of pass.entries()) {
      if (isHonest) worstMs = Math.max(worstMs, now - at);
      if (decoded[place]?.ok !== isHonest) wrong += 1;
    }
    await wait(5);
  }
  return { worstMs, wrong };
}

const toMb = 1 / 1_048_576;

export async function hostileCodecs(): Promise<HostileFigures> {
  const scripts = scriptsOf();
  const open = () =>
    openScriptCodecs({
      ...{ limits: codecLimits, isShared: true },
      script: (reference) => scripts.get(reference),
    });
  let wrong = 0;
  let keptMb = 0;
  // Each codec meets a sandbox that is warm and has never heard of it, or nothing but good.
  const fresh = async (names: readonly string[], { isKnown = false } = {}) => {
    const codecs = open();
    const well = names.map((name) => arrival(name, 0, ownPort + 1).input);
    for (let times = 0; isKnown && times < 3; times += 1) await codecs.decode(well);
    await play(codecs, []);
    const before = process.memoryUsage().rss;
    const round = await play(codecs, names);
    await wait(settleMs);
    keptMb = Math.max(keptMb, (process.memoryUsage().rss - before) * toMb);
    wrong += round.wrong;
    await codecs.close();
    return round.worstMs;
  };
  const quietMs = await fresh([]);
  const alone: { what: string; delayMs: number }[] = [];
  for (const what of Object.keys(hostile)) alone.push({ what, delayMs: await fresh([what]) });
  const togetherMs = await fresh(Object.keys(hostile));
  const turnedMs = await fresh(Object.keys(hostile), { isKnown: true });
  return { alone, togetherMs, turnedMs, quietMs, keptMb, wrong };
}
