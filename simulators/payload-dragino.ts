/**
 * Encodes the 11 bytes of a Dragino LHT65: battery, built-in temperature and humidity, then one
 * external sensor. Format: LHT65 user manual, chapter on the uplink payload, port 2.
 */
import assert from 'node:assert/strict';

export const draginoLht65FPort = 2;

export type Lht65External =
  | { readonly kind: 'none' }
  /** E3 probe, Cel */
  | { readonly kind: 'temperature'; readonly value: number }
  /** lx */
  | { readonly kind: 'illuminance'; readonly value: number }
  /** V */
  | { readonly kind: 'voltage'; readonly value: number }
  /** Pulses since start, 16 bits */
  | { readonly kind: 'count'; readonly value: number };

export interface Lht65Values {
  /** mV, 14 bits */
  readonly battery: number;
  /** 0 very low, 1 low, 2 fair, 3 good */
  readonly batteryStatus: 0 | 1 | 2 | 3;
  /** Cel, hundredths */
  readonly temperature: number;
  /** %, tenths */
  readonly humidity: number;
  readonly external: Lht65External;
}

export function encodeLht65(values: Lht65Values): Buffer {
  assert.ok(values.battery >= 0 && values.battery <= 0x3fff, 'the battery has 14 bits');
  const bytes = Buffer.alloc(11, 0xff);
  bytes.writeUInt16BE((values.batteryStatus << 14) | Math.round(values.battery), 0);
  bytes.writeInt16BE(Math.round(values.temperature * 100), 2);
  bytes.writeUInt16BE(Math.round(values.humidity * 10), 4);
  writeExternal(bytes, values.external);
  return bytes;
}

function writeExternal(bytes: Buffer, external: Lht65External): void {
  switch (external.kind) {
    case 'none':
      bytes.writeUInt8(0x00, 6);
      bytes.writeUInt16BE(0x7fff, 7);
      return;
    case 'temperature':
      bytes.writeUInt8(0x01, 6);
      bytes.writeInt16BE(Math.round(external.value * 100), 7);
      return;
    case 'illuminance':
      bytes.writeUInt8(0x05, 6);
      bytes.writeUInt16BE(Math.min(0xffff, Math.round(external.value)), 7);
      return;
    case 'voltage':
      bytes.writeUInt8(0x06, 6);
      bytes.writeUInt16BE(Math.round(external.value * 1000), 7);
      return;
    case 'count':
      bytes.writeUInt8(0x07, 6);
      bytes.writeUInt16BE(external.value & 0xffff, 7);
  }
}
