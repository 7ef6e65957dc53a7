/**
 * LoRaWAN sessions as devices and their network server derive them from root keys: LoRaWAN 1.0
 * [TS001-1.0.4 6.2.6] and 1.1 [LoRaWAN 1.1, 6.2.5], on node:crypto alone.
 */
import { createCipheriv } from 'node:crypto';

export interface SessionKeys {
  readonly appSKey: Buffer;
  readonly fNwkSIntKey: Buffer;
  readonly sNwkSIntKey: Buffer;
  readonly nwkSEncKey: Buffer;
}

export interface Session {
  /** 8 hex digits, most significant byte first. */
  readonly devAddr: string;
  /** What the network agreed to: a device of 1.1 on a network of 1.0 has a session of 1.0. */
  readonly macVersion: '1.0' | '1.1';
  /** 16 bytes each; LoRaWAN 1.0 has one NwkSKey in all three places of the network. */
  readonly keys: SessionKeys;
}

export interface RootKeys {
  /** All of LoRaWAN 1.0. */
  readonly appKey: Buffer;
  /** Of a device of 1.1. */
  readonly nwkKey?: Buffer;
}

/** What request and accept have said; identifiers in hex, most significant byte first. */
export interface JoinTerms {
  readonly joinNonce: number;
  /** For the answer to a rejoin-request its counter. */
  readonly devNonce: number;
  readonly netId: string;
  readonly joinEui: string;
  readonly devAddr: string;
  /** OptNeg: both sides speak 1.1. */
  readonly isOf11: boolean;
}

const blockLength = 16;

/** One block under a key that is used once. */
export function encryptBlock(key: Buffer, block: Buffer): Buffer {
  return createCipheriv('aes-128-ecb', key, null).setAutoPadding(false).update(block);
}

export function abpSession(devAddr: string, keys: { nwkSKey: Buffer; appSKey: Buffer }): Session {
  const { nwkSKey, appSKey } = keys;
  return { devAddr, macVersion: '1.0', keys: networkKeysOf10(nwkSKey, appSKey) };
}

export function deriveSession({ appKey, nwkKey }: RootKeys, terms: JoinTerms): Session {
  const { devAddr, isOf11 } = terms;
  const root = nwkKey ?? appKey;
  const scope = isOf11 ? littleEndian(terms.joinEui) : littleEndian(terms.netId);
  const derive = (key: Buffer, purpose: number) =>
    encryptBlock(key, termsBlock(purpose, terms, scope));
  if (!isOf11) {
    return {
      ...{ devAddr, macVersion: '1.0' },
      keys: networkKeysOf10(derive(root, 0x01), derive(root, 0x02)),
    };
  }
  return {
    ...{ devAddr, macVersion: '1.1' },
    keys: {
      appSKey: derive(appKey, 0x02),
      fNwkSIntKey: derive(root, 0x01),
      sNwkSIntKey: derive(root, 0x03),
      nwkSEncKey: derive(root, 0x04),
    },
  };
}

/** The keys of the join server for this device: JSIntKey signs, JSEncKey encrypts re-accepts. */
export function joinServerKeys(nwkKey: Buffer, devEui: string) {
  const derive = (purpose: number) => {
    const block = Buffer.alloc(blockLength);
    block.writeUInt8(purpose, 0);
    littleEndian(devEui).copy(block, 1);
    return encryptBlock(nwkKey, block);
  };
  return { jsEncKey: derive(0x05), jsIntKey: derive(0x06) };
}

/** Identifiers are shown most significant byte first and travel the other way round. */
export function littleEndian(hex: string): Buffer {
  return Buffer.from(hex, 'hex').reverse();
}

function networkKeysOf10(nwkSKey: Buffer, appSKey: Buffer): SessionKeys {
  return { appSKey, fNwkSIntKey: nwkSKey, sNwkSIntKey: nwkSKey, nwkSEncKey: nwkSKey };
}

function termsBlock(purpose: number, terms: JoinTerms, scope: Buffer): Buffer {
  const block = Buffer.alloc(blockLength);
  block.writeUInt8(purpose, 0);
  block.writeUIntLE(terms.joinNonce, 1, 3);
  scope.copy(block, 4);
  block.writeUInt16LE(terms.devNonce, 4 + scope.length);
  return block;
}
