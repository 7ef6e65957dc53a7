/**
 * Before a pass derives its entries: the payloads among them that scripts decode go to the sandbox
 * in one batch. Deriving itself then waits for nothing, and built-in codecs are none the slower.
 */
import type { Decoded } from '../../decoders/codec.ts';
import { findCodec } from '../../decoders/registry.ts';
import { parseReference } from '../codecs/script.ts';
import type { ScriptCodecs, ScriptInput } from '../codecs/script-codecs.ts';
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
}

type Scripts = Pick<ScriptCodecs, 'versionOf' | 'decode'>;
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
  const knownOf = (id: string) => (known.has(id) ? known.get(id) : deviceOf(id));

  return {
    prepare(entries) {
      results = new Map();
      known = new Map();
      if (noting !== undefined) names = codecNames(entries, deviceOf, scripts, noting);
      const wanted = entries.flatMap((entry) => wantedOf(entry, deviceOf, scripts));
      if (wanted.length === 0) return undefined;
      known = new Map(devicesOf(entries).map((id) => [id, deviceOf(id)]));
      return scripts.decode(wanted).then((decoded) => {
        const pairs = wanted.map(({ seq }, at): [number, Decoded | undefined] => [
          seq,
          decoded[at],
        ]);
        results = new Map(pairs.filter(isWhole));
      });
    },
    deviceOf: knownOf,
    resultOf: (seq) => results.get(seq),
    note(entries) {
      noting?.notes.note(entries, (uplink) => {
        if (payloadOf(uplink) === undefined) return undefined;
        return names.get(knownOf(uplink.deviceId)?.codec ?? '') ?? '';
      });
    },
  };
}

function isWhole(pair: [number, Decoded | undefined]): pair is [number, Decoded] {
  return pair[1] !== undefined;
}

function devicesOf(entries: readonly LedgerEntry[]): string[] {
  return entries.flatMap(({ item }) => (item.kind === 'payload' ? item.deviceId : []));
}

interface Wanted extends ScriptInput {
  readonly seq: number;
}

function wantedOf(entry: LedgerEntry, deviceOf: DeviceOf, scripts: Scripts): Wanted[] {
  const { item } = entry;
  const device = item.kind === 'payload' ? deviceOf(item.deviceId) : undefined;
  if (device?.codec === undefined || scripts.versionOf(device.codec) === undefined) return [];
  const input = scriptInput(entry, device.codec, device.tags);
  return input === undefined ? [] : [{ seq: entry.seq, ...input }];
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

/** `id@version` of each codec that these entries need. */
function codecNames(
  entries: readonly LedgerEntry[],
  deviceOf: DeviceOf,
  scripts: Scripts,
  { programVersion }: PassNotes,
): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  for (const { item } of entries) {
    const codec = item.kind === 'payload' ? deviceOf(item.deviceId)?.codec : undefined;
    if (codec === undefined || names.has(codec)) continue;
    names.set(codec, codecName(scripts, codec, programVersion));
  }
  return names;
}

function codecName(scripts: Scripts, codec: string, programVersion: string): string {
  const version = scripts.versionOf(codec);
  if (version !== undefined) return `${parseReference(codec).id}@${version}`;
  return findCodec(codec) === undefined ? '' : `${codec}@${programVersion}`;
}
