/**
 * The way out of the broker: which subscriptions are granted, and which messages a client is sent.
 */

import { brokenLimit, isTopicFilter } from '../topic-filter.ts';
import type { MqttConnection } from './connection.ts';
import type { MqttLimitName } from './limit-count.ts';
import type { MqttLimits } from './options.ts';

/**
 * `close` is for what is no filter at all; `refuse`, and the name of a limit, answer SUBACK 0x80
 * [MQTT-3.9.3-2].
 */
export type SubscribeDecision =
  | 'grant'
  | 'refuse'
  | 'close'
  | Extract<MqttLimitName, 'topicLevelsMax' | 'topicLengthMax' | 'subscriptionsPerClientMax'>;

export function decideSubscribe(
  { principal, granted }: MqttConnection,
  filter: string,
  limits: MqttLimits,
): SubscribeDecision {
  if (principal === undefined || !isTopicFilter(filter)) return 'close';
  const limit = brokenLimit(filter, limits);
  if (limit !== undefined) return limit;
  if (!principal.acl.maySubscribe(filter)) return 'refuse';
  const hasRoom = granted.has(filter) || granted.size() < limits.subscriptionsPerClientMax;
  return hasRoom ? 'grant' : 'subscriptionsPerClientMax';
}

/**
 * `hide` is the ACL's; `drop` and `cut` are for a client that does not read: at QoS 0 it misses the
 * message, above it the connection ends, and a lasting session keeps the message.
 */
export type ForwardDecision = 'send' | 'hide' | 'drop' | 'cut';

export function decideForward(
  { principal, conn }: MqttConnection,
  packet: { readonly topic: string; readonly qos: number },
  limits: MqttLimits,
): ForwardDecision {
  // A stored subscription may be older than the rule, and may even be one that was refused.
  if (principal?.acl.mayReceive(packet.topic) !== true) return 'hide';
  if (conn.writableLength <= limits.sendBytesMax) return 'send';
  return packet.qos === 0 ? 'drop' : 'cut';
}

/** A message is sent with the lower of its own QoS and the one granted [MQTT-3.8.4-6]. */
export function grantedQos(
  { granted }: MqttConnection,
  packet: { readonly topic: string; readonly qos: 0 | 1 | 2 },
): 0 | 1 | 2 {
  if (packet.qos === 0) return 0;
  const highest = granted.highestQos(packet.topic);
  if (highest === 0) return 0;
  return highest === 1 ? 1 : packet.qos;
}
