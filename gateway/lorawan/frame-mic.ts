/**
 * Message integrity codes of data, join-request and rejoin-request frames. lora-packet's own are
 * not used: in LoRaWAN 1.1 it rewrites the caller's buffer and counts ConfFCnt on FPort 0 when the
 * frame acknowledges nothing, and its comparison ends at the first byte that differs.
 */
import { timingSafeEqual } from 'node:crypto';
import { blockBytes, type CmacKey, cmac } from './cmac.ts';
import type { DataFrame, Frame } from './frame.ts';

const micBytes = 4;
const noHead = Buffer.alloc(0);

/** What a LoRaWAN 1.1 MIC covers beyond the frame. */
export interface MicContext {
  /** The counter of the confirmed frame that this one acknowledges; it counts only with ACK set. */
  readonly confFCnt: number;
  /** The data rate index of the uplink in its region. */
  readonly txDr: number;
  /** The channel index of the uplink. */
  readonly txCh: number;
}

/** LoRaWAN 1.0, both directions; `key` is NwkSKey. */
export function dataMic(key: CmacKey, frame: DataFrame, fCnt: number): Buffer {
  return cmac(key, micBlock(frame, fCnt), signedBytes(frame)).subarray(0, micBytes);
}

/** The last two bytes of a 1.1 uplink's MIC, which need no knowledge of its transmission. */
export function uplinkMicF(fNwkSIntKey: CmacKey, frame: DataFrame, fCnt: number): Buffer {
  return cmac(fNwkSIntKey, micBlock(frame, fCnt), signedBytes(frame)).subarray(0, 2);
}

/** The other half, which also covers data rate, channel and acknowledged counter. */
export function uplinkMicS(
  sNwkSIntKey: CmacKey,
  frame: DataFrame,
  fCnt: number,
  context: MicContext,
): Buffer {
  const block = micBlock(frame, fCnt);
  block.writeUInt16LE(frame.fCtrl.ack ? context.confFCnt & 0xffff : 0, 1);
  block[3] = context.txDr;
  block[4] = context.txCh;
  return cmac(sNwkSIntKey, block, signedBytes(frame)).subarray(0, 2);
}

/** LoRaWAN 1.1 uplink: two bytes under SNwkSIntKey, then two under FNwkSIntKey. */
export function uplinkMic11(
  keys: { readonly fNwkSIntKey: CmacKey; readonly sNwkSIntKey: CmacKey },
  frame: DataFrame,
  fCnt: number,
  context: MicContext,
): Buffer {
  return Buffer.concat([
    uplinkMicS(keys.sNwkSIntKey, frame, fCnt, context),
    uplinkMicF(keys.fNwkSIntKey, frame, fCnt),
  ]);
}

/** LoRaWAN 1.1 downlink. */
export function downlinkMic11(
  sNwkSIntKey: CmacKey,
  frame: DataFrame,
  fCnt: number,
  confFCnt: number,
): Buffer {
  const block = micBlock(frame, fCnt);
  block.writeUInt16LE(frame.fCtrl.ack ? confFCnt & 0xffff : 0, 1);
  return cmac(sNwkSIntKey, block, signedBytes(frame)).subarray(0, micBytes);
}

/**
 * Join-request (AppKey; NwkKey in 1.1) and rejoin-request (SNwkSIntKey for types 0 and 2, JSIntKey
 * for type 1): nothing but the frame's own bytes.
 */
export function bareMic(key: CmacKey, frame: Frame): Buffer {
  return cmac(key, noHead, signedBytes(frame)).subarray(0, micBytes);
}

/** In constant time, so that a sender cannot learn a MIC byte by byte. */
export function isSameMic(mic: Buffer, other: Buffer): boolean {
  return mic.length === other.length && timingSafeEqual(mic, other);
}

function signedBytes(frame: Frame): Buffer {
  return frame.phyPayload.subarray(0, -micBytes);
}

/** B0 of the specification; B1 is the same block with its four zero bytes filled in. */
function micBlock(frame: DataFrame, fCnt: number): Buffer {
  const block = Buffer.allocUnsafe(blockBytes).fill(0);
  block[0] = 0x49;
  block[5] = frame.direction === 'up' ? 0 : 1;
  // DevAddr stands in the frame in the byte order that the block wants.
  frame.phyPayload.copy(block, 6, 1, 5);
  block.writeUInt32LE(fCnt, 10);
  block[15] = frame.phyPayload.length - micBytes;
  return block;
}
