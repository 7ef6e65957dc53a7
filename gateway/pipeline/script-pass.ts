/**
 * Before a pass derives its entries: the payloads among them that scripts decode go to the sandbox
 * in one batch. Deriving itself then waits for nothing, and built-in codecs are none the slower.
 */
import type { Decoded } from '../../decoders/codec.ts';
import type { ScriptCodecs, ScriptInput } from '../codecs/script-codecs.ts';
import type { LedgerEntry } from '../ledger/ledger.ts';
import type { Device } from '../model/device.ts';
import { payloadOf } from './derive.ts';

export interface ScriptPass {
  /** Nothing to wait for when no script has a part in these entries. */
  prepare(entries: readonly LedgerEntry[]): Promise<void> | undefined;
  /** As the devices were when the pass began, so that what was prepared is what is derived. */
  deviceOf(id: string): Device | undefined;
  resultOf(seq: number): Decoded | undefined;
}

export function createScriptPass(
  scripts: Pick<ScriptCodecs, 'has' | 'decode'>,
  deviceOf: (id: string) => Device | undefined,
): ScriptPass {
  let results: ReadonlyMap<number, Decoded> = new Map();
  let known: ReadonlyMap<string, Device | undefined> = new Map();

  return {
    prepare(entries) {
      results = new Map();
      known = new Map();
      const wanted = entries.flatMap((entry) => wantedOf(entry, deviceOf, scripts.has));
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
    deviceOf: (id) => (known.has(id) ? known.get(id) : deviceOf(id)),
    resultOf: (seq) => results.get(seq),
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

function wantedOf(
  { seq, outcome, item, receivedAt }: LedgerEntry,
  deviceOf: (id: string) => Device | undefined,
  isScript: (codec: string) => boolean,
): Wanted[] {
  if (outcome !== 'accepted' || item.kind !== 'payload') return [];
  const input = payloadOf(item);
  const device = input === undefined ? undefined : deviceOf(item.deviceId);
  if (input === undefined || device?.codec === undefined || !isScript(device.codec)) return [];
  const time = item.rxTime ?? item.rxInfo[0]?.rxTime ?? receivedAt;
  return [{ seq, codec: device.codec, ...input, time, variables: device.tags ?? {} }];
}
