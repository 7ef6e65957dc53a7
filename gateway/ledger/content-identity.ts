/**
 * What makes an uplink the same uplink, whichever way it came: the device, its 32-bit counter, the
 * port and the payload in clear. A raw frame that is opened here and the words of any network
 * server agree in these. DevAddr, frequency and times do not: some servers leave them out, and
 * each has a clock of its own.
 */
import { hash } from 'node:crypto';
import type { VerifiedUplink } from '../model/uplink.ts';
import type { Item } from './ledger.ts';

/**
 * Truncated SHA-256: nobody can find two contents with one key, and 16 bytes keep the trees small.
 */
export const digestBytes = 16;

/** Bytes as Latin-1 text; undefined for what has no counter or whose payload is not known here. */
export function contentOf(item: Item): string | undefined {
  if (item.kind !== 'payload' || item.fCnt === undefined || item.encrypted === true) {
    return undefined;
  }
  const clear = clearOf(item);
  if (clear === undefined) return undefined;
  const { deviceId, fCnt } = item;
  const text = `content${deviceId.length}:${deviceId}:${fCnt}:${clear}`;
  return hash('sha256', text, 'binary').slice(0, digestBytes);
}

/**
 * Port and payload. Port 0 carries MAC commands, which some servers hand on and others do not, and
 * a frame without a port carries nothing: both are an uplink without a payload. Who tells only
 * decoded values has not told the payload; a frame that was opened here has, whatever it says of
 * its battery beside.
 */
function clearOf(uplink: VerifiedUplink): string | undefined {
  const { fPort, frmPayload, object, measurements, devAddr, phyPayload } = uplink;
  if (frmPayload !== undefined && fPort !== 0) {
    return `${fPort ?? ''}:${frmPayload.toString('latin1')}`;
  }
  const isToldInValues = object !== undefined || measurements !== undefined;
  if (isToldInValues && phyPayload === undefined) return undefined;
  if (fPort !== undefined) return `${fPort}:`;
  return devAddr === undefined ? undefined : '0:';
}

/** When an uplink reached the gateway and, if that was told, the network. Epoch milliseconds. */
export interface UplinkTimes {
  readonly receivedAt: number;
  readonly rxTime: number | undefined;
}

/** In the year 2109: what four bytes of slots can hold. */
const newestTime = 2 ** 42;

/** Any number may come from outside; what is no time of this epoch is none. */
export function believableTime(time: number | undefined): number | undefined {
  return time !== undefined && time > 0 && time < newestTime ? time : undefined;
}
