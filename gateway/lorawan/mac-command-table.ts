/**
 * The MAC commands of LoRaWAN 1.0.x and 1.1, class B included, by direction: how long each is and
 * what its bits say. Names, lengths and bits are those of the specification's command tables.
 */

export type MacValue = number | boolean | string;

export interface MacLayout {
  readonly name: string;
  /** After the command's own identifier. */
  readonly bytes: number;
  readonly read?: (bytes: Buffer) => Readonly<Record<string, MacValue>>;
}

const bit = (bytes: Buffer, place: number): boolean => ((bytes.readUInt8(0) >> place) & 1) === 1;
const bits = (value: number, low: number, length: number): number =>
  (value >> low) & ((1 << length) - 1);
/** Hz */
const frequencyAt = (bytes: Buffer, at: number): number => bytes.readUIntLE(at, 3) * 100;

const minor = (bytes: Buffer) => ({ minorVersion: bits(bytes.readUInt8(0), 0, 4) });
const deviceClass = (bytes: Buffer) => ({ class: bytes.readUInt8(0) === 2 ? 'C' : 'A' });

export const uplinkCommands: ReadonlyMap<number, MacLayout> = new Map([
  [0x01, { name: 'ResetInd', bytes: 1, read: minor }],
  [0x02, { name: 'LinkCheckReq', bytes: 0 }],
  [
    0x03,
    {
      name: 'LinkADRAns',
      bytes: 1,
      read: (b) => ({ chMaskAck: bit(b, 0), dataRateAck: bit(b, 1), powerAck: bit(b, 2) }),
    },
  ],
  [0x04, { name: 'DutyCycleAns', bytes: 0 }],
  [
    0x05,
    {
      name: 'RXParamSetupAns',
      bytes: 1,
      read: (b) => ({
        channelAck: bit(b, 0),
        rx2DataRateAck: bit(b, 1),
        rx1DrOffsetAck: bit(b, 2),
      }),
    },
  ],
  [0x06, { name: 'DevStatusAns', bytes: 2, read: readDevStatus }],
  [
    0x07,
    {
      name: 'NewChannelAns',
      bytes: 1,
      read: (b) => ({ channelFrequencyAck: bit(b, 0), dataRateRangeAck: bit(b, 1) }),
    },
  ],
  [0x08, { name: 'RXTimingSetupAns', bytes: 0 }],
  [0x09, { name: 'TXParamSetupAns', bytes: 0 }],
  [
    0x0a,
    {
      name: 'DlChannelAns',
      bytes: 1,
      read: (b) => ({ channelFrequencyAck: bit(b, 0), uplinkFrequencyExists: bit(b, 1) }),
    },
  ],
  [0x0b, { name: 'RekeyInd', bytes: 1, read: minor }],
  [0x0c, { name: 'ADRParamSetupAns', bytes: 0 }],
  [0x0d, { name: 'DeviceTimeReq', bytes: 0 }],
  [0x0f, { name: 'RejoinParamSetupAns', bytes: 1, read: (b) => ({ timeAck: bit(b, 0) }) }],
  [
    0x10,
    {
      name: 'PingSlotInfoReq',
      bytes: 1,
      read: (b) => ({ periodSeconds: 2 ** bits(b.readUInt8(0), 0, 3) }),
    },
  ],
  [
    0x11,
    {
      name: 'PingSlotChannelAns',
      bytes: 1,
      read: (b) => ({ channelFrequencyAck: bit(b, 0), dataRateAck: bit(b, 1) }),
    },
  ],
  [0x12, { name: 'BeaconTimingReq', bytes: 0 }],
  [0x13, { name: 'BeaconFreqAns', bytes: 1, read: (b) => ({ beaconFrequencyAck: bit(b, 0) }) }],
  [0x20, { name: 'DeviceModeInd', bytes: 1, read: deviceClass }],
]);

/** Battery: 0 is external power, 255 not measured; the margin is of 6 bits with a sign. */
function readDevStatus(bytes: Buffer): Readonly<Record<string, MacValue>> {
  const battery = bytes.readUInt8(0);
  const margin = bits(bytes.readUInt8(1), 0, 6);
  const signed = margin > 31 ? margin - 64 : margin;
  if (battery === 0) return { battery, externalPower: true, margin: signed };
  if (battery === 255) return { battery, margin: signed };
  return { battery, batteryPercent: Math.round((battery / 254) * 1_000) / 10, margin: signed };
}

export const downlinkCommands: ReadonlyMap<number, MacLayout> = new Map([
  [0x01, { name: 'ResetConf', bytes: 1, read: minor }],
  [
    0x02,
    {
      name: 'LinkCheckAns',
      bytes: 2,
      read: (b) => ({ margin: b.readUInt8(0), gatewayCount: b.readUInt8(1) }),
    },
  ],
  [0x03, { name: 'LinkADRReq', bytes: 4, read: readLinkAdr }],
  [
    0x04,
    {
      name: 'DutyCycleReq',
      bytes: 1,
      read: (b) => ({ maxDutyCycle: 1 / 2 ** bits(b.readUInt8(0), 0, 4) }),
    },
  ],
  [
    0x05,
    {
      name: 'RXParamSetupReq',
      bytes: 4,
      read: (b) => ({
        rx1DrOffset: bits(b.readUInt8(0), 4, 3),
        rx2DataRate: bits(b.readUInt8(0), 0, 4),
        frequency: frequencyAt(b, 1),
      }),
    },
  ],
  [0x06, { name: 'DevStatusReq', bytes: 0 }],
  [
    0x07,
    {
      name: 'NewChannelReq',
      bytes: 5,
      read: (b) => ({
        channel: b.readUInt8(0),
        frequency: frequencyAt(b, 1),
        dataRateMin: bits(b.readUInt8(4), 0, 4),
        dataRateMax: bits(b.readUInt8(4), 4, 4),
      }),
    },
  ],
  [
    0x08,
    {
      name: 'RXTimingSetupReq',
      bytes: 1,
      read: (b) => ({ delaySeconds: Math.max(1, bits(b.readUInt8(0), 0, 4)) }),
    },
  ],
  [
    0x09,
    {
      name: 'TXParamSetupReq',
      bytes: 1,
      read: (b) => ({
        downlinkDwellTime: bit(b, 5),
        uplinkDwellTime: bit(b, 4),
        maxEirpIndex: bits(b.readUInt8(0), 0, 4),
      }),
    },
  ],
  [
    0x0a,
    {
      name: 'DlChannelReq',
      bytes: 4,
      read: (b) => ({ channel: b.readUInt8(0), frequency: frequencyAt(b, 1) }),
    },
  ],
  [0x0b, { name: 'RekeyConf', bytes: 1, read: minor }],
  [
    0x0c,
    {
      name: 'ADRParamSetupReq',
      bytes: 1,
      read: (b) => ({
        adrAckLimit: 2 ** bits(b.readUInt8(0), 4, 4),
        adrAckDelay: 2 ** bits(b.readUInt8(0), 0, 4),
      }),
    },
  ],
  [
    0x0d,
    {
      name: 'DeviceTimeAns',
      bytes: 5,
      read: (b) => ({ gpsSeconds: b.readUInt32LE(0) + b.readUInt8(4) / 256 }),
    },
  ],
  [
    0x0e,
    {
      name: 'ForceRejoinReq',
      bytes: 2,
      read: (b) => ({
        period: bits(b.readUInt16LE(0), 11, 3),
        maxRetries: bits(b.readUInt16LE(0), 8, 3),
        rejoinType: bits(b.readUInt16LE(0), 4, 3),
        dataRate: bits(b.readUInt16LE(0), 0, 4),
      }),
    },
  ],
  [
    0x0f,
    {
      name: 'RejoinParamSetupReq',
      bytes: 1,
      read: (b) => ({
        maxSeconds: 2 ** (bits(b.readUInt8(0), 4, 4) + 10),
        maxUplinks: 2 ** (bits(b.readUInt8(0), 0, 4) + 4),
      }),
    },
  ],
  [0x10, { name: 'PingSlotInfoAns', bytes: 0 }],
  [
    0x11,
    {
      name: 'PingSlotChannelReq',
      bytes: 4,
      read: (b) => ({ frequency: frequencyAt(b, 0), dataRate: bits(b.readUInt8(3), 0, 4) }),
    },
  ],
  [
    0x12,
    {
      name: 'BeaconTimingAns',
      bytes: 3,
      read: (b) => ({ delayMs: (b.readUInt16LE(0) + 1) * 30, channel: b.readUInt8(2) }),
    },
  ],
  [0x13, { name: 'BeaconFreqReq', bytes: 3, read: (b) => ({ frequency: frequencyAt(b, 0) }) }],
  [0x20, { name: 'DeviceModeConf', bytes: 1, read: deviceClass }],
]);

function readLinkAdr(bytes: Buffer): Readonly<Record<string, MacValue>> {
  const [dataRateAndPower, redundancy] = [bytes.readUInt8(0), bytes.readUInt8(3)];
  return {
    dataRate: bits(dataRateAndPower, 4, 4),
    txPowerIndex: bits(dataRateAndPower, 0, 4),
    channelMask: bytes.readUInt16LE(1).toString(16).padStart(4, '0'),
    channelMaskControl: bits(redundancy, 4, 3),
    transmissions: bits(redundancy, 0, 4),
  };
}
