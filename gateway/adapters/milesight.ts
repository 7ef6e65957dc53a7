/**
 * Milesight gateways with their built-in network server, both lines of firmware. The body is that
 * of an early ChirpStack, where no template of the operator's own has taken its place.
 */
import type { Inbound } from '../model/inbound.ts';
import type { PayloadUplink, SourceEvent } from '../model/uplink.ts';
import type { Adapter, Parsed } from './adapter.ts';
import { addClassicRadio } from './classic-reception.ts';
import { malformed, openObject, type Place } from './document.ts';
import { readDevAddr, readEui } from './lorawan-identifiers.ts';
import { addObject, addPayload, beginUplink } from './payload-uplink.ts';
import { type Draft, readBytes, readFlag, readObject, readTime } from './place.ts';
import { parseDeviceTime } from './timestamp.ts';

const name = 'milesight-gateway';

export const milesightGateway: Adapter = {
  name,
  // The topics are free text, one for each kind of message.
  topicFilters: [],
  isNetworkServer: true,
  parse,
};

function parse(inbound: Inbound): Parsed {
  const message = openObject(inbound.body);
  if ('code' in message) return message;
  const type = typeByShape(message);
  if (type === undefined) return malformed('it is no message of a Milesight gateway');
  const deviceId = readEui(message, 'devEUI');
  if (deviceId === undefined && type !== 'downlink') {
    return malformed(message.complaints[0] ?? 'devEUI is missing');
  }
  const item =
    deviceId !== undefined && type === 'up'
      ? readUplink(message, deviceId)
      : readEvent(message, { type, ...(deviceId === undefined ? {} : { deviceId }) });
  const complaint = message.complaints[0];
  return complaint === undefined ? [item] : malformed(complaint);
}

/**
 * `applicationID` is a number in one line of firmware and a text in the other: nothing needs it.
 */
function typeByShape({ object }: Place): string | undefined {
  const has = (key: string) => Object.hasOwn(object, key);
  // What an application asks the gateway to send has the port in small letters.
  if (has('fport')) return 'downlink';
  if (has('acknowledged')) return 'ack';
  if (has('error')) return 'error';
  if (has('fPort') || has('data')) return 'up';
  return has('devAddr') ? 'join' : undefined;
}

/** `time` is in UTC; `gatewayTime` says the same in the gateway's own zone. */
function readUplink(message: Place, deviceId: string): PayloadUplink {
  const uplink = beginUplink(message, { adapter: name, deviceId, fPort: 'fPort', fCnt: 'fCnt' });
  const { time } = message.object;
  const sentTime = typeof time === 'number' ? parseDeviceTime(time) : readTime(message, 'time');
  const rxTime = sentTime ?? readTime(message, 'gatewayTime');
  if (rxTime !== undefined) uplink.rxTime = rxTime;
  addClassicRadio(message, uplink);
  const confirmed = readFlag(message, 'confirmed');
  if (confirmed !== undefined) uplink.confirmed = confirmed;
  addPayload(uplink, readBytes(message, 'data'));
  addObject(uplink, readObject(message, 'object') ?? readObject(message, 'decoded'));
  const devAddr = readDevAddr(message, 'devAddr');
  if (devAddr !== undefined) uplink.devAddr = devAddr;
  return uplink;
}

function readEvent(
  message: Place,
  { type, deviceId }: { readonly type: string; readonly deviceId?: string },
): SourceEvent {
  const event: Draft<SourceEvent> = { kind: 'event', adapter: name, type };
  if (deviceId !== undefined) event.deviceId = deviceId;
  const time = readTime(message, 'time');
  if (time !== undefined) event.time = time;
  return event;
}
