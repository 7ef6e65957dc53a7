/**
 * A new version of a codec over the last kept uplinks of its devices: what would be another, and
 * nothing of it stored.
 */
import type { Decoded, DecodedValue } from '../../decoders/codec.ts';
import { unitOf } from '../../decoders/mapping.ts';
import { valuesBy } from '../codecs/decoded-result.ts';
import type { ScriptCodecs, ScriptInput } from '../codecs/script-codecs.ts';
import type { CatalogueReader } from '../ledger/catalogue.ts';
import type { LedgerEntry, LedgerReader } from '../ledger/ledger.ts';
import type { SettledDevice } from '../model/device.ts';
import { scriptInput } from './script-pass.ts';

export interface DryRunReport {
  readonly devices: number;
  readonly uplinks: number;
  /** Uplinks that give the same as before. */
  readonly same: number;
  readonly different: number;
  /** Uplinks that give nothing, with the version before and with the new one. */
  readonly faultsBefore: number;
  readonly faultsAfter: number;
  /** The newest first; at most `differencesMax` uplinks. */
  readonly differences: readonly UplinkDifference[];
}

export interface UplinkDifference {
  readonly seq: number;
  readonly device: string;
  /** Epoch milliseconds. */
  readonly receivedAt: number;
  /** Why it gives nothing. */
  readonly faultBefore?: string;
  readonly faultAfter?: string;
  readonly readings: readonly ReadingDifference[];
}

/** Absent on one side: that version does not give it. */
export interface ReadingDifference {
  readonly quantity: string;
  readonly unit: string;
  readonly channel?: string;
  /** Epoch milliseconds, for a sample from the device's memory. */
  readonly time?: number;
  readonly before?: number | string;
  readonly after?: number | string;
}

export interface DryRunParts {
  readonly ledger: Pick<LedgerReader, 'get'>;
  readonly catalogue: Pick<CatalogueReader, 'find'>;
  /** Knows the script as it is as `before`, if there is one, and the new one as `after`. */
  readonly scripts: Pick<ScriptCodecs, 'versionOf' | 'decode'>;
}

/** Of one report; the counts are of all. */
const differencesMax = 100;

/** `uplinksMax` of all devices together, the newest. */
export async function dryRun(
  devices: readonly SettledDevice[],
  uplinksMax: number,
  parts: DryRunParts,
): Promise<DryRunReport> {
  const uplinks = await lastUplinks(devices, uplinksMax, parts);
  const inputs = (codec: string) => uplinks.map(({ input }) => ({ ...input, codec }));
  const hasBefore = parts.scripts.versionOf('before') !== undefined;
  const before = hasBefore ? await parts.scripts.decode(inputs('before')) : [];
  const after = await parts.scripts.decode(inputs('after'));
  const compared = uplinks.map((uplink, at) => differenceOf(uplink, before[at], after[at]));
  const differences = compared.filter(isDifferent);
  return {
    devices: devices.length,
    uplinks: uplinks.length,
    same: uplinks.length - differences.length,
    different: differences.length,
    faultsBefore: hasBefore ? before.filter(({ ok }) => !ok).length : 0,
    faultsAfter: after.filter(({ ok }) => !ok).length,
    differences: differences.slice(0, differencesMax),
  };
}

interface KeptUplink {
  readonly entry: LedgerEntry;
  readonly device: SettledDevice;
  readonly input: ScriptInput;
}

/** Of each device its share, and twice that, since some may have been silent. */
async function lastUplinks(
  devices: readonly SettledDevice[],
  max: number,
  { ledger, catalogue }: DryRunParts,
): Promise<KeptUplink[]> {
  const share = Math.min(max, 2 * Math.ceil(max / Math.max(1, devices.length)) + 1);
  const seqs: { readonly seq: number; readonly device: SettledDevice }[] = [];
  for (const device of devices) {
    for (const seq of catalogue.find({ device: device.id, limit: 2 * share }) ?? []) {
      seqs.push({ seq, device });
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
  const kept: KeptUplink[] = [];
  for (const { seq, device } of seqs.sort((left, right) => right.seq - left.seq)) {
    const entry = ledger.get(seq);
    const input = entry === undefined ? undefined : scriptInput(entry, '', device.tags);
    if (entry !== undefined && input !== undefined) kept.push({ entry, device, input });
    if (kept.length >= max) break;
  }
  return kept;
}

function differenceOf(
  { entry, device }: KeptUplink,
  before: Decoded | undefined,
  after: Decoded | undefined,
): UplinkDifference {
  const { seq, receivedAt } = entry;
  const told = { seq, device: device.id, receivedAt };
  const [faultBefore, faultAfter] = [faultOf(before), faultOf(after)];
  const isSameFault = faultBefore !== undefined && faultBefore === faultAfter;
  return {
    ...told,
    ...(faultBefore === undefined || isSameFault ? {} : { faultBefore }),
    ...(faultAfter === undefined || isSameFault ? {} : { faultAfter }),
    readings: differencesOf(valuesOf(before, device), valuesOf(after, device)),
  };
}

function isDifferent({ faultBefore, faultAfter, readings }: UplinkDifference): boolean {
  return faultBefore !== undefined || faultAfter !== undefined || readings.length > 0;
}

function faultOf(decoded: Decoded | undefined): string | undefined {
  return decoded === undefined || decoded.ok ? undefined : decoded.error;
}

function valuesOf(
  decoded: Decoded | undefined,
  { mapping = [] }: SettledDevice,
): ReadonlyMap<string, DecodedValue> {
  const values = decoded?.ok === true ? valuesBy(decoded, mapping) : [];
  return new Map(
    values.map((value) => [[value.quantity, value.channel, value.time].join('\n'), value]),
  );
}

function differencesOf(
  before: ReadonlyMap<string, DecodedValue>,
  after: ReadonlyMap<string, DecodedValue>,
): ReadingDifference[] {
  return [...new Set([...before.keys(), ...after.keys()])].flatMap((key) => {
    const [held, given] = [before.get(key), after.get(key)];
    const { quantity, channel, time } = held ?? given ?? { quantity: '' };
    if (held?.value === given?.value) return [];
    return {
      ...{ quantity, unit: unitOf(quantity) },
      ...(channel === undefined ? {} : { channel }),
      ...(time === undefined ? {} : { time }),
      ...(held === undefined ? {} : { before: held.value }),
      ...(given === undefined ? {} : { after: given.value }),
    };
  });
}
