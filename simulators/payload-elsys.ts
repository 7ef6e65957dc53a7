/**
 * Encodes the ELSYS generic payload: one type byte, then its value, big-endian, in the order in
 * which the maker's sensors send them. Format: "Sensor payload" of elsys.se, types 0x01 to 0x1A.
 */
export interface ElsysValues {
  /** Cel, tenths */
  readonly temperature?: number;
  /** % */
  readonly humidity?: number;
  /** 63 is 1 g */
  readonly acceleration?: { readonly x: number; readonly y: number; readonly z: number };
  /** lx */
  readonly light?: number;
  readonly motion?: number;
  /** ppm */
  readonly co2?: number;
  /** mV */
  readonly vdd?: number;
  readonly pulse1Absolute?: number;
  readonly digital?: 0 | 1;
  /** mm */
  readonly distance?: number;
  readonly accelerationMotion?: number;
  /** 0 free, 1 someone comes or goes, 2 occupied */
  readonly occupancy?: 0 | 1 | 2;
  readonly waterLeak?: number;
  /** hPa */
  readonly pressure?: number;
  /** dB */
  readonly sound?: { readonly peak: number; readonly average: number };
}

/** The application port that ELSYS sensors use unless they are set up otherwise. */
export const elsysFPort = 5;

export function encodeElsys(values: ElsysValues): Buffer {
  const { acceleration, sound } = values;
  return Buffer.concat([
    int16(0x01, scaled(values.temperature, 10)),
    uint8(0x02, values.humidity),
    acceleration === undefined
      ? none
      : Buffer.concat([
          Buffer.of(0x03),
          int8(acceleration.x),
          int8(acceleration.y),
          int8(acceleration.z),
        ]),
    uint16(0x04, values.light),
    uint8(0x05, values.motion),
    uint16(0x06, values.co2),
    uint16(0x07, values.vdd),
    uint32(0x0b, values.pulse1Absolute),
    uint8(0x0d, values.digital),
    uint16(0x0e, values.distance),
    uint8(0x0f, values.accelerationMotion),
    uint8(0x11, values.occupancy),
    uint8(0x12, values.waterLeak),
    uint32(0x14, scaled(values.pressure, 1000)),
    sound === undefined ? none : Buffer.of(0x15, Math.round(sound.peak), Math.round(sound.average)),
  ]);
}

const none = Buffer.alloc(0);

function scaled(value: number | undefined, factor: number): number | undefined {
  return value === undefined ? undefined : value * factor;
}

function int8(value: number): Buffer {
  const bytes = Buffer.alloc(1);
  bytes.writeInt8(Math.round(value));
  return bytes;
}

function int16(type: number, value: number | undefined): Buffer {
  if (value === undefined) return none;
  const bytes = Buffer.of(type, 0, 0);
  bytes.writeInt16BE(Math.round(value), 1);
  return bytes;
}

function uint8(type: number, value: number | undefined): Buffer {
  return unsigned(type, value, 1);
}

function uint16(type: number, value: number | undefined): Buffer {
  return unsigned(type, value, 2);
}

function uint32(type: number, value: number | undefined): Buffer {
  return unsigned(type, value, 4);
}

function unsigned(type: number, value: number | undefined, length: number): Buffer {
  if (value === undefined) return none;
  const bytes = Buffer.alloc(1 + length);
  bytes.writeUInt8(type);
  bytes.writeUIntBE(Math.round(value), 1, length);
  return bytes;
}
