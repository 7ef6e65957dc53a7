/** A year of an ELSYS EMS on a tower: every measured value comes back exactly. */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import { elsysGeneric } from '../../decoders/elsys-generic/codec.ts';

interface Frame {
  readonly temperature: number;
  readonly humidity: number;
  readonly vdd_mv: number;
  readonly acc_motion: number;
  readonly x: number;
  readonly y: number;
  readonly z: number;
}

const names = ['temperature', 'humidity', 'vdd_mv', 'acc_motion', 'x', 'y', 'z'] as const;

function readFrames(): Frame[] {
  const file = new URL('../fixtures/lorawan-tour-perret/frames.csv.gz', import.meta.url);
  const [head = '', ...lines] = gunzipSync(readFileSync(file)).toString('utf8').trim().split('\n');
  const columns = head.split(',');
  return lines.flatMap((line) => {
    const cells = line.split(',');
    const texts = names.map((name) => cells[columns.indexOf(name)] ?? '');
    if (texts.includes('')) return [];
    const [temperature = 0, humidity = 0, vdd_mv = 0, acc_motion = 0, x = 0, y = 0, z = 0] =
      texts.map(Number);
    return [{ temperature, humidity, vdd_mv, acc_motion, x, y, z }];
  });
}

/** The 23 bytes of an EMS: with a pulse total, the door switch and the leak sensor at rest. */
function payloadOf(frame: Frame): Buffer {
  const bytes = Buffer.from(
    '010000020003000000070000 0b00000000 0d00 0f00 1200'.replace(/ /g, ''),
    'hex',
  );
  bytes.writeInt16BE(Math.round(frame.temperature * 10), 1);
  bytes.writeUInt8(frame.humidity, 4);
  bytes.writeInt8(frame.x, 6);
  bytes.writeInt8(frame.y, 7);
  bytes.writeInt8(frame.z, 8);
  bytes.writeUInt16BE(frame.vdd_mv, 10);
  bytes.writeUInt8(frame.acc_motion, 20);
  return bytes;
}

function countOf(value: number | undefined): number {
  return Math.round(((value ?? Number.NaN) * 63) / 9.80665) + 0;
}

function frameOf(bytes: Buffer): Frame | undefined {
  const decoded = elsysGeneric.decode({ bytes, fPort: 5 });
  if (!decoded.ok) return undefined;
  const get = (quantity: string, channel?: string): number => {
    const found = decoded.values.find(
      (value) => value.quantity === quantity && value.channel === channel,
    );
    return typeof found?.value === 'number' ? found.value : Number.NaN;
  };
  return {
    temperature: get('air_temperature'),
    humidity: get('relative_humidity'),
    vdd_mv: Math.round(get('battery_voltage') * 1000),
    acc_motion: get('motion_count', 'acceleration'),
    x: countOf(get('acceleration', 'x')),
    y: countOf(get('acceleration', 'y')),
    z: countOf(get('acceleration', 'z')),
  };
}

describe('ELSYS frames of the Perret tower', () => {
  const frames = readFrames();

  it('are 5,998 of 23 bytes', () => {
    expect(frames).toHaveLength(5998);
    for (const frame of frames) expect(payloadOf(frame)).toHaveLength(23);
  });

  it('come back exactly as they were measured', () => {
    expect(frames.map((frame) => frameOf(payloadOf(frame)))).toEqual(frames);
  });

  it('have every count of acceleration come back from its m/s2', () => {
    const counts = Array.from({ length: 256 }, (_, index) => index - 128);
    const decoded = counts.map((count) =>
      elsysGeneric.decode({ bytes: Buffer.of(3, count, 0, 0), fPort: 5 }),
    );
    const values = decoded.map((one) => (one.ok ? one.values[0]?.value : undefined));
    expect(values.map((value) => countOf(typeof value === 'number' ? value : undefined))).toEqual(
      counts,
    );
  });
});
