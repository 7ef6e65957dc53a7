/**
 * The frames of joining: requests as a device makes them, the accept as its network server makes it
 * and as the device opens it [TS001-1.0.4 6.2; LoRaWAN 1.1, 6.2].
 */
import { createDecipheriv } from 'node:crypto';
import { createCmac } from './aes-cmac.ts';
import {
  encryptBlock,
  type JoinTerms,
  joinServerKeys,
  littleEndian,
  type RootKeys,
} from './session.ts';

export interface JoinNames {
  /** 16 hex digits each. */
  readonly devEui: string;
  readonly joinEui: string;
}

export type RejoinType = 0 | 1 | 2;
/** What stands for a join-request where rejoin-requests have their type [LoRaWAN 1.1, 6.2.3]. */
export const joinRequestType = 255;

/** What an accept answers: an accept of 1.1 signs it along. */
export interface AnsweredRequest extends JoinNames {
  readonly joinReqType: RejoinType | typeof joinRequestType;
  /** For a rejoin-request its counter. */
  readonly devNonce: number;
}

export interface JoinAccept extends Omit<JoinTerms, 'joinEui' | 'devNonce'> {
  /** Seconds from the end of an uplink to its first receive window, 1 to 15. */
  readonly rxDelay: number;
  /** Hz, up to five: channels 3 to 7 of EU868, in steps of 100 Hz. */
  readonly frequencies: readonly number[];
}

const joinRequestMhdr = 0x00;
const joinAcceptMhdr = 0x20;
const rejoinRequestMhdr = 0xc0;
const optNeg = 0x80;
const micLength = 4;
const cfListLength = 16;
const acceptLength = 17;

/** `root` is the AppKey, in 1.1 the NwkKey. */
export function joinRequest(root: Buffer, names: JoinNames, devNonce: number): Buffer {
  return signed(root, [
    Buffer.of(joinRequestMhdr),
    littleEndian(names.joinEui),
    littleEndian(names.devEui),
    uint(devNonce, 2),
  ]);
}

/** `key` is SNwkSIntKey for types 0 and 2, which name the network, and JSIntKey for type 1. */
export function rejoinRequest(
  key: Buffer,
  { type, netId, count }: { type: RejoinType; netId: string; count: number },
  { devEui, joinEui }: JoinNames,
): Buffer {
  return signed(key, [
    Buffer.of(rejoinRequestMhdr, type),
    littleEndian(type === 1 ? joinEui : netId),
    littleEndian(devEui),
    uint(count, 2),
  ]);
}

/** True when the last four bytes are the MIC of the rest under this key. */
export function isSignedWith(key: Buffer, frame: Buffer): boolean {
  const mic = createCmac(key)(frame.subarray(0, -micLength)).subarray(0, micLength);
  return mic.equals(frame.subarray(-micLength));
}

/** As it is sent: a device can only encrypt, so that a network encrypts with the decryption. */
export function joinAccept(roots: RootKeys, accept: JoinAccept, asked: AnsweredRequest): Buffer {
  const clear = Buffer.concat([
    Buffer.of(joinAcceptMhdr),
    uint(accept.joinNonce, 3),
    littleEndian(accept.netId),
    littleEndian(accept.devAddr),
    Buffer.of(accept.isOf11 ? optNeg : 0, accept.rxDelay),
    cfList(accept.frequencies),
  ]);
  const keys = acceptKeys(roots, asked);
  const mic = acceptMic(keys, clear, asked, accept.isOf11);
  const cipher = createDecipheriv('aes-128-ecb', keys.encryption, null).setAutoPadding(false);
  return Buffer.concat([
    clear.subarray(0, 1),
    cipher.update(Buffer.concat([clear.subarray(1), mic])),
  ]);
}

/** Undefined when this accept is not for this device or its latest request. */
export function openJoinAccept(
  roots: RootKeys,
  frame: Buffer,
  asked: AnsweredRequest,
): JoinAccept | undefined {
  const isWhole = frame.length === acceptLength || frame.length === acceptLength + cfListLength;
  if (!isWhole || frame[0] !== joinAcceptMhdr) return undefined;
  const keys = acceptKeys(roots, asked);
  const body = encryptBlocks(keys.encryption, frame.subarray(1));
  const clear = Buffer.concat([frame.subarray(0, 1), body.subarray(0, -micLength)]);
  const isOf11 = (clear.readUInt8(11) & optNeg) !== 0;
  if (!acceptMic(keys, clear, asked, isOf11).equals(body.subarray(-micLength))) return undefined;
  const hexAt = (from: number, to: number) =>
    Buffer.from(clear.subarray(from, to)).reverse().toString('hex');
  return {
    ...{ joinNonce: clear.readUIntLE(1, 3), netId: hexAt(4, 7), devAddr: hexAt(7, 11) },
    ...{ isOf11, rxDelay: Math.max(1, clear.readUInt8(12) & 0x0f) },
    frequencies: frequenciesOf(clear.subarray(13)),
  };
}

interface AcceptKeys {
  readonly encryption: Buffer;
  readonly signing: Buffer;
  readonly jsIntKey: Buffer | undefined;
}

/** The answer to a rejoin-request is under JSEncKey, that to a join-request under a root key. */
function acceptKeys({ appKey, nwkKey }: RootKeys, asked: AnsweredRequest): AcceptKeys {
  if (nwkKey === undefined) return { encryption: appKey, signing: appKey, jsIntKey: undefined };
  const { jsIntKey, jsEncKey } = joinServerKeys(nwkKey, asked.devEui);
  const encryption = asked.joinReqType === joinRequestType ? nwkKey : jsEncKey;
  return { encryption, signing: nwkKey, jsIntKey };
}

function acceptMic(
  { signing, jsIntKey }: AcceptKeys,
  clear: Buffer,
  { joinReqType, joinEui, devNonce }: AnsweredRequest,
  isOf11: boolean,
): Buffer {
  const key = isOf11 && jsIntKey !== undefined ? jsIntKey : signing;
  const head = [Buffer.of(joinReqType), littleEndian(joinEui), uint(devNonce, 2)];
  const message = isOf11 ? Buffer.concat([...head, clear]) : clear;
  return createCmac(key)(message).subarray(0, micLength);
}

function encryptBlocks(key: Buffer, bytes: Buffer): Buffer {
  const blocks = Array.from({ length: bytes.length / 16 }, (_, index) =>
    encryptBlock(key, bytes.subarray(index * 16, index * 16 + 16)),
  );
  return Buffer.concat(blocks);
}

/** Type 0: frequencies of three bytes, in 100 Hz [LoRaWAN 1.0.3 Regional Parameters, 2.2.4]. */
function cfList(frequencies: readonly number[]): Buffer {
  if (frequencies.length === 0) return Buffer.alloc(0);
  const list = Buffer.alloc(cfListLength);
  for (const [index, frequency] of frequencies.slice(0, 5).entries()) {
    list.writeUIntLE(frequency / 100, index * 3, 3);
  }
  return list;
}

function frequenciesOf(list: Buffer): number[] {
  if (list.length < cfListLength) return [];
  return [0, 3, 6, 9, 12].map((at) => list.readUIntLE(at, 3) * 100).filter((each) => each > 0);
}

function signed(key: Buffer, parts: readonly Buffer[]): Buffer {
  const message = Buffer.concat(parts);
  return Buffer.concat([message, createCmac(key)(message).subarray(0, micLength)]);
}

function uint(value: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  bytes.writeUIntLE(value, 0, length);
  return bytes;
}
