/** Runs examples in the sandbox and says of each whether it passed, failed or was left out. */
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { memberOf } from '../decoded-result.ts';
import type { CodecLimits } from '../limits.ts';
import type { Sandbox } from '../sandbox.ts';
import type { SandboxCall, SandboxScript } from '../sandbox-messages.ts';
import { callOf, type ScriptSettings, versionOf } from '../script.ts';
import { type Comparison, compare, type Rule } from './compare.ts';
import type { Example } from './example.ts';

export type Verdict =
  | { readonly outcome: 'passed'; readonly rules: readonly Rule[] }
  | { readonly outcome: 'failed'; readonly difference: string }
  | { readonly outcome: 'skipped'; readonly reason: string };

export interface Checked {
  readonly example: Example;
  readonly verdict: Verdict;
}

export interface RunOptions {
  readonly directory: string;
  readonly limits: CodecLimits;
  readonly sandbox: Sandbox;
  /** What the clock shows to examples that name no time, epoch milliseconds. */
  readonly now: number;
  readonly onProgress: (done: number) => void;
}

/** In the order of their scripts. */
export async function runExamples(
  examples: readonly Example[],
  options: RunOptions,
): Promise<readonly Checked[]> {
  const checked: Checked[] = [];
  for (const [path, own] of groupByScript(examples)) {
    const script = readScript(join(options.directory, path), options.limits);
    const verdicts =
      typeof script === 'string'
        ? own.map((): Verdict => ({ outcome: 'skipped', reason: script }))
        : await runScript(script, own, options);
    for (const [at, example] of own.entries()) {
      const verdict = verdicts[at];
      if (verdict !== undefined) checked.push({ example, verdict });
    }
    options.onProgress(checked.length);
  }
  return checked;
}

function groupByScript(examples: readonly Example[]): ReadonlyMap<string, Example[]> {
  const groups = new Map<string, Example[]>();
  for (const example of examples) {
    const group = groups.get(example.script);
    if (group === undefined) groups.set(example.script, [example]);
    else group.push(example);
  }
  return groups;
}

function readScript(path: string, limits: CodecLimits): SandboxScript | string {
  const size = statSync(path, { throwIfNoEntry: false })?.size;
  if (size === undefined) return 'its script is not in the directory';
  if (size > limits.scriptBytesMax)
    return `its script has more than ${limits.scriptBytesMax} bytes`;
  const source = readFileSync(path, 'utf8');
  return { source, key: versionOf(source) };
}

export interface ScriptRunOptions extends Pick<RunOptions, 'sandbox' | 'now'> {
  /** How the gateway calls it, where that is known. */
  readonly settings?: ScriptSettings;
}

/** One verdict for each example, in order. */
export async function runScript(
  script: SandboxScript,
  examples: readonly Example[],
  { sandbox, now, settings }: ScriptRunOptions,
): Promise<Verdict[]> {
  const calls = examples.map((example) => requestOf(example, now, settings));
  const [texts = []] = await sandbox.run([{ script, calls }]);
  return examples.map((example, at): Verdict => {
    const { skip } = example;
    if (skip !== undefined) return { outcome: 'skipped', reason: skip };
    return verdictOf(example, texts[at] ?? 'eno answer');
  });
}

function requestOf(
  { kind, input }: Example,
  now: number,
  settings: ScriptSettings | undefined,
): SandboxCall {
  const { recvTime = now, variables, ...rest } = input;
  const { dialect, variables: own = {} } = settings ?? {};
  const given = typeof variables === 'object' ? variables : {};
  return callOf(recvTime, { kind, dialect, variables: { ...own, ...given }, ...rest });
}

function verdictOf({ expected }: Example, text: string): Verdict {
  if (!text.startsWith('v')) return { outcome: 'failed', difference: text.slice(1) };
  const actual: unknown = JSON.parse(text.slice(1));
  const rules: Rule[] = [];
  for (const [name, compared] of comparisons(expected, actual)) {
    if (!compared.equal) return { outcome: 'failed', difference: compared.difference };
    if (name !== 'errors') rules.push(...compared.rules);
  }
  return { outcome: 'passed', rules };
}

/** Whoever expects an error does not say what else there is. */
function* comparisons(expected: Example['expected'], actual: unknown) {
  const { errors = [], warnings = [], normalized } = expected;
  const hasFailed = Array.isArray(errors) && errors.length > 0;
  yield ['errors', compare(errors, memberOf(actual, 'errors') ?? [], 'errors')] as const;
  if (hasFailed) return;
  yield ['warnings', compare(warnings, memberOf(actual, 'warnings') ?? [], 'warnings')] as const;
  for (const name of ['data', 'bytes', 'fPort'] as const) {
    if (expected[name] === undefined) continue;
    yield [name, compare(expected[name], memberOf(actual, name), name)] as const;
  }
  if (normalized !== undefined)
    yield ['normalized', compareNormalized(normalized, actual)] as const;
}

/** One measurement may stand for a list of one. */
function compareNormalized(expected: unknown, actual: unknown): Comparison {
  const listOf = (given: unknown) => {
    const data = memberOf(given, 'data');
    return Array.isArray(data) ? data : [data];
  };
  return compare(listOf(expected), listOf(memberOf(actual, 'normalized')), 'normalized');
}
