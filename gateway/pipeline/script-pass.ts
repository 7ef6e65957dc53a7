/**
 * Before a pass derives its entries: the payloads among them that scripts decode go to the sandbox
 * in one batch. Deriving itself then waits for nothing, and built-in codecs are none the slower.
 */
import type { Decoded } from '../../decoders/codec.ts';
import { findCodec } from '../../decoders/registry.ts';
import { parseReference } from '../codecs/script.ts';
import type { PassCodecs, ScriptInput } from '../codecs/script-codecs.ts';
import type { LedgerEntry } from '../ledger/ledger.ts';
import type { Device } from '../model/device.ts';
import type { CodecNotes } from './codec-notes.ts';
import { payloadOf } from './derive.ts';

export interface ScriptPass {
  /** Nothing to wait for when no script has a part in these entries. */
  prepare(entries: readonly LedgerEntry[]): Promise<void> | undefined;
  /** As the devices were when the pass began, so that what was prepared is what is derived. */
  deviceOf(id: string): Device | undefined;
  resultOf(seq: number): Decoded | undefined;
  /** Writes down what decodes the entries, which were prepared last and go to the store. */
  note(entries: readonly LedgerEntry[]): void;
}

/** Where it is written down what decodes each entry. */
export interface PassNotes {
  readonly notes: CodecNotes;
  /** The version of the program, which is that of the built-in codecs. */
  readonly programVersion: string;
  /** Told of entries that a pass had no time for, and the id of their codec. */
  readonly onPassedOver?: (codec: string, seq: number) => void;
}

type Scripts = PassCodecs;
type DeviceOf = (id: string) => Device | undefined;

export function createScriptPass(
  scripts: Scripts,
  deviceOf: DeviceOf,
  noting?: PassNotes,
): ScriptPass {
  let results: ReadonlyMap<number, Decoded> = new Map();
  let known: ReadonlyMap<string, Device | undefined> = new Map();
  /** What each codec of these entries was called when the pass began. */
  let names: ReadonlyMap<string, string> = new Map();
  const knownOf = (id: string) => (known.size > 0 && known.has(id) ? known.get(id) : deviceOf(id));

  return {
    prepare(entries) {
      if (results.size > 0) results = new Map();
      if (known.size > 0) known = new Map();
      const codecs = codecsOf(scripts, noting?.programVersion ?? '');
      const wanted = wantedOf(entries, deviceOf, codecs.of);
      names = codecs.names;
      if (wanted.length === 0) return undefined;
      known = new Map(devicesOf(entries).map((id) => [id, deviceOf(id)]));
      return scripts.decode(wanted).then((decoded) => {
        const found = new Map<number, Decoded>();
        for (const [at, result] of decoded.entries()) {
          const { seq = 0, codec = '' } = wanted[at] ?? {};
          found.set(seq, result);
          if (result.isPassedOver) noting?.onPassedOver?.(parseReference(codec).id, seq);
        }
        results = found;
      });
    },
    deviceOf: knownOf,
    resultOf: (seq) => results.get(seq),
    note(entries) {
      noting?.notes.note(entries, (uplink, device) =>
        payloadOf(uplink) === undefined ? undefined : (names.get(device?.codec ?? '') ?? ''),
      );
    },
  };
}

function devicesOf(entries: readonly LedgerEntry[]): string[] {
  return entries.flatMap(({ item }) => (item.kind === 'payload' ? item.deviceId : []));
}

interface Wanted extends ScriptInput {
  readonly seq: number;
}

/** What scripts are to decode of these entries. */
function wantedOf(
  entries: readonly LedgerEntry[],
  deviceOf: DeviceOf,
  codecOf: (name: string) => CodecOfPass,
): Wanted[] {
  const wanted: Wanted[] = [];
  for (const entry of entries) {
    const { item, seq } = entry;
    const device = item.kind === 'payload' ? deviceOf(item.deviceId) : undefined;
    if (device?.codec === undefined || !codecOf(device.codec).isScript) continue;
    const input = scriptInput(entry, device.codec, device.tags);
    if (input !== undefined) wanted.push({ seq, ...input });
  }
  return wanted;
}

/** What a script is given of an entry; undefined when the entry has nothing to decode. */
export function scriptInput(
  { outcome, item, receivedAt }: LedgerEntry,
  codec: string,
  variables: Device['tags'] = {},
): ScriptInput | undefined {
  if (outcome !== 'accepted' || item.kind !== 'payload') return undefined;
  const input = payloadOf(item);
  if (input === undefined) return undefined;
  const time = item.rxTime ?? item.rxInfo[0]?.rxTime ?? receivedAt;
  return { codec, ...input, time, variables };
}

interface CodecOfPass {
  /** `id@version`; empty where there is no such codec. */
  readonly name: string;
  readonly isScript: boolean;
}

/** Looks at each codec once, however many entries of a pass need it. */
function codecsOf(scripts: Scripts, programVersion: string) {
  const known = new Map<string, CodecOfPass>();
  const names = new Map<string, string>();
  return {
    names,
    of(codec: string): CodecOfPass {
      const found = known.get(codec);
      if (found !== undefined) return found;
      const version = scripts.versionOf(codec);
      const isScript = version !== undefined;
      const name = isScript
        ? `${parseReference(codec).id}@${version}`
        : nameOfBuiltIn(codec, programVersion);
      known.set(codec, { name, isScript });
      names.set(codec, name);
      return { name, isScript };
    },
  };
}

function nameOfBuiltIn(codec: string, programVersion: string): string {
  return findCodec(codec) === undefined ? '' : `${codec}@${programVersion}`;
}
