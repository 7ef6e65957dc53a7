/**
 * The codec scripts of a gateway and their versions, on disk under `dataDir/codecs`. A version is
 * taken only once it loads and its examples pass; the one before stays until then. Another process
 * may write there too (`fieldgate codecs import`): what it changed is seen at the next `refresh`.
 */
import type { Clock } from '../model/clock.ts';
import { type CodecDraft, checkDraft, idProblem } from './codec-check.ts';
import {
  type CodecFiles,
  type CodecOrigin,
  type CodecRecord,
  type CodecVersion,
  openCodecFiles,
  scriptIn,
  versionIn,
} from './codec-files.ts';
import type { CodecLimits } from './limits.ts';
import type { Sandbox } from './sandbox.ts';
import { codecVersion, parseReference, type Script, versionOf } from './script.ts';

export interface CodecRegistry {
  /** In ascending order of their ids. */
  list(): readonly CodecRecord[];
  get(id: string): CodecRecord | undefined;
  /** What a device's `codec` means; undefined where there is none. Throws when the disk fails. */
  script(reference: string): Script | undefined;
  /** The text of one version. */
  source(version: CodecVersion): string;
  /** One after the other. Rejects only when the disk fails. */
  put(id: string, draft: CodecDraft, by: PutBy): Promise<PutOutcome>;
  /** What `put` would say, without putting. */
  check(id: string, draft: CodecDraft): Promise<readonly string[]>;
  /** Forgets a codec and its versions; false when there was none. */
  delete(id: string): boolean;
  /** Devices that follow it have no codec any more; its versions stay for those that pin one. */
  retire(id: string): void;
  /** Reads what another process has changed. */
  refresh(): void;
  /** Records that cannot be read. */
  problems(): readonly string[];
  /** Called with the id after each change. */
  onChange(listener: (id: string) => void): void;
}

export interface PutBy {
  readonly origin: CodecOrigin;
  /** Who or what. */
  readonly name: string;
  /** Takes a first version whatever is wrong with it, so that its uplinks say so. */
  readonly takesFaulty?: boolean;
}

export type PutOutcome =
  | {
      readonly ok: true;
      readonly record: CodecRecord;
      readonly isNew: boolean;
      /** Of one that was taken all the same. */
      readonly problems: readonly string[];
    }
  | { readonly ok: false; readonly reason: PutRefusal; readonly problems: readonly string[] };

/** `invalid` is the script's fault; the others are what is here already. */
export type PutRefusal = 'invalid' | 'owned' | 'full';

export interface RegistryParts {
  readonly directory: string;
  readonly limits: CodecLimits;
  readonly sandbox: Sandbox;
  readonly clock: Clock;
}

/** Versions kept of one codec; the oldest text goes first, never the current one's. */
export const versionsMax = 50;

interface Kept {
  readonly stamp: string | undefined;
  readonly record: CodecRecord | undefined;
  readonly problem?: string;
}

export function openCodecRegistry(parts: RegistryParts): CodecRegistry {
  const { limits, sandbox, clock } = parts;
  const files = openCodecFiles(parts.directory);
  const kept = new Map<string, Kept>();
  const listeners: ((id: string) => void)[] = [];
  let last: Promise<unknown> = Promise.resolve();

  function changed(id: string): void {
    kept.set(id, keep(files, id));
    if (kept.get(id)?.stamp === undefined) kept.delete(id);
    for (const listener of listeners) listener(id);
  }

  function refresh(): void {
    const ids = new Set([...files.ids(), ...kept.keys()]);
    for (const id of ids) if (files.stamp(id) !== kept.get(id)?.stamp) changed(id);
  }

  const get = (id: string) => kept.get(id)?.record;
  const records = () => [...kept.values()].flatMap(({ record }) => record ?? []);

  /** Texts are shared by all codecs that have them. */
  function removeUnused(keys: readonly string[]): void {
    const used = new Set(records().flatMap(({ versions }) => versions.map(({ key }) => key)));
    for (const key of keys) if (!used.has(key)) files.removeSource(key);
  }

  async function put(id: string, given: CodecDraft, by: PutBy): Promise<PutOutcome> {
    refresh();
    const before = get(id);
    const draft = by.origin === 'directory' ? given : withKept(given, before);
    const refusal = refusalOf(id, before, by, kept.size, limits);
    if (refusal !== undefined) return refusal;
    const version = codecVersion(versionOf(draft.source), draft);
    const isPassed =
      draft.problems === undefined &&
      before?.versions.some((one) => isPassedBefore(one, version, draft)) === true;
    const problems = isPassed ? [] : await checkDraft(draft, { sandbox, limits, now: clock.now() });
    const isTaken = problems.length === 0 || (by.takesFaulty === true && before === undefined);
    if (!isTaken) return { ok: false, reason: 'invalid', problems };
    const isNew = before === undefined;
    if (isPassed && before?.current === version && before.title === (draft.title ?? before.title))
      return { ok: true, record: before, isNew, problems };
    const isSound = problems.length === 0;
    const entry = { ...entryOf(draft, version, by, clock.now()), isSound };
    const record = recordOf(id, before, draft, entry, by);
    files.write(record, draft.source);
    changed(id);
    removeUnused((before?.versions ?? []).map(({ key }) => key));
    return { ok: true, record, isNew, problems };
  }

  refresh();
  return {
    list: () => records().sort((left, right) => (left.id < right.id ? -1 : 1)),
    get,
    source: ({ key }) => files.source(key),
    script(reference) {
      const { id, pin } = parseReference(reference);
      const record = get(id);
      const version = record === undefined ? undefined : versionIn(record, pin);
      if (record === undefined || version === undefined) return undefined;
      return scriptIn(record, version, files.source(version.key));
    },
    put(id, draft, by) {
      const result = last.then(() => put(id, draft, by));
      last = result.catch(() => {});
      return result;
    },
    async check(id, given) {
      const draft = withKept(given, get(id));
      const problem = idProblem(id);
      if (problem !== undefined) return [problem];
      return checkDraft(draft, { sandbox, limits, now: clock.now() });
    },
    delete(id) {
      const record = get(id);
      if (record === undefined && kept.get(id) === undefined) return false;
      files.remove(id);
      changed(id);
      removeUnused((record?.versions ?? []).map(({ key }) => key));
      return true;
    },
    retire(id) {
      const record = get(id);
      if (record?.current === undefined) return;
      const { current: _current, ...rest } = record;
      files.write(rest);
      changed(id);
    },
    refresh,
    problems: () => [...kept.values()].flatMap(({ problem }) => problem ?? []),
    onChange: (listener) => void listeners.push(listener),
  };
}

/**
 * A new text has the mapping of the version before it, unless it brings one: a person has written
 * it for fields that most texts still have, and an import knows nothing of it.
 */
export function withKept(draft: CodecDraft, record: CodecRecord | undefined): CodecDraft {
  if (draft.mapping !== undefined || draft.problems !== undefined) return draft;
  const mapping = record && versionIn(record, undefined)?.mapping;
  return mapping === undefined ? draft : { ...draft, mapping };
}

function keep(files: CodecFiles, id: string): Kept {
  const stamp = files.stamp(id);
  try {
    return { stamp, record: files.read(id) };
  } catch (error) {
    const [line] = (error instanceof Error ? error.message : String(error)).split('\n');
    return { stamp, record: undefined, problem: `${id}: its record cannot be read: ${line}` };
  }
}

function refusalOf(
  id: string,
  before: CodecRecord | undefined,
  { origin }: PutBy,
  count: number,
  { scriptsMax }: CodecLimits,
): PutOutcome | undefined {
  const problem = idProblem(id);
  if (problem !== undefined) return { ok: false, reason: 'invalid', problems: [problem] };
  if (before === undefined && count >= scriptsMax) {
    return { ok: false, reason: 'full', problems: [`there are ${scriptsMax} codecs already`] };
  }
  if (before?.current === undefined || isOwnOf(before.origin, origin)) return undefined;
  const owner =
    before.origin === 'directory'
      ? 'its file in the directory of scripts'
      : 'what was uploaded or imported';
  return { ok: false, reason: 'owned', problems: [`a codec of this name comes from ${owner}`] };
}

/** Uploads and imports replace each other; a file of the directory is changed there. */
function isOwnOf(held: CodecOrigin, wanted: CodecOrigin): boolean {
  return (held === 'directory') === (wanted === 'directory');
}

function isPassedBefore(one: CodecVersion, version: string, { examples }: CodecDraft): boolean {
  return one.version === version && one.isSound && one.examples === examples.length;
}

function entryOf(draft: CodecDraft, version: string, by: PutBy, addedAt: number) {
  const { source, dialect, variables, examples, mapping = [] } = draft;
  const [key, bytes] = [versionOf(source), Buffer.byteLength(source)];
  const told = { addedAt, addedBy: by.name, variables, examples: examples.length };
  const rules = mapping.length === 0 ? {} : { mapping: [...mapping] };
  return { version, key, bytes, ...told, ...(dialect && { dialect }), ...rules };
}

/** A version that was here before comes back as it was, as the current one. */
function recordOf(
  id: string,
  before: CodecRecord | undefined,
  draft: CodecDraft,
  entry: CodecVersion,
  { origin }: PutBy,
): CodecRecord {
  const others = (before?.versions ?? []).filter(({ version }) => version !== entry.version);
  const versions = [...others.slice(-(versionsMax - 1)), entry];
  const title = draft.title ?? before?.title ?? id;
  return { format: 1, id, title, origin, current: entry.version, versions };
}
