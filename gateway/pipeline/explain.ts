/**
 * Says of the readings of one uplink what each quality test has found. What is still remembered is
 * told as it was found; else the device's uplinks of the two days before are judged again, which
 * comes to the same for all tests but that of the neighbours.
 */
import { findCodec } from '../../decoders/registry.ts';
import type { ScriptCodecs } from '../codecs/script-codecs.ts';
import type { Catalogue } from '../ledger/catalogue.ts';
import type { LedgerEntry, LedgerReader } from '../ledger/ledger.ts';
import type { Device, SettledDevice } from '../model/device.ts';
import type { Quality, Reading } from '../model/reading.ts';
import { deriveEntry } from './derive.ts';
import { defaultLimits } from './quality/default-limits.ts';
import { createLane, type LaneLimits } from './quality/lane.ts';
import { type LimitOrigin, type Limits, limitsFor, originsOf, rulesFor } from './quality/limits.ts';
import { forgetMs } from './quality/series.ts';
import { explain, flagOf, spike, type Test, type Verdict } from './quality/verdict.ts';
import { createScriptPass } from './script-pass.ts';

export interface ExplainedReading {
  readonly quantity: string;
  readonly channel?: string;
  readonly value: number | string;
  /** Epoch milliseconds. */
  readonly time: number;
  readonly quality: Quality;
  readonly tests: Readonly<Record<Test, Quality>>;
  /** What is asked of its series today, and who says so, by the name of the limit. */
  readonly limits: Limits;
  readonly limitsFrom: Readonly<Record<string, LimitOrigin>>;
}

export interface ExplainParts {
  readonly reader: Pick<LedgerReader, 'get'>;
  readonly catalogue: Pick<Catalogue, 'find'>;
  readonly scripts: Pick<ScriptCodecs, 'versionOf' | 'decode'>;
  readonly deviceOf: (id: string) => Device | undefined;
  readonly limits: LaneLimits;
  /** What was found of these readings of this entry, if that is still remembered. */
  readonly verdictsOf: (
    seq: number,
    readings: readonly Reading[],
  ) => readonly Verdict[] | undefined;
}

/** Uplinks of the device that are judged again, and those that may show a spike. */
const beforeMax = 1_000;
const afterMax = 20;
const chunk = 200;

/** None for an entry that is not there, is of no device or has no readings. */
export async function explainReadings(
  seq: number,
  parts: ExplainParts,
): Promise<readonly ExplainedReading[]> {
  const { scripts, deviceOf, limits } = parts;
  const pass = createScriptPass(scripts, deviceOf);
  const lane = createLane({ limits, deviceOf });
  const entries = entriesAround(seq, parts);
  let readings: readonly Reading[] = [];
  let verdicts: Verdict[] = [];
  for (let at = 0; at < entries.length; at += chunk) {
    const some = entries.slice(at, at + chunk);
    await pass.prepare(some);
    for (const entry of some) {
      const found: Verdict[] = [];
      const amended: Reading[] = [];
      const derived = deriveEntry(entry, {
        deviceOf: pass.deviceOf,
        codecOf: findCodec,
        scriptResultOf: pass.resultOf,
        judge(own, device) {
          lane.judge(own, device, found, amended);
          return [];
        },
      });
      if (entry.seq === seq) {
        readings = derived.readings;
        verdicts = [...(parts.verdictsOf(seq, readings) ?? found)];
      }
      for (const late of amended) noteSpike(late, readings, verdicts);
    }
  }
  return readings.map((reading, at) => ({
    ...explained(reading, verdicts[at] ?? 0),
    ...limitsOf(reading, deviceOf(reading.device), limits),
  }));
}

/** The oldest first; without those that no test would remember. */
function entriesAround(seq: number, { reader, catalogue }: ExplainParts): LedgerEntry[] {
  const entry = reader.get(seq);
  const device = entry?.item.deviceId;
  if (entry === undefined || device === undefined) return [];
  const before = catalogue.find({ device, before: seq, limit: beforeMax }) ?? [];
  const after = catalogue.find({ device, after: seq, limit: afterMax }) ?? [];
  const around = [...before.reverse(), seq, ...after].flatMap((one) => reader.get(one) ?? []);
  return around.filter(({ receivedAt }) => receivedAt >= entry.receivedAt - forgetMs);
}

/** A later value has shown that one of these was a spike. */
function noteSpike(late: Reading, readings: readonly Reading[], verdicts: Verdict[]): void {
  const at = readings.findIndex(
    ({ seq, quantity, channel, time }) =>
      seq === late.seq &&
      quantity === late.quantity &&
      channel === late.channel &&
      time === late.time,
  );
  const verdict = verdicts[at];
  if (verdict !== undefined) verdicts[at] = verdict | (late.quality << spike);
}

function limitsOf(
  { device, quantity, channel = '' }: Reading,
  known: SettledDevice | undefined,
  { rules }: LaneLimits,
): Pick<ExplainedReading, 'limits' | 'limitsFrom'> {
  const place = { device, quantity, channel, area: known?.area, model: known?.model };
  const own = rulesFor(rules, known);
  const defaults = defaultLimits.get(quantity);
  const all = Object.entries(limitsFor(place, defaults, own));
  return {
    limits: Object.fromEntries(all.filter(([, limit]) => limit !== undefined)),
    limitsFrom: Object.fromEntries(originsOf(place, defaults, own)),
  };
}

function explained({ quantity, channel, value, time }: Reading, verdict: Verdict) {
  return {
    quantity,
    ...(channel === undefined ? {} : { channel }),
    value,
    time,
    quality: flagOf(verdict),
    tests: explain(verdict),
  };
}
