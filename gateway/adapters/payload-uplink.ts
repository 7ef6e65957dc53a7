/** What every network server's uplink has in common, whatever its fields are called. */
import type { Measurement, PayloadUplink, RxInfo } from '../model/uplink.ts';
import type { JsonObject, Place } from './document.ts';
import { type Draft, readCount, readText } from './place.ts';

const frameCounterMax = 0xffff_ffff;
const fPortMax = 255;
const messageKeyLengthMax = 128;

export interface Head {
  readonly adapter: string;
  readonly deviceId: string;
  /** The format's names for the two fields. */
  readonly fPort: string;
  readonly fCnt: string;
}

/** An uplink without radio and content yet. An absent counter or port is 0, the default value. */
export function beginUplink(message: Place, head: Head): Draft<PayloadUplink> {
  return {
    kind: 'payload',
    adapter: head.adapter,
    deviceId: head.deviceId,
    fPort: readCount(message, head.fPort, fPortMax) ?? 0,
    fCnt: readCount(message, head.fCnt, frameCounterMax) ?? 0,
    rxInfo: [],
  };
}

/** FPort 0 carries MAC commands, which are the network server's affair: nothing to decode. */
export function addPayload(uplink: Draft<PayloadUplink>, payload: Buffer | undefined): void {
  if (payload !== undefined && payload.length > 0 && uplink.fPort !== 0) {
    uplink.frmPayload = payload;
  }
}

/** What the sender's codec made of the payload, unless that is nothing. */
export function addObject(uplink: Draft<PayloadUplink>, object: JsonObject | undefined): void {
  if (object !== undefined && Object.keys(object).length > 0) uplink.object = object;
}

/** A text of the sender's that is equal in every redelivery; one too long to keep is no key. */
export function addMessageKey(uplink: Draft<PayloadUplink>, message: Place, field: string): void {
  const key = readText(message, field);
  if (key !== undefined && key !== '' && key.length <= messageKeyLengthMax) {
    uplink.messageKey = key;
  }
}

/** A gateway with several antennas reports each of them: the strongest reception stands for it. */
export function strongestOfEach(receptions: readonly RxInfo[]): RxInfo[] {
  const strongest = new Map<string, RxInfo>();
  for (const rxInfo of receptions) {
    const known = strongest.get(rxInfo.gatewayId);
    if (known === undefined || (rxInfo.rssi ?? -Infinity) > (known.rssi ?? -Infinity)) {
      strongest.set(rxInfo.gatewayId, rxInfo);
    }
  }
  return [...strongest.values()];
}

/**
 * The battery byte of a LoRaWAN device status, 1 to 254 of a full one: 0 is an external supply and
 * 255 is unknown, so neither is a level.
 */
export function batteryOf(level: number | undefined): Measurement[] {
  if (level === undefined || !Number.isInteger(level) || level < 1 || level > 254) return [];
  return [{ name: 'battery_level', value: Math.round((level / 254) * 1_000) / 10, unit: '%' }];
}
