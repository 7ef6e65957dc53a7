/** The payload encoders, against examples of the makers' documents. */
import { describe, expect, it } from '@jest/globals';
import { encodeCayenneLpp } from '../../simulators/payload-cayenne-lpp.ts';
import { encodeLht65 } from '../../simulators/payload-dragino.ts';
import { encodeElsys } from '../../simulators/payload-elsys.ts';
import { encodeEm300 } from '../../simulators/payload-milesight.ts';

const hex = (bytes: Buffer): string => bytes.toString('hex');

describe('Cayenne LPP encoder', () => {
  it('makes the two-temperature example of the format description', () => {
    const bytes = encodeCayenneLpp([
      { channel: 3, field: 'temperature', value: 27.2 },
      { channel: 5, field: 'temperature', value: 25.5 },
    ]);
    expect(hex(bytes)).toBe('03670110056700ff');
  });

  it('writes a temperature below zero', () => {
    expect(hex(encodeCayenneLpp([{ channel: 1, field: 'temperature', value: -4.1 }]))).toBe(
      '0167ffd7',
    );
  });

  it('writes the fields of towns in their own units', () => {
    const bytes = encodeCayenneLpp([
      { channel: 1, field: 'power', value: 1500 },
      { channel: 2, field: 'energy', value: 12.345 },
      { channel: 3, field: 'voltage', value: 230.1 },
      { channel: 4, field: 'percentage', value: 64 },
      { channel: 5, field: 'distance', value: 1.25 },
      { channel: 6, field: 'presence', value: 1 },
    ]);
    expect(hex(bytes)).toBe('018005dc028300003039037459e20478400582000004e2066601');
  });

  it('refuses a negative value where the format has no sign', () => {
    expect(() => encodeCayenneLpp([{ channel: 1, field: 'power', value: -1 }])).toThrow('no sign');
  });
});

describe('ELSYS encoder', () => {
  it('makes the bytes of a captured EMS uplink', () => {
    const bytes = encodeElsys({
      temperature: 23.4,
      humidity: 30,
      acceleration: { x: 2, y: 62, z: -12 },
      vdd: 3624,
      pulse1Absolute: 233,
      digital: 0,
      accelerationMotion: 0,
      waterLeak: 0,
    });
    expect(hex(bytes)).toBe('0100ea021e03023ef4070e280b000000e90d000f001200');
  });

  it('writes sound as peak and average, distance in millimetres', () => {
    expect(hex(encodeElsys({ sound: { peak: 72, average: 58 } }))).toBe('15483a');
    expect(hex(encodeElsys({ distance: 3120 }))).toBe('0e0c30');
  });
});

describe('Dragino LHT65 encoder', () => {
  it('makes the example of the user manual', () => {
    const bytes = encodeLht65({
      battery: 3062,
      batteryStatus: 3,
      temperature: 28.29,
      humidity: 88.6,
      external: { kind: 'temperature', value: 27.81 },
    });
    expect(hex(bytes)).toBe('cbf60b0d0376010add' + 'ffff');
  });

  it('writes 7FFF where no external sensor is connected', () => {
    const bytes = encodeLht65({
      battery: 3000,
      batteryStatus: 3,
      temperature: -5.01,
      humidity: 40,
      external: { kind: 'none' },
    });
    expect(hex(bytes)).toBe('cbb8fe0b0190007fffffff');
  });
});

describe('Milesight EM300 encoder', () => {
  it('makes the leak example of the user guide', () => {
    const bytes = encodeEm300({ battery: 100, temperature: 27.2, humidity: 56.5, leak: true });
    expect(hex(bytes)).toBe('01756403671001046871050001');
  });

  it('writes the pulse counter in little-endian order', () => {
    const bytes = encodeEm300({ battery: 100, temperature: 28.6, humidity: 47, counter: 258 });
    expect(hex(bytes)).toBe('01756403671e0104685e05c802010000');
  });
});
