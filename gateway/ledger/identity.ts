/** What makes an inbound message and a radio frame unique: pure functions to short binary keys. */
import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { isDeviceId } from '../model/device.ts';
import { parseDevAddr } from '../model/eui.ts';
import type { Inbound } from '../model/inbound.ts';
import type { VerifiedUplink } from '../model/uplink.ts';
import { believableTime, digestBytes } from './content-identity.ts';
import type { Delivery, Item } from './ledger.ts';

/**
 * `content`: each item is judged by what it says, see content-identity.ts, and that suffices.
 * `lasting`: the message names itself, so it is a redelivery whenever it comes again. `passing`:
 * two equal bodies may be two messages, so who sent it, when and how often decides.
 */
export type Identity =
  | { readonly kind: 'content' }
  | {
      readonly kind: 'lasting' | 'passing';
      /**
       * Bytes as Latin-1 text: it waits in the queue, and a Buffer would cost the collector more.
       */
      readonly key: string;
    };

/** The key starts with the message's own time in seconds, 4 bytes; see `identify`. */
export const identityKeyBytes = 4 + digestBytes;

/**
 * The rules, first match wins.
 *
 * 1. Every item is an uplink with a content and a time of its own: both find it again.
 * 2. Every item is an uplink with a `messageKey`: adapter, device, key, counter, time and payload.
 *    The bytes around it may differ (a webhook's retry count). Time and payload belong to it, so
 *    that a device that numbers its messages anew after a restart loses none.
 * 3. Every item has a time or a session counter of its own: the sender, the route and the exact
 *    bytes. No honest sender makes the same bytes twice then.
 * 4. Else: the same, but `passing`. A sensor may well send the same value twice.
 *
 * A key begins with the network's time of reception where the message tells it. Messages come
 * roughly in that order, so a group of new keys lands on a few neighbouring pages instead of on as
 * many pages as keys: with 2 million keys that is 9 instead of 18 microseconds of the thread.
 */
export function identify(
  { inbound, items }: Delivery,
  contents: readonly (string | undefined)[],
): Identity {
  if (!contents.includes(undefined) && items.every(isTimed)) return byContent;
  if (items.every(hasMessageKey)) {
    let text = 'key';
    for (const item of items) text += ownText(item);
    return { kind: 'lasting', key: keyOf(items, text) };
  }
  const body = hash('sha256', inbound.body, 'binary');
  const parts = [inbound.sender.credential, inbound.route, body];
  if (items.every(tellsItselfApart)) {
    return { kind: 'lasting', key: keyOf(items, framed(['bytes', ...parts])) };
  }
  return { kind: 'passing', key: keyOf([], framed(['sender', ...parts])) };
}

const byContent: Identity = { kind: 'content' };

function isTimed(item: Item): boolean {
  return item.kind === 'payload' && believableTime(item.rxTime) !== undefined;
}

type Keyed = VerifiedUplink & { readonly messageKey: string };

function hasMessageKey(item: Item): item is Keyed {
  return item.kind === 'payload' && item.messageKey !== undefined;
}

function ownText({ adapter, deviceId, messageKey, fCnt, rxTime, frmPayload }: Keyed): string {
  const payload = frmPayload?.toString('latin1') ?? '';
  return framed([adapter, deviceId, messageKey, `${fCnt}`, `${rxTime}`, payload]);
}

function tellsItselfApart(item: Item): boolean {
  switch (item.kind) {
    case 'payload':
      return item.rxTime !== undefined || (item.fCnt !== undefined && item.devAddr !== undefined);
    case 'event':
      return item.time !== undefined;
    case 'quarantined':
      return false;
  }
}

/** Length before text: no two lists of parts give one text. */
function framed(parts: readonly string[]): string {
  let text = '';
  for (const part of parts) text += `${part.length}:${part}`;
  return text;
}

function keyOf(items: readonly Item[], text: string): string {
  const seconds = secondsOf(items[0]);
  const time = String.fromCharCode(
    seconds >>> 24,
    (seconds >>> 16) & 0xff,
    (seconds >>> 8) & 0xff,
    seconds & 0xff,
  );
  return time + hash('sha256', text, 'binary').slice(0, digestBytes);
}

/** Any number may come from outside; what is no time of this epoch has none. */
function secondsOf(item: Item | undefined): number {
  const time = item?.kind === 'payload' ? item.rxTime : undefined;
  const seconds = Math.floor((time ?? 0) / 1000);
  return seconds > 0 && seconds <= 0xffffffff ? seconds : 0;
}

/** Tells connections apart in a stored record without keeping their names. */
export function connectionDigest(inbound: Inbound): Buffer {
  return Buffer.from(hash('sha256', inbound.sender.connection, 'binary').slice(0, 8), 'latin1');
}

/** A radio frame that the gateway itself has verified, as the session's records know it. */
export interface FrameIdentity {
  readonly adapter: string;
  readonly deviceId: string;
  readonly devAddr: string;
  /** Absent for a device that has only one; see Session.id. */
  readonly session?: string;
  readonly fCnt: number;
}

/** Undefined for an uplink whose frame somebody else has opened: its counter was checked there. */
export function identifyFrame(item: Item): FrameIdentity | undefined {
  if (item.kind !== 'payload' || item.phyPayload === undefined) return undefined;
  const { adapter, deviceId, devAddr, fCnt, session } = item;
  if (devAddr === undefined || fCnt === undefined) return undefined;
  // They come from the registry and become a key; a strange one would fail its whole group.
  assert.ok(isDeviceId(deviceId) && isDevAddr(devAddr), 'a frame is of a registered session');
  if (session === undefined) return { adapter, deviceId, devAddr, fCnt };
  assert.ok(isDeviceId(session), 'a session is named like a device');
  return { adapter, deviceId, devAddr, fCnt, session };
}

function isDevAddr(text: string): boolean {
  return parseDevAddr(text) === text;
}
