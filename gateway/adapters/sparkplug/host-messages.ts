/** What a Sparkplug host application says: that it is there, and that it needs a birth. */
import { PbfWriter } from 'pbf';
import { commandTopic, type Origin, stateTopic } from './topic.ts';

export interface HostMessage {
  readonly topic: string;
  readonly payload: Buffer;
}

/** To be published retained at QoS 1; nodes may wait for a host that is online. */
export function stateMessage(
  hostId: string,
  { online, now }: { readonly online: boolean; readonly now: number },
): HostMessage {
  const payload = Buffer.from(JSON.stringify({ online, timestamp: now }));
  return { topic: stateTopic(hostId), payload };
}

const booleanType = 11;

/** The NCMD that makes a node tell all its metrics anew. */
export function rebirthCommand(origin: Origin, now: number): HostMessage {
  const metric = new PbfWriter();
  metric.writeStringField(1, 'Node Control/Rebirth');
  metric.writeVarintField(3, now);
  metric.writeVarintField(4, booleanType);
  metric.writeBooleanField(14, true);
  const payload = new PbfWriter();
  payload.writeVarintField(1, now);
  payload.writeBytesField(2, metric.finish());
  return { topic: commandTopic(origin), payload: Buffer.from(payload.finish()) };
}
