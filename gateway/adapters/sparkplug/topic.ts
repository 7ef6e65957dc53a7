/** Sparkplug topics, and the device id that stands for an edge node or a device behind one. */
import { createHash } from 'node:crypto';
import { deviceIdPattern } from '../../model/device.ts';

export type NodeMessage = 'NBIRTH' | 'NDATA' | 'NDEATH' | 'NCMD';
export type DeviceMessage = 'DBIRTH' | 'DDATA' | 'DDEATH' | 'DCMD';

/** Where a message comes from: a node itself, or a device behind it. */
export interface Origin {
  readonly groupId: string;
  readonly nodeId: string;
  readonly deviceId?: string;
}

export type SparkplugTopic =
  | { readonly kind: 'STATE' }
  | { readonly kind: NodeMessage | DeviceMessage; readonly origin: Origin };

const namespace = 'spBv1.0';
const nodeMessages: readonly NodeMessage[] = ['NBIRTH', 'NDATA', 'NDEATH', 'NCMD'];
const deviceMessages: readonly DeviceMessage[] = ['DBIRTH', 'DDATA', 'DDEATH', 'DCMD'];

/** `spBv1.0/{group}/{message}/{node}[/{device}]` or `spBv1.0/STATE/{host}`. */
export function readTopic(route: string): SparkplugTopic | undefined {
  const [space, groupId, word, nodeId, deviceId, ...rest] = route.split('/');
  if (space !== namespace || rest.length > 0) return undefined;
  if (groupId === 'STATE') return word !== undefined && word !== '' ? { kind: 'STATE' } : undefined;
  if (groupId === undefined || groupId === '' || nodeId === undefined || nodeId === '') {
    return undefined;
  }
  if (deviceId === undefined) {
    const kind = nodeMessages.find((message) => message === word);
    return kind === undefined ? undefined : { kind, origin: { groupId, nodeId } };
  }
  const kind = deviceMessages.find((message) => message === word);
  if (kind === undefined || deviceId === '') return undefined;
  return { kind, origin: { groupId, nodeId, deviceId } };
}

export function commandTopic({ groupId, nodeId }: Origin): string {
  return `${namespace}/${groupId}/NCMD/${nodeId}`;
}

export function stateTopic(hostId: string): string {
  return `${namespace}/STATE/${hostId}`;
}

const plainPart = /^[A-Za-z0-9_.-]+$/;
/** What is readable in front of the digest; with both the id is as long as an id may be. */
const readableLengthMax = 30;
const digestDigits = 32;

/**
 * `{group}:{node}[:{device}]`. Names that cannot stand in an id become a digest behind a double
 * colon, which no plain id has, so two origins never share one: not `a/b` and `a_b`, and not the
 * node `c` of the group `a:b` and the node `b:c` of the group `a`.
 */
export function deviceIdOf({ groupId, nodeId, deviceId }: Origin): string {
  const parts = deviceId === undefined ? [groupId, nodeId] : [groupId, nodeId, deviceId];
  const plain = parts.join(':');
  if (parts.every((part) => plainPart.test(part)) && deviceIdPattern.test(plain)) return plain;
  const framed = parts.map((part) => `${part.length}:${part}`).join('');
  const digest = createHash('sha256').update(framed).digest('hex').slice(0, digestDigits);
  const readable = parts.map((part) => part.replace(/[^A-Za-z0-9_.-]/g, '_')).join(':');
  return `${readable.slice(0, readableLengthMax)}::${digest}`;
}
