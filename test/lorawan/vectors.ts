/** The published LoRaWAN vectors, typed, and the pieces that the suites make of them. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type LoraPacketLibrary from 'lora-packet';
import { type DataFrame, parseFrame } from '../../gateway/lorawan/frame.ts';
import type { Session } from '../../gateway/model/device.ts';
import type { FrameUplink } from '../../gateway/model/uplink.ts';

/** Strings, numbers and flags by name; `text`, `number` and `bytes` below pick one out. */
type Fields = Readonly<Record<string, string | number | boolean | null | readonly string[]>>;

export interface Vector {
  readonly id: string;
  readonly kind: string;
  readonly lorawan?: '1.0' | '1.1';
  readonly phyPayload: string;
  readonly payloadHex: string;
  readonly keys: Readonly<Record<string, string>>;
  readonly context: Fields;
  readonly input: Fields;
  readonly expect: Fields;
  readonly cases: readonly Readonly<Record<string, string>>[];
}

const path = new URL('../fixtures/lorawan/vectors.json', import.meta.url);
const file: { readonly vectors: readonly Vector[] } = JSON.parse(readFileSync(path, 'utf8'));

export const vectors = file.vectors;
export const dataVectors = ofKind('data');

/** The library that the suites compare with, where it is right. */
export const loraPacket: typeof LoraPacketLibrary.default = createRequire(import.meta.url)(
  'lora-packet',
);

export function ofKind(kind: string): readonly Vector[] {
  return vectors.filter((vector) => vector.kind === kind);
}

export function vectorOf(id: string): Vector {
  const vector = vectors.find((candidate) => candidate.id === id);
  assert(vector !== undefined, `no vector ${id}`);
  return vector;
}

export function text(fields: Fields, name: string): string {
  const value = fields[name];
  assert(typeof value === 'string', `no text ${name}`);
  return value;
}

export function number(fields: Fields, name: string): number {
  const value = fields[name];
  assert(typeof value === 'number', `no number ${name}`);
  return value;
}

export function bytes(hex: string | undefined): Buffer {
  return Buffer.from(hex ?? '', 'hex');
}

export function keyOf(vector: Vector, name: string): Buffer {
  return bytes(vector.keys[name] ?? '00'.repeat(16));
}

export function dataFrame(phyPayload: Buffer): DataFrame {
  const frame = parseFrame(phyPayload);
  assert(frame.kind === 'data', `not a data frame: ${JSON.stringify(frame)}`);
  return frame;
}

export function frameOf(vector: Vector): DataFrame {
  return dataFrame(bytes(vector.phyPayload));
}

export function sessionOfVector(vector: Vector, deviceId = vector.id): Session {
  const devAddr = text(vector.expect, 'devAddr');
  const appSKey = keyOf(vector, 'AppSKey');
  if (vector.lorawan === '1.0') {
    const key = keyOf(vector, 'NwkSKey');
    const keys = { appSKey, fNwkSIntKey: key, sNwkSIntKey: key, nwkSEncKey: key };
    return { deviceId, devAddr, macVersion: '1.0', keys };
  }
  const keys = {
    appSKey,
    fNwkSIntKey: keyOf(vector, 'FNwkSIntKey'),
    sNwkSIntKey: keyOf(vector, 'SNwkSIntKey'),
    nwkSEncKey: keyOf(
      vector,
      vector.keys['portZeroKey'] === undefined ? 'NwkSEncKey' : 'portZeroKey',
    ),
  };
  return { deviceId, devAddr, macVersion: '1.1', keys };
}

export function uplinkOf(phyPayload: Buffer): FrameUplink {
  return {
    kind: 'frame',
    adapter: 'semtech-udp',
    phyPayload,
    rxTime: 1_700_000_000_000,
    rxInfo: [{ gatewayId: '0016c001ff10a235', rssi: -97, snr: 6.5 }],
  };
}

/** lora-packet wants the upper counter half as two bytes, least significant first. */
export function fCntMsb(fCnt: number): Buffer {
  const upper = Buffer.alloc(2);
  upper.writeUInt16LE(fCnt >>> 16);
  return upper;
}
