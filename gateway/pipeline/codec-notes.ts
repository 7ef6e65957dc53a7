/** Notes which codec decodes each entry, where that is another than before. */
import type { CodecHistory, HistoryChange } from '../ledger/codec-history.ts';
import type { LedgerEntry } from '../ledger/ledger.ts';
import type { SettledDevice } from '../model/device.ts';
import type { VerifiedUplink } from '../model/uplink.ts';

export interface CodecNotes {
  /**
   * `codecOf` says `id@version` of what decodes the entry of this device; empty when its sender
   * has, undefined when there is nothing to decode.
   */
  note(entries: readonly LedgerEntry[], codecOf: CodecOf): void;
}

type CodecOf = (uplink: VerifiedUplink, device: SettledDevice | undefined) => string | undefined;

/** Devices whose last codec is remembered; all are read again once there are more. */
const rememberedMax = 200_000;

/** Between the codec and the version of the rules of device and model. */
const mappingSign = '#';

/**
 * `derivedUpTo`: entries above this have not been derived before, in this run or an earlier one.
 * `deviceOf` says which rules a device has, which go with its codec as `id@version#rules`.
 */
export function createCodecNotes(
  history: Pick<CodecHistory, 'lastOf' | 'apply'>,
  derivedUpTo: number,
  deviceOf: (id: string) => SettledDevice | undefined = () => undefined,
): CodecNotes {
  const newest = new Map<string, string>();
  /** The entry of a device that this run has noted last, while it decodes old ones again. */
  const previous = new Map<string, number>();
  let upTo = derivedUpTo;

  function remembered(device: string): string {
    const found = newest.get(device);
    if (found !== undefined) return found;
    if (newest.size >= rememberedMax) newest.clear();
    const codec = history.lastOf(device)?.codec ?? '';
    newest.set(device, codec);
    return codec;
  }

  /** Where a device has no codec, its rules alone may make its readings. */
  function madeBy(uplink: VerifiedUplink, codecOf: CodecOf): string | undefined {
    const known = deviceOf(uplink.deviceId);
    const codec = codecOf(uplink, known);
    const rules = known?.mappingVersion;
    if (codec !== undefined) return rules === undefined ? codec : codec + mappingSign + rules;
    if (known?.codec !== undefined) return undefined;
    if (rules !== undefined) return mappingSign + rules;
    return remembered(uplink.deviceId).startsWith(mappingSign) ? '' : undefined;
  }

  function append(device: string, seq: number, codec: string): HistoryChange[] {
    if (remembered(device) === codec) return [];
    newest.set(device, codec);
    return [{ device, seq, codec, after: seq - 1, isNewest: true }];
  }

  function again(device: string, seq: number, codec: string): HistoryChange[] {
    const last = previous.get(device) ?? seq;
    if (previous.size >= rememberedMax) previous.clear();
    previous.set(device, seq);
    return [{ device, seq, codec, after: last < seq ? last : seq - 1, isNewest: false }];
  }

  return {
    note(entries, codecOf) {
      const changes: HistoryChange[] = [];
      for (const { item, outcome, seq } of entries) {
        if (outcome !== 'accepted' || item.kind !== 'payload') continue;
        const codec = madeBy(item, codecOf);
        if (codec === undefined) continue;
        const change = seq > upTo ? append : again;
        for (const one of change(item.deviceId, seq, codec)) changes.push(one);
      }
      const last = entries.at(-1)?.seq ?? 0;
      if (last > upTo) {
        upTo = last;
        previous.clear();
      }
      // What the disk refuses is noted again when it is derived again; readings do not wait for it.
      if (changes.length > 0) history.apply(changes).catch(() => {});
    },
  };
}
