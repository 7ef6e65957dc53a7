/** How well gateways and cells heard an uplink, one sample each. */
import type { LedgerEntry } from '../ledger/ledger.ts';
import type { LinkSample } from '../model/reading.ts';
import type { Radio, RxInfo, VerifiedUplink } from '../model/uplink.ts';

/** Filled in field by field: this runs for every reception, and spreading objects costs more. */
type Draft = { -readonly [Field in keyof LinkSample]: LinkSample[Field] };

/**
 * Times are the uplink's own, so that writing the samples again gives the same points; `believed`
 * puts the time of receipt in place of one that no sound clock shows.
 */
export function linksOf(
  entry: LedgerEntry,
  uplink: VerifiedUplink,
  believed: (time: number | undefined) => number,
): LinkSample[] {
  const samples: LinkSample[] = [];
  const time = believed(uplink.rxTime);
  for (const heard of uplink.rxInfo) {
    const own = uplink.rxTime === undefined ? believed(heard.rxTime) : time;
    samples.push(heardSample(entry.seq, uplink, heard, own));
  }
  if (uplink.radio !== undefined) samples.push(cellSample(entry.seq, uplink, uplink.radio, time));
  return samples;
}

function heardSample(
  seq: number,
  { deviceId, fCnt, txInfo }: VerifiedUplink,
  { gatewayId, rssi, snr }: RxInfo,
  time: number,
): LinkSample {
  const sample: Draft = { device: deviceId, gateway: gatewayId, time, seq };
  if (fCnt !== undefined) sample.fCnt = fCnt;
  if (rssi !== undefined) sample.rssi = rssi;
  if (snr !== undefined) sample.snr = snr;
  if (txInfo?.spreadingFactor !== undefined) sample.spreadingFactor = txInfo.spreadingFactor;
  return sample;
}

function cellSample(
  seq: number,
  { deviceId, fCnt }: VerifiedUplink,
  { mcc, mnc, cellId, rssi, rsrp, rsrq, sinr }: Radio,
  time: number,
): LinkSample {
  const cell = [mcc, mnc, cellId].filter((part) => part !== undefined);
  const gateway = cell.length > 0 ? `cell-${cell.join('-')}` : 'cell';
  const sample: Draft = { device: deviceId, gateway, time, seq };
  if (fCnt !== undefined) sample.fCnt = fCnt;
  if (rssi !== undefined) sample.rssi = rssi;
  if (rsrp !== undefined) sample.rsrp = rsrp;
  if (rsrq !== undefined) sample.rsrq = rsrq;
  if (sinr !== undefined) sample.sinr = sinr;
  return sample;
}
