/** Builds inbound messages for the adapter tests and shows results as JSON. */
import { readFileSync } from 'node:fs';
import { expect } from '@jest/globals';
import type { Parsed } from '../../gateway/adapters/adapter.ts';
import type { Fault } from '../../gateway/model/fault.ts';
import type { Inbound } from '../../gateway/model/inbound.ts';
import type { FrameUplink, PayloadUplink, SourceEvent } from '../../gateway/model/uplink.ts';

export const receivedAt = 1_700_000_000_000;

export function inboundOf(route: string, body: unknown, deviceId?: string): Inbound {
  return {
    transport: 'mqtt',
    route,
    body: Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body)),
    receivedAt,
    sender: {
      credential: 'network',
      connection: '1',
      vouches: 'credential',
      ...(deviceId === undefined ? {} : { deviceId }),
    },
    dup: false,
  };
}

/** A fixture's text, by its path below test/fixtures. */
export function fixtureText(path: string): string {
  return readFileSync(new URL(`../fixtures/${path}`, import.meta.url), 'utf8');
}

/** With `hex:` in front of bytes, as the golden files write them. */
export function shown(value: unknown): unknown {
  if (Buffer.isBuffer(value)) return `hex:${value.toString('hex')}`;
  if (Array.isArray(value)) return value.map(shown);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, shown(inner)]));
}

export function faultOf(parsed: Parsed): Fault {
  if (!('code' in parsed)) throw new Error('it is no fault');
  return parsed;
}

export function payloadOf(parsed: Parsed): PayloadUplink {
  const item = only(parsed);
  if (item.kind !== 'payload') throw new Error(`it is a ${item.kind}`);
  return item;
}

export function frameOf(parsed: Parsed): FrameUplink {
  const item = only(parsed);
  if (item.kind !== 'frame') throw new Error(`it is a ${item.kind}`);
  return item;
}

export function eventOf(parsed: Parsed): SourceEvent {
  const item = only(parsed);
  if (item.kind !== 'event') throw new Error(`it is a ${item.kind}`);
  return item;
}

function only(parsed: Parsed): PayloadUplink | FrameUplink | SourceEvent {
  if ('code' in parsed) throw new Error(`${parsed.code}: ${parsed.detail}`);
  expect(parsed).toHaveLength(1);
  return parsed[0];
}
