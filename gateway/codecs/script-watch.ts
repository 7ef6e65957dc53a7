/**
 * Keeps the registry level with a directory of scripts: a file that is changed becomes a version as
 * soon as it is sound; one that is broken is told of, and the last good version stays.
 */
import { watchDirectory } from './directory-watch.ts';
import type { CodecLimits } from './limits.ts';
import type { CodecRegistry } from './registry.ts';
import { listScripts, readScript, type ScriptFile } from './script-directory.ts';

export interface ScriptWatch {
  /** Resolves when the directory as it is now has been read. */
  scan(): Promise<void>;
  /** What is wrong in it at present, a sentence for each file. */
  problems(): readonly string[];
  close(): Promise<void>;
}

export interface ScriptWatchParts {
  /** Without one there are no scripts of a directory, and those there were are retired. */
  readonly directory?: string | undefined;
  readonly registry: CodecRegistry;
  readonly limits: CodecLimits;
  /** Called with each problem when it is new. */
  readonly onProblem: (problem: string) => void;
  /** Called with the id of each script that was taken. */
  readonly onTaken?: (id: string) => void;
}

export function createScriptWatch(parts: ScriptWatchParts): ScriptWatch {
  const { directory } = parts;
  const read = createReader(parts);
  let last: Promise<void> = Promise.resolve();

  function scan(): Promise<void> {
    last = last.then(() => read.all(directory)).catch((error) => parts.onProblem(String(error)));
    return last;
  }

  const changes =
    directory === undefined ? undefined : watchDirectory(directory, () => void scan());
  return {
    scan,
    problems: () => read.problems(),
    async close() {
      changes?.close();
      await last;
    },
  };
}

function createReader({ registry, limits, onProblem, onTaken = () => {} }: ScriptWatchParts) {
  const stamps = new Map<string, string>();
  /** By file; the empty name is the directory itself. */
  const problems = new Map<string, readonly string[]>();

  function tell(id: string, found: readonly string[]): void {
    const known = problems.get(id) ?? [];
    if (found.length === 0) problems.delete(id);
    else problems.set(id, found);
    for (const one of found) if (!known.includes(one)) onProblem(one);
  }

  async function one(directory: string, { id, stamp }: ScriptFile): Promise<void> {
    if (stamps.get(id) === stamp) return;
    stamps.set(id, stamp);
    const notes: string[] = [];
    const draft = readScript(directory, id, limits, (note) => notes.push(note));
    if (typeof draft === 'string') {
      tell(id, [`${id}.js: ${draft}`]);
      return;
    }
    const by = { origin: 'directory', name: 'directory', takesFaulty: true } as const;
    const before = registry.get(id)?.current;
    const outcome = await registry.put(id, draft, by);
    const kept = outcome.ok || before === undefined ? '' : '; the version before it stays';
    const wrong = outcome.problems.slice(0, 1).map((words) => `${id}.js: ${words}${kept}`);
    tell(id, [...notes, ...wrong]);
    if (outcome.ok && outcome.record.current !== before) onTaken(id);
  }

  async function all(directory: string | undefined): Promise<void> {
    let files: readonly ScriptFile[] = [];
    try {
      files = directory === undefined ? [] : listScripts(directory);
      tell('', []);
    } catch (error) {
      // It may be back in a moment: what was read of it stays until then.
      tell('', [`the directory cannot be read: ${String(error)}`]);
      return;
    }
    for (const file of files) await one(directory ?? '', file);
    const present = new Set(files.map(({ id }) => id));
    for (const id of stamps.keys()) {
      if (present.has(id)) continue;
      stamps.delete(id);
      tell(id, []);
    }
    for (const { id, origin } of registry.list()) {
      if (origin === 'directory' && !present.has(id)) registry.retire(id);
    }
  }

  return { all, problems: () => [...problems.values()].flat() };
}
