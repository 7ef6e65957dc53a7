/** Joining a network: opening a join-accept and deriving session keys from root keys. */
import { createCipheriv } from 'node:crypto';
import type { SessionKeys } from '../model/device.ts';
import { type Fault, fault } from '../model/fault.ts';
import { blockBytes, cmac, createCmacKey } from './cmac.ts';
import { type ClearJoinAccept, decryptJoinAccept, type JoinAcceptFrame } from './frame.ts';
import { isSameMic } from './frame-mic.ts';

/** OptNeg: the network speaks LoRaWAN 1.1. */
const optNeg = 0x80;
const micBytes = 4;

export interface JoinAcceptKeys {
  /** AppKey in 1.0, NwkKey in 1.1. */
  readonly rootKey: Buffer;
  /** Only for an accept with OptNeg. */
  readonly jsIntKey?: Buffer;
}

/** What was asked for: an accept with OptNeg signs the request along. */
export interface JoinRequestContext {
  /** 255 for a join-request, else the rejoin type. */
  readonly joinReqType: number;
  readonly joinEui: string;
  readonly devNonce: number;
}

/** The join-accept in clear, or MIC_MISMATCH when these keys or this request are not its own. */
export function openJoinAccept(
  frame: JoinAcceptFrame,
  keys: JoinAcceptKeys,
  request?: JoinRequestContext,
): ClearJoinAccept | Fault {
  const accept = decryptJoinAccept(frame, keys.rootKey);
  const isVersion11 = (accept.dlSettings & optNeg) !== 0;
  const key = isVersion11 ? keys.jsIntKey : keys.rootKey;
  if (key === undefined || (isVersion11 && request === undefined)) {
    return fault('FRAME_UNSUPPORTED', 'A 1.1 join-accept needs JSIntKey and the join-request.');
  }
  const head = isVersion11 && request !== undefined ? requestBytes(request) : Buffer.alloc(0);
  const tag = cmac(createCmacKey(key), head, accept.clear.subarray(0, -micBytes));
  return isSameMic(accept.mic, tag.subarray(0, micBytes))
    ? accept
    : fault('MIC_MISMATCH', 'The join-accept was not made with this root key.');
}

function requestBytes(request: JoinRequestContext): Buffer {
  const bytes = Buffer.alloc(11);
  bytes[0] = request.joinReqType;
  bytes.set(reversed(request.joinEui, 8), 1);
  bytes.writeUInt16LE(request.devNonce, 9);
  return bytes;
}

/** Numbers as they stand in the join frames, identifiers in hex. */
export interface JoinNonces {
  readonly joinNonce: number;
  readonly devNonce: number;
}

/** LoRaWAN 1.0: NwkSKey takes all three network places. */
export function deriveSessionKeys10(
  appKey: Buffer,
  nonces: JoinNonces & { readonly netId: string },
): SessionKeys {
  const scope = reversed(nonces.netId, 3);
  const nwkSKey = derive(appKey, 0x01, nonces, scope);
  return {
    appSKey: derive(appKey, 0x02, nonces, scope),
    fNwkSIntKey: nwkSKey,
    sNwkSIntKey: nwkSKey,
    nwkSEncKey: nwkSKey,
  };
}

export function deriveSessionKeys11(
  roots: { readonly appKey: Buffer; readonly nwkKey: Buffer },
  nonces: JoinNonces & { readonly joinEui: string },
): SessionKeys {
  const scope = reversed(nonces.joinEui, 8);
  return {
    appSKey: derive(roots.appKey, 0x02, nonces, scope),
    fNwkSIntKey: derive(roots.nwkKey, 0x01, nonces, scope),
    sNwkSIntKey: derive(roots.nwkKey, 0x03, nonces, scope),
    nwkSEncKey: derive(roots.nwkKey, 0x04, nonces, scope),
  };
}

export function deriveJoinServerKeys(
  nwkKey: Buffer,
  devEui: string,
): { readonly jsIntKey: Buffer; readonly jsEncKey: Buffer } {
  const block = Buffer.alloc(blockBytes);
  block.set(reversed(devEui, 8), 1);
  const derived = (purpose: number): Buffer => {
    block[0] = purpose;
    return createCipheriv('aes-128-ecb', nwkKey, null).update(block);
  };
  return { jsIntKey: derived(0x06), jsEncKey: derived(0x05) };
}

function derive(root: Buffer, purpose: number, nonces: JoinNonces, scope: Buffer): Buffer {
  const block = Buffer.alloc(blockBytes);
  block[0] = purpose;
  block.writeUIntLE(nonces.joinNonce, 1, 3);
  block.set(scope, 4);
  block.writeUInt16LE(nonces.devNonce, 4 + scope.length);
  return createCipheriv('aes-128-ecb', root, null).update(block);
}

/** Identifiers are shown most significant byte first and travel the other way round. */
function reversed(hex: string, length: number): Buffer {
  return Buffer.from(hex.padStart(length * 2, '0'), 'hex').reverse();
}
