import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { viewFrame } from '../../gateway/lorawan/frame-view.ts';
import { createKeystreamKey, cryptFOpts } from '../../gateway/lorawan/keystream.ts';
import { downlinkCommands, uplinkCommands } from '../../gateway/lorawan/mac-command-table.ts';
import { parseMacCommands, statusOf } from '../../gateway/lorawan/mac-commands.ts';
import { verifyUplink } from '../../gateway/lorawan/verify.ts';
import type { Session } from '../../gateway/model/device.ts';
import { uplinkFrame } from './simulated-frame.ts';
import { bytes, uplinkOf } from './vectors.ts';

const parsed = (hex: string, direction: 'up' | 'down') =>
  parseMacCommands(bytes(hex), direction).map(({ name, fields }) => [name, fields]);

describe('MAC commands', () => {
  it.each([
    ['0101', 'ResetInd', { minorVersion: 1 }],
    ['02', 'LinkCheckReq', {}],
    ['0305', 'LinkADRAns', { chMaskAck: true, dataRateAck: false, powerAck: true }],
    ['04', 'DutyCycleAns', {}],
    ['0506', 'RXParamSetupAns', { channelAck: false, rx2DataRateAck: true, rx1DrOffsetAck: true }],
    ['067f0a', 'DevStatusAns', { battery: 127, batteryPercent: 50, margin: 10 }],
    ['06003f', 'DevStatusAns', { battery: 0, externalPower: true, margin: -1 }],
    ['06ff20', 'DevStatusAns', { battery: 255, margin: -32 }],
    ['0701', 'NewChannelAns', { channelFrequencyAck: true, dataRateRangeAck: false }],
    ['08', 'RXTimingSetupAns', {}],
    ['09', 'TXParamSetupAns', {}],
    ['0a03', 'DlChannelAns', { channelFrequencyAck: true, uplinkFrequencyExists: true }],
    ['0b01', 'RekeyInd', { minorVersion: 1 }],
    ['0c', 'ADRParamSetupAns', {}],
    ['0d', 'DeviceTimeReq', {}],
    ['0f01', 'RejoinParamSetupAns', { timeAck: true }],
    ['1005', 'PingSlotInfoReq', { periodSeconds: 32 }],
    ['1103', 'PingSlotChannelAns', { channelFrequencyAck: true, dataRateAck: true }],
    ['12', 'BeaconTimingReq', {}],
    ['1301', 'BeaconFreqAns', { beaconFrequencyAck: true }],
    ['2002', 'DeviceModeInd', { class: 'C' }],
  ])('%s of an uplink is %s', (hex, name, fields) => {
    expect(parsed(hex, 'up')).toEqual([[name, fields]]);
  });

  it.each([
    ['0101', 'ResetConf', { minorVersion: 1 }],
    ['020a02', 'LinkCheckAns', { margin: 10, gatewayCount: 2 }],
    [
      '0351ff0001',
      'LinkADRReq',
      {
        ...{ dataRate: 5, txPowerIndex: 1, channelMask: '00ff' },
        ...{ channelMaskControl: 0, transmissions: 1 },
      },
    ],
    ['0402', 'DutyCycleReq', { maxDutyCycle: 0.25 }],
    ['0513d2ad84', 'RXParamSetupReq', { rx1DrOffset: 1, rx2DataRate: 3, frequency: 869_525_000 }],
    ['06', 'DevStatusReq', {}],
    [
      '0703184f8450',
      'NewChannelReq',
      { channel: 3, frequency: 867_100_000, dataRateMin: 0, dataRateMax: 5 },
    ],
    ['0800', 'RXTimingSetupReq', { delaySeconds: 1 }],
    [
      '0935',
      'TXParamSetupReq',
      { downlinkDwellTime: true, uplinkDwellTime: true, maxEirpIndex: 5 },
    ],
    ['0a00184f84', 'DlChannelReq', { channel: 0, frequency: 867_100_000 }],
    ['0b01', 'RekeyConf', { minorVersion: 1 }],
    ['0c65', 'ADRParamSetupReq', { adrAckLimit: 64, adrAckDelay: 32 }],
    ['0d0000008080', 'DeviceTimeAns', { gpsSeconds: 2_147_483_648.5 }],
    ['0e2511', 'ForceRejoinReq', { period: 2, maxRetries: 1, rejoinType: 2, dataRate: 5 }],
    ['0f12', 'RejoinParamSetupReq', { maxSeconds: 2_048, maxUplinks: 64 }],
    ['10', 'PingSlotInfoAns', {}],
    ['11d2ad8403', 'PingSlotChannelReq', { frequency: 869_525_000, dataRate: 3 }],
    ['12010002', 'BeaconTimingAns', { delayMs: 60, channel: 2 }],
    ['13d2ad84', 'BeaconFreqReq', { frequency: 869_525_000 }],
    ['2000', 'DeviceModeConf', { class: 'A' }],
  ])('%s of a downlink is %s', (hex, name, fields) => {
    expect(parsed(hex, 'down')).toEqual([[name, fields]]);
  });

  it('follow each other, until one that is not known or cut off', () => {
    expect(parsed('0307068a0302', 'up').map(([name]) => name)).toEqual([
      'LinkADRAns',
      'DevStatusAns',
      'LinkCheckReq',
    ]);
    expect(parsed('02ee0102', 'up')).toEqual([
      ['LinkCheckReq', {}],
      ['Proprietary', { bytes: '0102' }],
    ]);
    expect(parsed('7f', 'up')).toEqual([['Unknown', {}]]);
    expect(parsed('0601', 'up')).toEqual([['DevStatusAns', { bytes: '01' }]]);
  });

  it('never throw, whatever the bytes', () => {
    const direction = fc.constantFrom<'up' | 'down'>('up', 'down');
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 242 }), direction, (noise, way) => {
        const commands = parseMacCommands(Buffer.from(noise), way);
        expect(commands.length).toBeLessThanOrEqual(noise.length);
        expect(statusOf(commands).length).toBeLessThanOrEqual(2);
      }),
      { numRuns: 300 },
    );
  });

  it('have names of their own in each direction', () => {
    for (const table of [uplinkCommands, downlinkCommands]) {
      const names = [...table.values()].map(({ name }) => name);
      expect(new Set(names).size).toBe(table.size);
    }
  });
});

const key = (byte: number) => Buffer.alloc(16, byte);
const session10: Session = {
  deviceId: '70b3d57ed00000c1',
  devAddr: '26011bda',
  macVersion: '1.0',
  keys: { appSKey: key(2), fNwkSIntKey: key(1), sNwkSIntKey: key(1), nwkSEncKey: key(1) },
};

const session11: Session = {
  ...{ ...session10, macVersion: '1.1' },
  keys: { appSKey: key(2), fNwkSIntKey: key(1), sNwkSIntKey: key(3), nwkSEncKey: key(4) },
};

describe("A device's status in a frame", () => {
  const verified = (phyPayload: Buffer, session: Session, last = 0) =>
    verifyUplink(
      uplinkOf(phyPayload),
      () => [session],
      () => last,
    );

  it('becomes measurements when it stands on FPort 0', () => {
    const frame = uplinkFrame(session10, { fCnt: 1, fPort: 0, payload: bytes('06fe0b') });
    expect(verified(frame, session10)).toMatchObject({
      kind: 'payload',
      fPort: 0,
      measurements: [
        { name: 'link_margin', value: 11, unit: 'dB' },
        { name: 'battery_level', value: 100, unit: '%' },
      ],
    });
  });

  it('leaves a frame without commands as it is', () => {
    const frame = uplinkFrame(session10, { fCnt: 1, fPort: 1, payload: bytes('06fe0b') });
    expect(verified(frame, session10)).not.toHaveProperty('measurements');
  });

  it('is shown with the frame, encrypted FOpts of 1.1 only in clear', () => {
    const plain = bytes('067f0a');
    const position = { direction: 'up', devAddr: session11.devAddr, fCnt: 1 } as const;
    const cipher = createKeystreamKey(session11.keys.nwkSEncKey);
    const fOpts = cryptFOpts(cipher, { ...position, counter: 'FCntUp' }, plain);
    const phyPayload = uplinkFrame(session11, { fCnt: 1, fPort: 1, payload: key(7), fOpts });
    const result = verified(phyPayload, session11);
    expect(result).toMatchObject({ fOpts: plain, frmPayload: key(7) });
    expect(result).toHaveProperty('measurements', [
      { name: 'link_margin', value: 10, unit: 'dB' },
      { name: 'battery_level', value: 50, unit: '%' },
    ]);
    const view = viewFrame(phyPayload, { fOpts: plain });
    expect(view?.macCommands?.map(({ name }) => name)).toEqual(['DevStatusAns']);
    expect(viewFrame(phyPayload, { isVersion11: true })).not.toHaveProperty('macCommands');
  });
});

describe('A frame as it is shown', () => {
  it.each([
    ['00dc0000d07ed5b3701e6fedf57ceeaf00cc', undefined],
    ['ff010203', { mType: 'Proprietary', size: 4 }],
    [`20${'00'.repeat(16)}`, { mType: 'JoinAccept', size: 17 }],
    [
      '00dc0000d07ed5b3701e6fedf57ceeaf0085cc587fe913',
      {
        ...{ mType: 'JoinRequest', size: 23, joinEui: '70b3d57ed00000dc' },
        ...{ devEui: '00afee7cf5ed6f1e', devNonce: 0xcc85, mic: '587fe913' },
      },
    ],
    [
      `c001${'0102030405060708'}${'1112131415161718'}0500aabbccdd`,
      {
        ...{ mType: 'RejoinRequest', size: 24, rejoinType: 1, joinEui: '0807060504030201' },
        ...{ devEui: '1817161514131211', rjCount: 5, mic: 'aabbccdd' },
      },
    ],
    [
      `c000${'010203'}${'1112131415161718'}0500aabbccdd`,
      {
        ...{ mType: 'RejoinRequest', size: 19, rejoinType: 0, netId: '030201' },
        ...{ devEui: '1817161514131211', rjCount: 5, mic: 'aabbccdd' },
      },
    ],
    [
      '40f17dbe4982020001060a0baabbccdd',
      {
        ...{ mType: 'UnconfirmedDataUp', size: 16, devAddr: '49be7df1', fCnt16: 2 },
        ...{ fCtrl: { adr: true, adrAckReq: false, ack: false, fPending: false } },
        ...{ payloadSize: 1, fPort: 10, mic: 'aabbccdd' },
        macCommands: [{ name: 'ResetInd', cid: 1, fields: { minorVersion: 6 } }],
      },
    ],
  ])('of %s is %j', (hex, view) => {
    expect(viewFrame(bytes(hex))).toEqual(view);
  });
});
