/**
 * A LoRaWAN 1.0 device activated by personalisation: it counts its uplinks in 32 bits, encrypts the
 * payload and signs the frame, as a sensor on the air does. The network never sees more than the
 * lower 16 bits of the counter.
 */
import assert from 'node:assert/strict';
import { createCipheriv } from 'node:crypto';
import { type Cmac, createCmac } from './aes-cmac.ts';

const blockLength = 16;
const micLength = 4;
/** The largest FRMPayload of EU868 at its highest data rates [RP002, DR4 to DR7]. */
export const frmPayloadBytesMax = 222;
const fCntMax = 0xffffffff;

export interface AbpSession {
  /** 8 hex digits, most significant byte first. */
  readonly devAddr: string;
  /** 16 bytes each. */
  readonly nwkSKey: Buffer;
  readonly appSKey: Buffer;
}

export interface FrameContent {
  /** 0 to 255; port 0 carries MAC commands and is encrypted with the network key. */
  readonly fPort: number;
  readonly frmPayload: Uint8Array;
  /** The 32-bit counter of this uplink. */
  readonly fCnt: number;
  readonly confirmed?: boolean;
  readonly adr?: boolean;
  /** Asks the network for a sign of life. */
  readonly adrAckReq?: boolean;
  /** MAC commands in clear, 15 bytes at most. */
  readonly fOpts?: Uint8Array;
}

/** Makes PHYPayloads of one session; the caller keeps the counter. */
export type FrameSigner = (content: FrameContent) => Buffer;

export function createFrameSigner(session: AbpSession): FrameSigner {
  assert.match(session.devAddr, /^[0-9a-f]{8}$/);
  const devAddr = Buffer.from(session.devAddr, 'hex').reverse();
  const cmac = createCmac(session.nwkSKey);
  const byPort = {
    0: createPayloadCrypt(session.nwkSKey),
    data: createPayloadCrypt(session.appSKey),
  };
  return (content) => {
    assert.ok(content.fCnt >= 0 && content.fCnt <= fCntMax, 'the counter has 32 bits');
    assert.ok(content.frmPayload.length <= frmPayloadBytesMax, 'the payload fits one frame');
    const crypt = content.fPort === 0 ? byPort[0] : byPort.data;
    const encrypted = crypt(devAddr, content.fCnt, content.frmPayload);
    const header = frameHeader(devAddr, content);
    const message = Buffer.concat([header, encrypted]);
    return Buffer.concat([message, uplinkMic(cmac, devAddr, content.fCnt, message)]);
  };
}

export interface LorawanDevice {
  /** Signs the next frame: its counter is one above the last one's. */
  uplink(fPort: number, frmPayload: Uint8Array): { phyPayload: Buffer; fCnt: number };
  /** Takes the next counter without making the frame: its network server will not show it. */
  skip(): number;
  /** The counter that the next uplink takes. */
  readonly nextFCnt: () => number;
}

export function createLorawanDevice(session: AbpSession, firstFCnt = 0): LorawanDevice {
  const sign = createFrameSigner(session);
  let fCnt = firstFCnt;
  return {
    uplink(fPort, frmPayload) {
      const frame = { phyPayload: sign({ fPort, frmPayload, fCnt, adr: true }), fCnt };
      fCnt += 1;
      return frame;
    },
    skip() {
      fCnt += 1;
      return fCnt - 1;
    },
    nextFCnt: () => fCnt,
  };
}

function frameHeader(devAddr: Buffer, content: FrameContent): Buffer {
  const fOpts = content.fOpts ?? Buffer.alloc(0);
  assert.ok(fOpts.length <= 15, 'FOpts has 15 bytes at most');
  const header = Buffer.alloc(9 + fOpts.length);
  header.writeUInt8(content.confirmed === true ? 0x80 : 0x40, 0);
  devAddr.copy(header, 1);
  const flags = (content.adr === true ? 0x80 : 0) | (content.adrAckReq === true ? 0x40 : 0);
  header.writeUInt8(flags | fOpts.length, 5);
  header.writeUInt16LE(content.fCnt & 0xffff, 6);
  header.set(fOpts, 8);
  header.writeUInt8(content.fPort, 8 + fOpts.length);
  return header;
}

export type PayloadCrypt = (
  devAddrLittleEndian: Buffer,
  fCnt: number,
  payload: Uint8Array,
) => Buffer;

/** Encryption and decryption are the same: the payload under the keystream of A_1, A_2 … */
export function createPayloadCrypt(key: Buffer): PayloadCrypt {
  // Kept, since making a cipher for each frame costs more than using it.
  const cipher = createCipheriv('aes-128-ecb', key, null).setAutoPadding(false);
  return (devAddr, fCnt, payload) => {
    const blocks = Math.ceil(payload.length / blockLength);
    const keystreamInput = Buffer.alloc(blocks * blockLength);
    for (let block = 0; block < blocks; block += 1) {
      const offset = block * blockLength;
      writeUplinkBlock(keystreamInput, offset, 0x01, devAddr, fCnt);
      keystreamInput.writeUInt8(block + 1, offset + 15);
    }
    const keystream = cipher.update(keystreamInput);
    const result = Buffer.alloc(payload.length);
    for (let index = 0; index < payload.length; index += 1) {
      result[index] = (payload[index] ?? 0) ^ (keystream[index] ?? 0);
    }
    return result;
  };
}

/** The four bytes that sign an uplink of LoRaWAN 1.0; `devAddr` is little-endian. */
export function uplinkMic(cmac: Cmac, devAddr: Buffer, fCnt: number, message: Buffer): Buffer {
  const block = Buffer.alloc(blockLength);
  writeUplinkBlock(block, 0, 0x49, devAddr, fCnt);
  block.writeUInt8(message.length, 15);
  return cmac(Buffer.concat([block, message])).subarray(0, micLength);
}

/** What B_0 and A_i have in common: a tag, direction 0, DevAddr and the 32-bit counter. */
function writeUplinkBlock(
  target: Buffer,
  offset: number,
  tag: number,
  devAddr: Buffer,
  fCnt: number,
): void {
  target.writeUInt8(tag, offset);
  devAddr.copy(target, offset + 6);
  target.writeUInt32LE(fCnt, offset + 10);
}
