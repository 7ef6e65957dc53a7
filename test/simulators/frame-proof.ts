/**
 * The tests' own proof of LoRaWAN frames, straight from the specification [TS001-1.0.4 4.3, 4.4;
 * LoRaWAN 1.1, 4.3, 4.4 and 6.2] on node:crypto's AES and nothing of the simulators or the gateway.
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

export interface ProofSession {
  readonly devAddr: string;
  readonly macVersion: '1.0' | '1.1';
  readonly keys: Readonly<Record<'appSKey' | 'fNwkSIntKey' | 'sNwkSIntKey' | 'nwkSEncKey', Buffer>>;
}

export interface OnAirAs {
  readonly fCnt: number;
  readonly confFCnt: number;
  readonly txDr: number;
  readonly txCh: number;
}

/** Of a data uplink of either version, the four bytes that it has to end in. */
export function uplinkMicOf(
  frame: Buffer,
  { macVersion, keys }: ProofSession,
  as: OnAirAs,
): Buffer {
  const message = frame.subarray(0, -4);
  const first = block(0x49, frame.subarray(1, 5), as.fCnt, message.length);
  const forwarding = cmacOf(keys.fNwkSIntKey, Buffer.concat([first, message]));
  if (macVersion === '1.0') return forwarding.subarray(0, 4);
  const second = Buffer.from(first);
  const isAck = ((frame[5] ?? 0) & 0x20) !== 0;
  second.writeUInt16LE(isAck ? as.confFCnt & 0xffff : 0, 1);
  second.writeUInt8(as.txDr, 3);
  second.writeUInt8(as.txCh, 4);
  const serving = cmacOf(keys.sNwkSIntKey, Buffer.concat([second, message]));
  return Buffer.concat([serving.subarray(0, 2), forwarding.subarray(0, 2)]);
}

/** Of a data uplink in clear: under NwkSEncKey on port 0, else under AppSKey. */
export function clearPayload(frame: Buffer, { keys }: ProofSession, fCnt: number): Buffer {
  const portAt = 8 + ((frame[5] ?? 0) & 0x0f);
  const payload = frame.subarray(portAt + 1, -4);
  const key = frame[portAt] === 0 ? keys.nwkSEncKey : keys.appSKey;
  const blocks = Array.from({ length: Math.ceil(payload.length / 16) }, (_, index) =>
    aes(key, block(0x01, frame.subarray(1, 5), fCnt, index + 1)),
  );
  return xor(payload, Buffer.concat(blocks));
}

/** A join-accept in clear, MIC included, by the key that encrypts it. */
export function clearAccept(frame: Buffer, key: Buffer): Buffer {
  const body = frame.subarray(1);
  const blocks = Array.from({ length: body.length / 16 }, (_, index) =>
    aes(key, body.subarray(index * 16, index * 16 + 16)),
  );
  return Buffer.concat([frame.subarray(0, 1), ...blocks]);
}
