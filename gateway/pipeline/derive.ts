/**
 * After the acknowledgement: a ledger entry becomes readings and link samples. Pure: the same
 * entry, the same points.
 */
import type { Codec, CodecInput, Decoded, DecodedValue } from '../../decoders/codec.ts';
import type { FieldRule } from '../../decoders/field-rule.ts';
import { mapNamed, mapObject, unitOf } from '../../decoders/mapping.ts';
import { valuesBy } from '../codecs/decoded-result.ts';
import type { LedgerEntry } from '../ledger/ledger.ts';
import type { Device } from '../model/device.ts';
import { type Fault, fault } from '../model/fault.ts';
import type { VouchedBy } from '../model/inbound.ts';
import type { LinkSample, Quality, Reading } from '../model/reading.ts';
import type { Measurement, SourceEvent, VerifiedUplink } from '../model/uplink.ts';
import { linksOf } from './link-samples.ts';
import type { Judge, Unjudged } from './quality/judge.ts';
import { judgeByItself } from './quality.ts';

export interface Derived {
  readonly readings: readonly Reading[];
  readonly links: readonly LinkSample[];
  /**
   * Why the payload of an uplink that was accepted gave no readings; it can be derived again after
   * a mend.
   */
  readonly fault?: Fault;
}

export interface DeriveParts {
  readonly deviceOf: (id: string) => Device | undefined;
  readonly codecOf: (name: string) => Codec | undefined;
  /** What a script has made of the entry with this seq; absent where there are no scripts. */
  readonly scriptResultOf?: (seq: number) => Decoded | undefined;
  /** Flags the readings; without it, each value by itself. */
  readonly judge?: Judge;
}

const noRules: readonly FieldRule[] = [];
const nothing: Derived = { readings: [], links: [] };

/** A sender's clock may run this far ahead of ours before its time is not believed. */
const aheadMsMax = 300_000;
const oldestTime = Date.UTC(2000, 0, 1);

export function deriveEntry(entry: LedgerEntry, parts: DeriveParts): Derived {
  const { item } = entry;
  if (entry.outcome === 'event' && item.kind === 'event') return deriveEvent(entry, item, parts);
  if (item.kind !== 'payload') return nothing;
  const device = parts.deviceOf(item.deviceId);
  const links = linksOf(entry, item, (time) => plausible(time, entry.receivedAt).time);
  if (entry.outcome === 'copy') return { readings: [], links };
  if (entry.outcome !== 'accepted') return nothing;
  const { values, problem } = valuesOf(entry.seq, item, device, parts);
  // The device's own spelling of its id: maps find it by the place where it lies in memory.
  const id = device?.id ?? item.deviceId;
  const origin: Origin = { entry, device: id, known: device, vouchedBy: item.vouchedBy };
  const time = item.rxTime ?? item.rxInfo[0]?.rxTime;
  const readings = judged(readingsOf(values, time, origin), device, parts);
  return problem === undefined ? { readings, links } : { readings, links, fault: problem };
}

function deriveEvent(entry: LedgerEntry, event: SourceEvent, parts: DeriveParts): Derived {
  const { deviceId, measurements, vouchedBy = 'credential' } = event;
  if (deviceId === undefined || measurements === undefined) return nothing;
  const known = parts.deviceOf(deviceId);
  const origin = { entry, device: deviceId, known, vouchedBy };
  const readings = readingsOf(mapped(measurements, known?.mapping), event.time, origin);
  return { readings: judged(readings, known, parts), links: [] };
}

interface Values {
  readonly values: readonly DecodedValue[];
  /** Why the payload is not among them. */
  readonly problem?: Fault;
}

/**
 * The device's codec first; without one, what the sender decoded; without that, a fault. Rules of
 * the device and its model go before what a codec or a name says.
 */
function valuesOf(
  seq: number,
  uplink: VerifiedUplink,
  device: Device | undefined,
  parts: DeriveParts,
): Values {
  const { measurements = [] } = uplink;
  const rules = device?.mapping ?? noRules;
  const told = measurements.filter(({ name }) => deviceStatusNames.has(name));
  const status = mapped(told, rules);
  if (uplink.encrypted === true) {
    const detail = 'the network server does not hold its AppSKey';
    return { values: status, problem: fault('PAYLOAD_ENCRYPTED', detail) };
  }
  const input = payloadOf(uplink);
  if (device?.codec !== undefined && input !== undefined) {
    const result = decoded(device.codec, input, parts, parts.scriptResultOf?.(seq));
    return 'code' in result
      ? { values: status, problem: result }
      : { values: withStatus(valuesBy(result, rules), status) };
  }
  const values = [
    ...(uplink.object === undefined ? [] : mapObject(uplink.object, rules)),
    ...mapped(measurements, rules),
  ];
  const hasOthers = uplink.object !== undefined || measurements.length > told.length;
  // Where rules have left all of it out, the sender has decoded it all the same.
  const isRead = values.length > status.length || (rules.length > 0 && hasOthers);
  if (isRead || input === undefined) return { values };
  const detail = `no codec for ${uplink.deviceId}, and nothing decoded in the message`;
  return { values, problem: fault('CODEC_MISSING', detail) };
}

/**
 * What a network server tells of the device beside its payload: it does not stand for the payload.
 */
const deviceStatusNames: ReadonlySet<string> = new Set(['battery_level', 'link_margin']);

/** The device's own word in its payload comes before that of the network server. */
function withStatus(
  values: readonly DecodedValue[],
  status: readonly DecodedValue[],
): readonly DecodedValue[] {
  if (status.length === 0) return values;
  const told = new Set(values.map(({ quantity }) => quantity));
  return [...values, ...status.filter(({ quantity }) => !told.has(quantity))];
}

/** What there is to decode: undefined without bytes, on a port for commands, or still encrypted. */
export function payloadOf(uplink: VerifiedUplink): CodecInput | undefined {
  const { frmPayload, fPort = 0, encrypted = false } = uplink;
  const isWhole = !encrypted && frmPayload !== undefined && frmPayload.length > 0 && fPort > 0;
  return isWhole ? { bytes: frmPayload, fPort } : undefined;
}

function decoded(
  name: string,
  input: CodecInput,
  parts: DeriveParts,
  scripted: Decoded | undefined,
): Extract<Decoded, { ok: true }> | Fault {
  const result = scripted ?? parts.codecOf(name)?.decode(input);
  if (result === undefined) return fault('CODEC_MISSING', `there is no codec named ${name}`);
  return result.ok ? result : fault('PAYLOAD_UNDECODABLE', `${name}: ${result.error}`);
}

function mapped(measurements: readonly Measurement[], rules = noRules): DecodedValue[] {
  return measurements.flatMap((measurement) => {
    const field = mapNamed(measurement, rules);
    if (field === null) return [];
    const { quantity, value, channel } = field;
    const { time } = measurement;
    return [
      {
        quantity,
        value,
        ...(channel === undefined ? {} : { channel }),
        ...(time === undefined ? {} : { time }),
      },
    ];
  });
}

/** With them go earlier readings that are now known to be worse. */
function judged(
  readings: readonly Unjudged[],
  device: Device | undefined,
  { judge = judgeByItself }: DeriveParts,
): readonly Reading[] {
  const amended = judge(readings, device);
  return amended.length === 0 ? readings : [...readings, ...amended];
}

interface Origin {
  readonly entry: LedgerEntry;
  readonly device: string;
  readonly known: Device | undefined;
  readonly vouchedBy: VouchedBy;
}

function readingsOf(
  values: readonly DecodedValue[],
  time: number | undefined,
  { entry, device, known, vouchedBy }: Origin,
): Unjudged[] {
  const { receivedAt, seq } = entry;
  // Filled in field by field: this runs for every value, and spreading objects costs more.
  return values.map(({ quantity, value, channel, time: own }) => {
    const when = plausible(own ?? time, receivedAt);
    const reading: Unjudged = {
      device,
      quantity,
      value,
      unit: unitOf(quantity),
      time: when.time,
      receivedAt,
      quality: when.quality,
      vouchedBy,
      seq,
    };
    if (channel !== undefined) reading.channel = channel;
    if (known?.agency !== undefined) reading.agency = known.agency;
    if (known?.area !== undefined) reading.area = known.area;
    return reading;
  });
}

/**
 * A time from the future or from before LoRa is a wrong clock: ours is taken, and the value is
 * suspect.
 */
function plausible(
  time: number | undefined,
  receivedAt: number,
): { readonly time: number; readonly quality: Quality } {
  if (time === undefined) return { time: receivedAt, quality: 2 };
  const isBelieved = time >= oldestTime && time <= receivedAt + aheadMsMax;
  return isBelieved ? { time, quality: 2 } : { time: receivedAt, quality: 3 };
}
