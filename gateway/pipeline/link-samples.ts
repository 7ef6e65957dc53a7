/** How well gateways and cells heard an uplink, one sample each. */
import type { LedgerEntry } from '../ledger/ledger.ts';
import type { LinkSample } from '../model/reading.ts';
import type { Radio, VerifiedUplink } from '../model/uplink.ts';

/**
 * Times are the uplink's own, so that writing the samples again gives the same points; `believed`
 * puts the time of receipt in place of one that no sound clock shows.
 */
export function linksOf(
  entry: LedgerEntry,
  uplink: VerifiedUplink,
  believed: (time: number | undefined) => number,
): LinkSample[] {
  const time = believed(uplink.rxTime);
  const base = {
    device: uplink.deviceId,
    time,
    seq: entry.seq,
    ...(uplink.fCnt === undefined ? {} : { fCnt: uplink.fCnt }),
  };
  const spreadingFactor = uplink.txInfo?.spreadingFactor;
  const heard = uplink.rxInfo.map(({ gatewayId, rssi, snr, rxTime }) => ({
    ...base,
    gateway: gatewayId,
    time: uplink.rxTime === undefined ? believed(rxTime) : time,
    ...(rssi === undefined ? {} : { rssi }),
    ...(snr === undefined ? {} : { snr }),
    ...(spreadingFactor === undefined ? {} : { spreadingFactor }),
  }));
  return uplink.radio === undefined ? heard : [...heard, cellSample(base, uplink.radio)];
}

function cellSample(
  base: { readonly device: string; readonly time: number; readonly seq: number },
  radio: Radio,
): LinkSample {
  const { mcc, mnc, cellId, rssi, rsrp, rsrq, sinr } = radio;
  const cell = [mcc, mnc, cellId].filter((part) => part !== undefined);
  return {
    ...base,
    gateway: cell.length > 0 ? `cell-${cell.join('-')}` : 'cell',
    ...(rssi === undefined ? {} : { rssi }),
    ...(rsrp === undefined ? {} : { rsrp }),
    ...(rsrq === undefined ? {} : { rsrq }),
    ...(sinr === undefined ? {} : { sinr }),
  };
}
