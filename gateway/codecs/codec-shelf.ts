/**
 * The codecs on disk as the derive worker reads them: a script is read when the first uplink asks
 * for it, and again once it is told that the codec has changed.
 */
import { openCodecFiles, scriptIn, versionIn } from './codec-files.ts';
import { parseReference, type Script } from './script.ts';

export interface CodecShelf {
  /** What a device's `codec` means: an id, or an id with a pinned version. */
  script(reference: string): Script | undefined;
  /** The codec has changed, or is gone. */
  forget(id: string): void;
}

/** References kept; all are read again once there are more. */
const keptMax = 20_000;

export function openCodecShelf(
  directory: string,
  onProblem: (detail: string) => void = () => {},
): CodecShelf {
  const files = openCodecFiles(directory);
  const kept = new Map<string, Script | undefined>();

  function read(reference: string): Script | undefined {
    const { id, pin } = parseReference(reference);
    try {
      const record = files.read(id);
      const version = record === undefined ? undefined : versionIn(record, pin);
      if (record === undefined || version === undefined) return undefined;
      return scriptIn(record, version, files.source(version.key));
    } catch (error) {
      onProblem(`${id}: it cannot be read: ${String(error)}`);
      return undefined;
    }
  }

  return {
    script(reference) {
      const found = kept.get(reference);
      if (found !== undefined || kept.has(reference)) return found;
      if (kept.size >= keptMax) kept.clear();
      const script = read(reference);
      kept.set(reference, script);
      return script;
    },
    forget(id) {
      for (const reference of kept.keys()) {
        if (parseReference(reference).id === id) kept.delete(reference);
      }
    },
  };
}
