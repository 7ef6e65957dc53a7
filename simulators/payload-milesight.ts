/**
 * Encodes uplinks of the Milesight EM300 series: channel, type, little-endian value. Format:
 * EM300 series user guide, chapter "Device payload".
 */
import assert from 'node:assert/strict';

export const milesightFPort = 85;

export interface Em300Values {
  /** %; the devices send it every few hours only */
  readonly battery?: number;
  /** Cel, tenths */
  readonly temperature?: number;
  /** %, halves */
  readonly humidity?: number;
  /** EM300-MCS */
  readonly magnet?: 'closed' | 'open';
  /** EM300-SLD, -ZLD */
  readonly leak?: boolean;
  /** EM300-DI, 32 bits */
  readonly counter?: number;
}

export function encodeEm300(values: Em300Values): Buffer {
  assert.ok(values.magnet === undefined || values.leak === undefined, 'one device has one of them');
  const parts: Buffer[] = [];
  if (values.battery !== undefined) parts.push(Buffer.of(0x01, 0x75, Math.round(values.battery)));
  if (values.temperature !== undefined) parts.push(temperature(values.temperature));
  if (values.humidity !== undefined) {
    parts.push(Buffer.of(0x04, 0x68, Math.round(values.humidity * 2)));
  }
  if (values.leak !== undefined) parts.push(Buffer.of(0x05, 0x00, values.leak ? 1 : 0));
  if (values.magnet !== undefined) {
    parts.push(Buffer.of(0x06, 0x00, values.magnet === 'open' ? 1 : 0));
  }
  if (values.counter !== undefined) parts.push(counter(values.counter));
  return Buffer.concat(parts);
}

function temperature(value: number): Buffer {
  const bytes = Buffer.of(0x03, 0x67, 0, 0);
  bytes.writeInt16LE(Math.round(value * 10), 2);
  return bytes;
}

function counter(value: number): Buffer {
  const bytes = Buffer.of(0x05, 0xc8, 0, 0, 0, 0);
  bytes.writeUInt32LE(value >>> 0, 2);
  return bytes;
}
