/** Senet: the JSON of its HTTP and MQTT application streams. */
import type { Inbound } from '../model/inbound.ts';
import type { PayloadUplink, RxInfo } from '../model/uplink.ts';
import type { Adapter, Parsed } from './adapter.ts';
import { malformed, openObject, type Place } from './document.ts';
import { readHex } from './hex.ts';
import { readEui, readGatewayId } from './lorawan-identifiers.ts';
import { addPayload, beginUplink } from './payload-uplink.ts';
import { type Draft, readCount, readNumber, readTime } from './place.ts';

const name = 'senet';

export const senet: Adapter = {
  name,
  // The topic is free text.
  topicFilters: [],
  isNetworkServer: true,
  parse,
};

function parse(inbound: Inbound): Parsed {
  const message = openObject(inbound.body);
  if ('code' in message) return message;
  const deviceId = readEui(message, 'devEui');
  if (deviceId === undefined) return malformed(message.complaints[0] ?? 'devEui is missing');
  if (!Object.hasOwn(message.object, 'pdu') && !Object.hasOwn(message.object, 'seqno')) {
    return malformed('it has neither pdu nor seqno: no uplink of Senet');
  }
  const uplink = readUplink(message, deviceId);
  const complaint = message.complaints[0];
  return complaint === undefined ? [uplink] : malformed(complaint);
}

function readUplink(message: Place, deviceId: string): PayloadUplink {
  const uplink = beginUplink(message, { adapter: name, deviceId, fPort: 'port', fCnt: 'seqno' });
  const rxTime = readTime(message, 'txtime');
  if (rxTime !== undefined) uplink.rxTime = rxTime;
  const rxInfo = readReception(message);
  if (rxInfo !== undefined) uplink.rxInfo = [rxInfo];
  addPayload(uplink, readHex(message, 'pdu'));
  // The join's number names the session, so with the counter it names the frame.
  const joinId = readCount(message, 'joinId', Number.MAX_SAFE_INTEGER);
  if (joinId !== undefined) uplink.messageKey = `join:${joinId}`;
  return uplink;
}

/** Of the one gateway that heard the frame best. */
function readReception(message: Place): RxInfo | undefined {
  const gatewayId = readGatewayId(message, 'gwEui');
  if (gatewayId === undefined) return undefined;
  const rxInfo: Draft<RxInfo> = { gatewayId };
  const rssi = readNumber(message, 'rssi');
  if (rssi !== undefined) rxInfo.rssi = rssi;
  const snr = readNumber(message, 'snr');
  if (snr !== undefined) rxInfo.snr = snr;
  return rxInfo;
}
