/**
 * Codecs on disk: `<id>.json` says what there is to know of one and which versions it has had, and
 * `sources/<hash>.js` holds a text. Each file is replaced as a whole, so that a reader on another
 * thread, or another process, never sees half of one.
 */
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { fieldRules } from '../../config/field-rule-schema.ts';
import { dialects, type Script, versionOf } from './script.ts';

export const codecIdPattern = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/;

const hash = z.string().regex(/^[0-9a-f]{64}$/);

const versionEntry = z.strictObject({
  version: hash,
  /** The hash of the text, which is the name of its file. */
  key: hash,
  bytes: z.number(),
  /** Epoch milliseconds, and who or what put it here. */
  addedAt: z.number(),
  addedBy: z.string(),
  dialect: z.enum(dialects).exactOptional(),
  variables: z.record(z.string(), z.string()),
  mapping: fieldRules.exactOptional(),
  /** How many examples came with it. */
  examples: z.number(),
  /** False for a first version that was taken although it does not load, or fails its examples. */
  isSound: z.boolean(),
});

const codecRecord = z.strictObject({
  format: z.literal(1),
  id: z.string().regex(codecIdPattern),
  title: z.string(),
  origin: z.enum(['upload', 'directory', 'import']),
  /** The version that devices follow; none once its file has left the directory of scripts. */
  current: hash.exactOptional(),
  /** The newest last. */
  versions: z.array(versionEntry),
});

export type CodecVersion = Readonly<z.infer<typeof versionEntry>>;
export type CodecRecord = Readonly<z.infer<typeof codecRecord>>;
export type CodecOrigin = CodecRecord['origin'];

export interface CodecFiles {
  ids(): string[];
  /** Changes with the file; undefined without one. */
  stamp(id: string): string | undefined;
  /** Undefined without one; throws when it cannot be read. */
  read(id: string): CodecRecord | undefined;
  write(record: CodecRecord, source?: string): void;
  remove(id: string): void;
  /** Throws when the text is gone or is not what was written. */
  source(key: string): string;
  removeSource(key: string): void;
}

export function openCodecFiles(directory: string): CodecFiles {
  const sources = join(directory, 'sources');
  const recordPath = (id: string) => join(directory, `${id}.json`);
  const sourcePath = (key: string) => join(sources, `${key}.js`);

  function replace(path: string, text: string): void {
    const temporary = `${path}.${process.pid}.tmp`;
    writeFileSync(temporary, text, { mode: 0o600, flush: true });
    renameSync(temporary, path);
  }

  return {
    ids() {
      if (!existsSync(directory)) return [];
      const names = readdirSync(directory).filter((name) => name.endsWith('.json'));
      return names.map((name) => name.slice(0, -'.json'.length)).sort();
    },
    stamp(id) {
      const found = statSync(recordPath(id), { throwIfNoEntry: false });
      return found === undefined ? undefined : `${found.mtimeMs}:${found.size}:${found.ino}`;
    },
    read(id) {
      if (!codecIdPattern.test(id) || !existsSync(recordPath(id))) return undefined;
      const found = codecRecord.parse(JSON.parse(readFileSync(recordPath(id), 'utf8')));
      if (found.id !== id) throw new Error('it is the record of another codec');
      return found;
    },
    write(record, source) {
      mkdirSync(sources, { recursive: true, mode: 0o700 });
      if (source !== undefined) replace(sourcePath(versionOf(source)), source);
      replace(recordPath(record.id), JSON.stringify(record, null, 1));
    },
    remove: (id) => rmSync(recordPath(id), { force: true }),
    source(key) {
      const text = readFileSync(sourcePath(key), 'utf8');
      if (versionOf(text) !== key) throw new Error('the text on disk is another');
      return text;
    },
    removeSource: (key) => rmSync(sourcePath(key), { force: true }),
  };
}

/** The version that a reference means: the current one, or the one whose hash begins so. */
export function versionIn(record: CodecRecord, pin: string | undefined): CodecVersion | undefined {
  return pin === undefined
    ? record.versions.find(({ version }) => version === record.current)
    : record.versions.findLast(({ version }) => version.startsWith(pin));
}

export function scriptIn(record: CodecRecord, entry: CodecVersion, source: string): Script {
  const { key, version, dialect, variables, mapping } = entry;
  const { id, title } = record;
  const settings = { variables, ...(dialect && { dialect }), ...(mapping && { mapping }) };
  return { id, title, key, version, source, ...settings };
}
