/** Whether a script may become a version of a codec: its size, whether it loads, its examples. */
import { findCodec } from '../../decoders/registry.ts';
import { readExample } from './check/example.ts';
import { runScript } from './check/run-examples.ts';
import { codecIdPattern } from './codec-files.ts';
import type { CodecLimits } from './limits.ts';
import type { Sandbox } from './sandbox.ts';
import {
  callOf,
  codecVersion,
  type Dialect,
  type Script,
  type ScriptSettings,
  versionOf,
} from './script.ts';

/** What somebody wants to become a version of a codec. */
export interface CodecDraft extends ScriptSettings {
  readonly source: string;
  /** The name for people; the id if absent. */
  readonly title?: string;
  /** `description`, `input: {bytes, fPort}`, `output: {data}` each, as device repositories do. */
  readonly examples: readonly unknown[];
  /** What is wrong with what was said beside the text; with any, it is not taken. */
  readonly problems?: readonly string[];
}

export interface CheckParts {
  readonly sandbox: Sandbox;
  readonly limits: CodecLimits;
  /** What the clock shows to examples that name no time, epoch milliseconds. */
  readonly now: number;
}

const examplesMax = 1_000;
/** Wrong examples that are told; the first ones say enough. */
const toldMax = 20;

/** Undefined for an id that a codec of this gateway may have. */
export function idProblem(id: string): string | undefined {
  if (!codecIdPattern.test(id)) return 'the name has characters that an id may not have';
  return findCodec(id) === undefined ? undefined : 'a built-in codec has this name';
}

/** The draft as the script that it would be. */
export function draftScript(id: string, draft: CodecDraft): Script {
  const { source, title = id, variables, dialect, mapping } = draft;
  const key = versionOf(source);
  const version = codecVersion(key, draft);
  const settings = { variables, ...(dialect && { dialect }), ...(mapping && { mapping }) };
  return { id, title, key, version, source, ...settings };
}

/** Sentences on what is wrong; none when it may be taken. */
export async function checkDraft(draft: CodecDraft, parts: CheckParts): Promise<string[]> {
  const { sandbox, limits, now } = parts;
  if (draft.problems !== undefined) return [...draft.problems];
  const bytes = Buffer.byteLength(draft.source);
  if (bytes > limits.scriptBytesMax) return [`larger than ${limits.scriptBytesMax} bytes`];
  if (draft.examples.length > examplesMax) return [`more than ${examplesMax} examples`];
  const script = { key: versionOf(draft.source), source: draft.source };
  const [texts] = await sandbox.run([{ script, calls: [callOf(now, { kind: 'functions' })] }]);
  const problem = functionsProblem(texts?.[0] ?? 'eno answer', draft.dialect);
  if (problem !== undefined) return [problem];
  return (await exampleProblems(draft, script, parts)).slice(0, toldMax);
}

function functionsProblem(text: string, dialect: Dialect | undefined): string | undefined {
  if (!text.startsWith('v')) return text.slice(1);
  const found: unknown = JSON.parse(text.slice(1));
  const wanted = dialect === undefined ? ['decodeUplink', 'Decode', 'Decoder'] : [dialect];
  const hasOne = Array.isArray(found) && wanted.some((name) => found.includes(name));
  return hasOne ? undefined : `the script has no ${wanted.join(', ')}`;
}

async function exampleProblems(
  { examples, variables, dialect }: CodecDraft,
  script: { readonly key: string; readonly source: string },
  parts: CheckParts,
): Promise<string[]> {
  const read = examples.map((given) =>
    readExample(given, { kind: 'uplink', file: 'examples', script: 'script' }),
  );
  const problems = read.flatMap((one, at) =>
    typeof one === 'string' ? `example ${at + 1}: ${one}` : [],
  );
  const sound = read.flatMap((one) => (typeof one === 'string' ? [] : one));
  const settings = { variables, ...(dialect && { dialect }) };
  const verdicts = await runScript(script, sound, { ...parts, settings });
  const failed = verdicts.flatMap((verdict, at) =>
    verdict.outcome === 'failed'
      ? `example ${at + 1} (${sound[at]?.description ?? ''}): ${verdict.difference}`
      : [],
  );
  return [...problems, ...failed];
}
