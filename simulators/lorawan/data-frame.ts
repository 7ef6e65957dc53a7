/**
 * LoRaWAN data frames, up and down, of 1.0 and 1.1: made by whoever sends them and opened by whom
 * they are for [TS001-1.0.4 4.3 and 4.4; LoRaWAN 1.1, 4.3 and 4.4]. Whoever holds the session keeps
 * the counters.
 */
import assert from 'node:assert/strict';
import { type Cipher, createCipheriv } from 'node:crypto';
import { type Cmac, createCmac } from './aes-cmac.ts';
import type { Session } from './session.ts';

export type Direction = 'up' | 'down';

export interface DataContent {
  /** 0 to 255; port 0 carries MAC commands under the network's key. Absent: no payload either. */
  readonly fPort?: number;
  readonly frmPayload?: Uint8Array;
  /** All 32 bits. */
  readonly fCnt: number;
  readonly confirmed?: boolean;
  readonly adr?: boolean;
  /** Asks the network for a sign of life. */
  readonly adrAckReq?: boolean;
  readonly ack?: boolean;
  /** MAC commands in clear, 15 bytes at most. */
  readonly fOpts?: Uint8Array;
}

/** What a MIC of LoRaWAN 1.1 covers beyond the frame; of no meaning in 1.0. */
export interface MicContext {
  /** The counter of the confirmed frame that this one acknowledges. */
  readonly confFCnt?: number;
  /** Data rate and channel index of an uplink. */
  readonly txDr?: number;
  readonly txCh?: number;
}

export interface OpenedFrame {
  readonly confirmed: boolean;
  readonly adr: boolean;
  readonly ack: boolean;
  /** All 32 bits. */
  readonly fCnt: number;
  readonly fPort?: number;
  /** Both in clear. */
  readonly fOpts: Buffer;
  readonly frmPayload: Buffer;
}

export interface FrameCodec {
  encode(direction: Direction, content: DataContent, context?: MicContext): Buffer;
  /** Undefined when the MIC does not fit this counter; `fCnt` has the low 16 bits of the frame. */
  open(
    direction: Direction,
    frame: Buffer,
    fCnt: number,
    context?: MicContext,
  ): OpenedFrame | undefined;
}

const blockLength = 16;
export const micLength = 4;
const headerLength = 8;
const fOptsBytesMax = 15;
const fCntMax = 0xffffffff;
/** The largest FRMPayload of EU868 at its highest data rates [RP002, DR4 to DR7]. */
export const frmPayloadBytesMax = 222;

/** Ciphers are kept, since making one for each frame costs more than using it. */
export function createFrameCodec(session: Session): FrameCodec {
  assert.match(session.devAddr, /^[0-9a-f]{8}$/);
  const devAddr = Buffer.from(session.devAddr, 'hex').reverse();
  const { keys } = session;
  const isOf11 = session.macVersion === '1.1';
  const macs: Macs = {
    forwarding: createCmac(keys.fNwkSIntKey),
    serving: isOf11 ? createCmac(keys.sNwkSIntKey) : undefined,
  };
  const cryptPayload = createPayloadCrypt(keys.appSKey);
  const cryptCommands = createPayloadCrypt(keys.nwkSEncKey);
  const cryptOf = (fPort: number) => (fPort === 0 ? cryptCommands : cryptPayload);

  function cryptFOpts(position: Position, fPort: number | undefined, fOpts: Uint8Array): Buffer {
    if (!isOf11 || fOpts.length === 0) return Buffer.from(fOpts);
    const isApplications = position.direction === 'down' && fPort !== undefined && fPort > 0;
    return cryptCommands({ ...position, tag: isApplications ? 2 : 1 }, fOpts);
  }

  return {
    encode(direction, content, context = {}) {
      const { fPort, frmPayload = Buffer.alloc(0), fOpts = Buffer.alloc(0), fCnt } = content;
      assert.ok(fCnt >= 0 && fCnt <= fCntMax, 'the counter has 32 bits');
      assert.ok(frmPayload.length <= frmPayloadBytesMax, 'the payload fits one frame');
      assert.ok(fOpts.length <= fOptsBytesMax, 'FOpts has 15 bytes at most');
      const position = { direction, devAddr, fCnt };
      const header = frameHeader(direction, devAddr, content);
      const parts = [header, cryptFOpts(position, fPort, fOpts)];
      if (fPort !== undefined) {
        parts.push(Buffer.of(fPort), cryptOf(fPort)(position, frmPayload));
      }
      const message = Buffer.concat(parts);
      const acked = content.ack === true ? context : { ...context, confFCnt: 0 };
      return Buffer.concat([message, micOf(macs, position, message, acked)]);
    },
    open(direction, frame, fCnt, context = {}) {
      const message = frame.subarray(0, -micLength);
      const fields = readFields(direction, message);
      if (fields === undefined || !frame.subarray(1, 5).equals(devAddr)) return undefined;
      const position = { direction, devAddr, fCnt };
      const acked = fields.ack ? context : { ...context, confFCnt: 0 };
      if (!micOf(macs, position, message, acked).equals(frame.subarray(-micLength))) {
        return undefined;
      }
      const { fPort, fOpts, frmPayload, ...flags } = fields;
      return {
        ...{ ...flags, fCnt, fOpts: cryptFOpts(position, fPort, fOpts) },
        ...(fPort === undefined ? {} : { fPort }),
        frmPayload: fPort === undefined ? frmPayload : cryptOf(fPort)(position, frmPayload),
      };
    },
  };
}

/** The 32 bits that the low half means, where `next` is the counter that is due. */
export function wholeCounter(low: number, next: number): number {
  return next + ((low - next) & 0xffff);
}

export interface Position {
  readonly direction: Direction;
  /** Little-endian. */
  readonly devAddr: Buffer;
  readonly fCnt: number;
}

export type PayloadCrypt = (
  position: Position & { readonly tag?: number },
  bytes: Uint8Array,
) => Buffer;

/** Encryption and decryption are the same: the bytes under the keystream of A_1, A_2 … */
export function createPayloadCrypt(key: Buffer): PayloadCrypt {
  const cipher: Cipher = createCipheriv('aes-128-ecb', key, null).setAutoPadding(false);
  return (position, bytes) => {
    const blocks = Math.ceil(bytes.length / blockLength);
    const input = Buffer.alloc(blocks * blockLength);
    for (let block = 0; block < blocks; block += 1) {
      const offset = block * blockLength;
      writeBlock(input, offset, 0x01, position);
      // Which counter FOpts of 1.1 are under [LoRaWAN 1.1, 4.3.1.6]; else 0.
      input.writeUInt8(position.tag ?? 0, offset + 4);
      input.writeUInt8(block + 1, offset + 15);
    }
    const keystream = cipher.update(input);
    const result = Buffer.alloc(bytes.length);
    for (let index = 0; index < bytes.length; index += 1) {
      result[index] = (bytes[index] ?? 0) ^ (keystream[index] ?? 0);
    }
    return result;
  };
}

interface Macs {
  readonly forwarding: Cmac;
  /** Of a session of 1.1. */
  readonly serving: Cmac | undefined;
}

function micOf(macs: Macs, position: Position, message: Buffer, context: MicContext): Buffer {
  if (macs.serving === undefined) return dataMic(macs.forwarding, position, message);
  const served = dataMic(macs.serving, position, message, context);
  if (position.direction === 'down') return served;
  const forwarded = dataMic(macs.forwarding, position, message);
  return Buffer.concat([served.subarray(0, 2), forwarded.subarray(0, 2)]);
}

/** Four bytes over B_0, or over B_1 with a context, and the message. */
export function dataMic(
  cmac: Cmac,
  position: Position,
  message: Buffer,
  { confFCnt = 0, txDr = 0, txCh = 0 }: MicContext = {},
): Buffer {
  const block = Buffer.alloc(blockLength);
  writeBlock(block, 0, 0x49, position);
  block.writeUInt16LE(confFCnt & 0xffff, 1);
  if (position.direction === 'up') {
    block.writeUInt8(txDr, 3);
    block.writeUInt8(txCh, 4);
  }
  block.writeUInt8(message.length, 15);
  return cmac(Buffer.concat([block, message])).subarray(0, micLength);
}

/** What the blocks B and A have in common: a tag, direction, DevAddr and the 32-bit counter. */
function writeBlock(target: Buffer, offset: number, tag: number, position: Position): void {
  target.writeUInt8(tag, offset);
  target.writeUInt8(position.direction === 'up' ? 0 : 1, offset + 5);
  position.devAddr.copy(target, offset + 6);
  target.writeUInt32LE(position.fCnt, offset + 10);
}

const mhdrs = {
  up: { unconfirmed: 0x40, confirmed: 0x80 },
  down: { unconfirmed: 0x60, confirmed: 0xa0 },
} as const;

function frameHeader(direction: Direction, devAddr: Buffer, content: DataContent): Buffer {
  const header = Buffer.alloc(headerLength);
  const { unconfirmed, confirmed } = mhdrs[direction];
  header.writeUInt8(content.confirmed === true ? confirmed : unconfirmed, 0);
  devAddr.copy(header, 1);
  const flags =
    (content.adr === true ? 0x80 : 0) |
    (content.adrAckReq === true ? 0x40 : 0) |
    (content.ack === true ? 0x20 : 0);
  header.writeUInt8(flags | (content.fOpts?.length ?? 0), 5);
  header.writeUInt16LE(content.fCnt & 0xffff, 6);
  return header;
}

/** Undefined for what is no data frame of this direction. */
function readFields(direction: Direction, message: Buffer) {
  const mhdr = message[0];
  const { unconfirmed, confirmed } = mhdrs[direction];
  if (message.length < headerLength || (mhdr !== unconfirmed && mhdr !== confirmed)) {
    return undefined;
  }
  const fCtrl = message.readUInt8(5);
  const portAt = headerLength + (fCtrl & 0x0f);
  if (portAt > message.length) return undefined;
  const fPort = message[portAt];
  return {
    ...{ confirmed: mhdr === confirmed, adr: (fCtrl & 0x80) !== 0, ack: (fCtrl & 0x20) !== 0 },
    ...{ fPort, fOpts: message.subarray(headerLength, portAt) },
    frmPayload: message.subarray(portAt + 1),
  };
}
