/** Makes uplinks as a device would, with plain ciphers: nothing here is the gateway's. */
import { createCipheriv } from 'node:crypto';
import type { Session } from '../../gateway/model/device.ts';

export interface FrameContent {
  readonly fCnt: number;
  readonly fPort?: number;
  readonly payload?: Buffer;
  readonly confirmed?: boolean;
  readonly ack?: boolean;
  readonly confFCnt?: number;
  readonly txDr?: number;
  readonly txCh?: number;
  /** As they are on air. */
  readonly fOpts?: Buffer;
}

const aes = (key: Buffer, block: Buffer): Buffer =>
  createCipheriv('aes-128-ecb', key, null).update(block);

export function uplinkFrame(session: Session, content: FrameContent): Buffer {
  const { keys, devAddr } = session;
  const { fCnt, fPort, payload = Buffer.alloc(0), confirmed = false, ack = false } = content;
  const { fOpts = Buffer.alloc(0) } = content;
  const address = Buffer.from(devAddr, 'hex').reverse();
  const counter = Buffer.alloc(4);
  counter.writeUInt32LE(fCnt);
  const key = fPort === 0 ? keys.nwkSEncKey : keys.appSKey;
  const crypted = payload.map((byte, index) => {
    const block = Buffer.concat([
      Buffer.from([1, 0, 0, 0, 0, 0]),
      address,
      counter,
      Buffer.from([0, 1 + (index >> 4)]),
    ]);
    return byte ^ (aes(key, block)[index % 16] ?? 0);
  });
  const unsigned = Buffer.concat([
    Buffer.from([confirmed ? 0x80 : 0x40]),
    address,
    Buffer.from([(ack ? 0x20 : 0) | fOpts.length]),
    counter.subarray(0, 2),
    fOpts,
    ...(fPort === undefined ? [] : [Buffer.from([fPort]), crypted]),
  ]);
  const tagOf = (micKey: Buffer, context: readonly number[]): Buffer => {
    const head = [0x49, ...context, 0, ...address, ...counter, 0, unsigned.length];
    return referenceCmac(micKey, Buffer.concat([Buffer.from(head), unsigned]));
  };
  const tagF = tagOf(keys.fNwkSIntKey, [0, 0, 0, 0]);
  if (session.macVersion === '1.0') return Buffer.concat([unsigned, tagF.subarray(0, 4)]);
  const { confFCnt = 0, txDr = 0, txCh = 0 } = content;
  const conf = ack ? confFCnt : 0;
  const tagS = tagOf(keys.sNwkSIntKey, [conf & 0xff, (conf >> 8) & 0xff, txDr, txCh]);
  return Buffer.concat([unsigned, tagS.subarray(0, 2), tagF.subarray(0, 2)]);
}

/** RFC 4493 in big integers: slow, and made in another way than the gateway's. */
export function referenceCmac(key: Buffer, message: Buffer): Buffer {
  const mask = (1n << 128n) - 1n;
  const numberOf = (block: Buffer): bigint => BigInt(`0x${block.toString('hex')}`);
  const blockOf = (value: bigint): Buffer =>
    Buffer.from(value.toString(16).padStart(32, '0'), 'hex');
  const double = (value: bigint): bigint =>
    ((value << 1n) & mask) ^ (value >> 127n === 1n ? 0x87n : 0n);
  const subkey = double(numberOf(aes(key, Buffer.alloc(16))));
  const isWhole = message.length > 0 && message.length % 16 === 0;
  const padded = isWhole
    ? message
    : Buffer.concat([message, Buffer.from([0x80]), Buffer.alloc(15 - (message.length % 16))]);
  let state = 0n;
  for (let offset = 0; offset < padded.length; offset += 16) {
    const isLast = offset + 16 === padded.length;
    const mixin = isLast ? (isWhole ? subkey : double(subkey)) : 0n;
    const block = numberOf(padded.subarray(offset, offset + 16));
    state = numberOf(aes(key, blockOf(state ^ block ^ mixin)));
  }
  return blockOf(state);
}
