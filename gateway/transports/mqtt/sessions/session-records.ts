/**
 * How sessions and retained messages look on disk. A key is a letter and what it belongs to; client
 * ids, filters and topics stand in it as hashes, because a key has fewer bytes than a topic may.
 *
 * ```
 * s:<client>            who it belongs to, and since when its client is gone
 * f:<client>:<filter>   a subscription
 * i:<client>:<packet>   a QoS 2 packet identifier between PUBLISH and PUBREL
 * m:<number>            a message that waits for one or more clients
 * c:<client>:<number>   that it waits for this one, and how far its delivery has come
 * r:<topic>             a retained message
 * ```
 */
import { createHash } from 'node:crypto';

export interface SessionRecord {
  readonly clientId: string;
  readonly owner: string;
  /** Epoch milliseconds; absent while its client is connected. */
  readonly goneAt?: number;
}

export interface FilterRecord {
  readonly filter: string;
  readonly qos: number;
}

export interface MessageRecord {
  readonly topic: string;
  readonly payload: Buffer;
  readonly qos: number;
  /** Epoch milliseconds. */
  readonly keptAt: number;
}

/** Whether the client has been sent the message, and, at QoS 2, has said that it has it. */
export type CopyState = 'waiting' | 'sent' | 'released';

export interface CopyRecord {
  readonly qos: number;
  readonly state: CopyState;
  /** 0 until it is sent. */
  readonly messageId: number;
}

const copyStates: readonly CopyState[] = ['waiting', 'sent', 'released'];

/** 132 bits: no two client ids or topics will ever share one. */
function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('base64url').slice(0, 22);
}

/** In base 36 and of one length, so that the order of the keys is that of the numbers. */
function numberText(value: number): string {
  return value.toString(36).padStart(10, '0');
}

export const clientKeyOf = hashOf;
export const sessionKey = (client: string) => `s:${client}`;
export const filterKey = (client: string, filter: string) => `f:${client}:${hashOf(filter)}`;
export const incomingKey = (client: string, packet: number) => `i:${client}:${packet}`;
export const messageKey = (number: number) => `m:${numberText(number)}`;
export const copyKey = (client: string, number: number) => `c:${client}:${numberText(number)}`;
export const retainedKey = (topic: string) => `r:${hashOf(topic)}`;

/** The parts of a key after its letter. */
export function keyParts(key: string): { readonly client: string; readonly last: string } {
  const [, client = '', last = ''] = key.split(':');
  return { client, last };
}

/** Undefined for what this program did not write. */
export function numberOf(text: string, radix: 10 | 36): number | undefined {
  const value = Number.parseInt(text, radix);
  return Number.isSafeInteger(value) ? value : undefined;
}

export function encodeSession(record: SessionRecord): Buffer {
  return Buffer.from(JSON.stringify(record));
}

export function decodeSession(value: Buffer): SessionRecord | undefined {
  const { clientId, owner, goneAt } = fieldsOf(value);
  if (typeof clientId !== 'string' || typeof owner !== 'string') return undefined;
  return { clientId, owner, ...(typeof goneAt === 'number' ? { goneAt } : {}) };
}

export function encodeFilter(record: FilterRecord): Buffer {
  return Buffer.from(JSON.stringify(record));
}

export function decodeFilter(value: Buffer): FilterRecord | undefined {
  const { filter, qos } = fieldsOf(value);
  if (typeof filter !== 'string' || typeof qos !== 'number') return undefined;
  return { filter, qos };
}

function fieldsOf(value: Buffer): Readonly<Partial<Record<string, unknown>>> & {
  readonly clientId?: unknown;
  readonly owner?: unknown;
  readonly goneAt?: unknown;
  readonly filter?: unknown;
  readonly qos?: unknown;
} {
  try {
    const parsed: unknown = JSON.parse(value.toString('utf8'));
    return typeof parsed === 'object' && parsed !== null ? { ...parsed } : {};
  } catch {
    return {};
  }
}

export function encodeCopy({ qos, state, messageId }: CopyRecord): Buffer {
  return Buffer.from([qos, copyStates.indexOf(state), messageId >> 8, messageId & 0xff]);
}

export function decodeCopy(value: Buffer): CopyRecord | undefined {
  const state = copyStates[value[1] ?? -1];
  if (value.length !== 4 || state === undefined) return undefined;
  return { qos: value.readUInt8(0), state, messageId: value.readUInt16BE(2) };
}

const messageHeadBytes = 9;

export function encodeMessage({ topic, payload, qos, keptAt }: MessageRecord): Buffer {
  const name = Buffer.from(topic, 'utf8');
  const head = Buffer.alloc(messageHeadBytes);
  head.writeUIntBE(keptAt, 0, 6);
  head.writeUInt8(qos, 6);
  head.writeUInt16BE(name.length, 7);
  return Buffer.concat([head, name, payload]);
}

export function decodeMessage(value: Buffer): MessageRecord | undefined {
  if (value.length < messageHeadBytes) return undefined;
  const payloadAt = messageHeadBytes + value.readUInt16BE(7);
  if (value.length < payloadAt) return undefined;
  return {
    keptAt: value.readUIntBE(0, 6),
    qos: value.readUInt8(6),
    topic: value.toString('utf8', messageHeadBytes, payloadAt),
    // Copied: what the store hands out may be a page that it uses again.
    payload: Buffer.from(value.subarray(payloadAt)),
  };
}
