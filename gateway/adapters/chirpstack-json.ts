/**
 * ChirpStack in JSON, version 3 or 4: both publish on the same topics, so the message's shape tells
 * them apart. What it gives bears the name of the version's own adapter.
 */
import type { Inbound } from '../model/inbound.ts';
import type { Adapter, Parsed } from './adapter.ts';
import { parseVersion4 } from './chirpstack.ts';
import { parseVersion3 } from './chirpstack-v3.ts';
import { openObject } from './document.ts';

export const chirpstackJson: Adapter = {
  name: 'chirpstack-json',
  topicFilters: ['application/+/device/+/event/+'],
  isNetworkServer: true,
  parse,
};

/** Version 3 has the device's EUI at the top; version 4 has it in `deviceInfo`, or is malformed. */
function parse(inbound: Inbound): Parsed {
  const message = openObject(inbound.body);
  if ('code' in message) return message;
  const isVersion3 =
    Object.hasOwn(message.object, 'devEUI') && !Object.hasOwn(message.object, 'deviceInfo');
  return isVersion3 ? parseVersion3(message, inbound) : parseVersion4(message, inbound);
}
