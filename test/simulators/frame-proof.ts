/**
 * The tests' own proof of a LoRaWAN 1.0 frame, straight from the specification [TS001-1.0.4 4.3,
 * 4.4] on node:crypto's AES and nothing of the simulators or the gateway.
 */
import { createCipheriv } from 'node:crypto';

export interface ProofKeys {
  readonly nwkSKey: Buffer;
  readonly appSKey: Buffer;
}

export interface ProvenFrame {
  readonly devAddr: string;
  readonly fCnt: number;
  readonly fPort: number;
  readonly clear: Buffer;
}

function aes(key: Buffer, block: Buffer): Buffer {
  const cipher = createCipheriv('aes-128-ecb', key, null).setAutoPadding(false);
  return Buffer.concat([cipher.update(block), cipher.final()]);
}

function xor(left: Buffer, right: Buffer): Buffer {
  return Buffer.from(left.map((byte, index) => byte ^ (right[index] ?? 0)));
}

/** [RFC 4493 2.3] by big integers. */
function twice(block: Buffer): Buffer {
  const number = BigInt(`0x${block.toString('hex')}`) << 1n;
  const folded = number >> 128n === 0n ? number : (number ^ 0x87n) & ((1n << 128n) - 1n);
  return Buffer.from(folded.toString(16).padStart(32, '0'), 'hex');
}

/** [RFC 4493 2.4] */
export function cmacOf(key: Buffer, message: Buffer): Buffer {
  const once = twice(aes(key, Buffer.alloc(16)));
  const blocks = Math.max(1, Math.ceil(message.length / 16));
  const isWhole = message.length === blocks * 16;
  const padded = isWhole
    ? message
    : Buffer.concat([message, Buffer.of(0x80), Buffer.alloc(blocks * 16 - message.length - 1)]);
  let state = Buffer.alloc(16);
  for (let place = 0; place < blocks; place += 1) {
    const block = padded.subarray(place * 16, place * 16 + 16);
    const last = isWhole ? once : twice(once);
    state = Buffer.from(aes(key, xor(state, place === blocks - 1 ? xor(block, last) : block)));
  }
  return state;
}

function block(tag: number, devAddr: Buffer, fCnt: number, end: number): Buffer {
  const counter = Buffer.alloc(4);
  counter.writeUInt32LE(fCnt);
  const start = Buffer.of(tag, 0, 0, 0, 0, 0);
  return Buffer.concat([start, devAddr, counter, Buffer.of(0, end)]);
}

/** Undefined when the MIC does not fit; `fCntHigh` is the upper half of the counter. */
export function proveFrame(
  frame: Buffer,
  { nwkSKey, appSKey }: ProofKeys,
  fCntHigh = 0,
): ProvenFrame | undefined {
  const [message, mic] = [frame.subarray(0, -4), frame.subarray(-4)];
  const devAddr = frame.subarray(1, 5);
  const fCnt = fCntHigh * 65_536 + frame.readUInt16LE(6);
  const start = block(0x49, devAddr, fCnt, message.length);
  if (
    !cmacOf(nwkSKey, Buffer.concat([start, message]))
      .subarray(0, 4)
      .equals(mic)
  )
    return undefined;
  const portAt = 8 + ((frame[5] ?? 0) & 0x0f);
  const fPort = frame[portAt] ?? 0;
  const payload = message.subarray(portAt + 1);
  const key = fPort === 0 ? nwkSKey : appSKey;
  const clear = Buffer.alloc(payload.length);
  for (let at = 0; at < payload.length; at += 16) {
    const stream = aes(key, block(0x01, devAddr, fCnt, at / 16 + 1));
    xor(payload.subarray(at, at + 16), stream).copy(clear, at);
  }
  return { devAddr: Buffer.from(devAddr).reverse().toString('hex'), fCnt, fPort, clear };
}
