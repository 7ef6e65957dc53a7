/** Both ends of a join, with plain ciphers: nothing here is the gateway's. */
import { createCipheriv, createDecipheriv } from 'node:crypto';
import type { Session } from '../../gateway/model/device.ts';
import { referenceCmac } from './simulated-frame.ts';

export interface Roots {
  readonly appKey: Buffer;
  /** Of a 1.1 device. */
  readonly nwkKey?: Buffer;
}

const little = (hex: string): Buffer => Buffer.from(hex, 'hex').reverse();
const aes = (key: Buffer, block: Buffer): Buffer =>
  createCipheriv('aes-128-ecb', key, null).setAutoPadding(false).update(block);
const uint = (value: number, length: number): Buffer => {
  const bytes = Buffer.alloc(length);
  bytes.writeUIntLE(value, 0, length);
  return bytes;
};
const signed = (key: Buffer, ...parts: readonly Buffer[]): Buffer => {
  const body = Buffer.concat(parts);
  return Buffer.concat([body, referenceCmac(key, body).subarray(0, 4)]);
};

export interface JoinNames {
  readonly joinEui: string;
  readonly devEui: string;
}

export function joinRequest(key: Buffer, { joinEui, devEui }: JoinNames, devNonce: number): Buffer {
  return signed(key, Buffer.from([0]), little(joinEui), little(devEui), uint(devNonce, 2));
}

/** Types 0 and 2 name the network, type 1 the join server. */
export function rejoinRequest(
  key: Buffer,
  type: 0 | 1 | 2,
  names: JoinNames & { readonly netId: string },
  count: number,
): Buffer {
  const who = type === 1 ? little(names.joinEui) : little(names.netId);
  return signed(key, Buffer.from([0xc0, type]), who, little(names.devEui), uint(count, 2));
}

export function joinServerKey(nwkKey: Buffer, devEui: string, purpose: 5 | 6): Buffer {
  return aes(nwkKey, Buffer.concat([Buffer.from([purpose]), little(devEui), Buffer.alloc(7)]));
}

export interface Grant {
  readonly joinNonce: number;
  readonly netId: string;
  readonly devAddr: string;
  readonly cfList?: Buffer;
  /** Set: the network speaks 1.1, and what it answers is signed along. */
  readonly of11?: JoinNames & { readonly joinReqType: number; readonly devNonce: number };
}

/** The accept as it is sent: encrypted with the decryption of its root key. */
export function joinAccept(roots: Roots, grant: Grant): Buffer {
  const { joinNonce, netId, devAddr, cfList = Buffer.alloc(0), of11 } = grant;
  const clear = Buffer.concat([
    Buffer.from([0x20]),
    uint(joinNonce, 3),
    little(netId),
    little(devAddr),
    Buffer.from([of11 === undefined ? 0x03 : 0x83, 1]),
    cfList,
  ]);
  const root = roots.nwkKey ?? roots.appKey;
  const mic =
    of11 === undefined
      ? referenceCmac(root, clear)
      : referenceCmac(
          joinServerKey(root, of11.devEui, 6),
          Buffer.concat([
            Buffer.from([of11.joinReqType]),
            little(of11.joinEui),
            uint(of11.devNonce, 2),
            clear,
          ]),
        );
  const isRejoin = of11 !== undefined && of11.joinReqType !== 255;
  const key = isRejoin ? joinServerKey(root, of11.devEui, 5) : root;
  const cipher = createDecipheriv('aes-128-ecb', key, null).setAutoPadding(false);
  const body = Buffer.concat([clear.subarray(1), mic.subarray(0, 4)]);
  return Buffer.concat([clear.subarray(0, 1), cipher.update(body)]);
}

/** What the device makes of the accept. */
export function joinedSession(
  roots: Roots,
  grant: Grant,
  device: JoinNames & { readonly devNonce: number },
): Session {
  const { joinNonce, netId, devAddr, of11 } = grant;
  const scope = of11 === undefined ? little(netId) : little(device.joinEui);
  const derive = (key: Buffer, purpose: number): Buffer => {
    const block = Buffer.alloc(16);
    block[0] = purpose;
    Buffer.concat([uint(joinNonce, 3), scope, uint(device.devNonce, 2)]).copy(block, 1);
    return aes(key, block);
  };
  const nwk = roots.nwkKey ?? roots.appKey;
  const isOf11 = of11 !== undefined;
  const fNwkSIntKey = derive(nwk, 1);
  return {
    deviceId: device.devEui,
    devAddr,
    macVersion: isOf11 ? '1.1' : '1.0',
    keys: {
      appSKey: derive(isOf11 ? roots.appKey : nwk, 2),
      fNwkSIntKey,
      sNwkSIntKey: isOf11 ? derive(nwk, 3) : fNwkSIntKey,
      nwkSEncKey: isOf11 ? derive(nwk, 4) : fNwkSIntKey,
    },
  };
}
