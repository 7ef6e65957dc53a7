import { describe, expect, it } from '@jest/globals';
import { findCodec } from '../../decoders/registry.ts';
import type { LedgerEntry } from '../../gateway/ledger/ledger.ts';
import type { Device } from '../../gateway/model/device.ts';
import { fault } from '../../gateway/model/fault.ts';
import type { VerifiedUplink } from '../../gateway/model/uplink.ts';
import { type Derived, deriveEntry } from '../../gateway/pipeline/derive.ts';
import { judge, worse } from '../../gateway/pipeline/quality.ts';
import { entryOf, eventOf, receivedAt, uplinkOf } from './entries.ts';

const minute = 60_000;
const elsys: Device = { id: 'meter-7', kind: 'lorawan', codec: 'elsys-generic' };
/** 22.6 Cel and 41 %, as the codec's examples have them. */
const elsysPayload = Buffer.from('0100e20229', 'hex');

function derived(entry: LedgerEntry, device?: Device): Derived {
  return deriveEntry(entry, {
    deviceOf: (id) => (device?.id === id ? device : undefined),
    codecOf: findCodec,
  });
}

function fromUplink(part: Partial<VerifiedUplink>, device?: Device): Derived {
  return derived(entryOf({ item: uplinkOf(part) }), device);
}

describe('Readings of an uplink', () => {
  it('come from the codec of its device before what the sender decoded', () => {
    const { readings, fault: verdict } = fromUplink(
      { frmPayload: elsysPayload, fPort: 5, object: { temperature: 99 }, vouchedBy: 'mic' },
      { ...elsys, agency: 'water board', area: 'centre' },
    );
    expect(verdict).toBeUndefined();
    expect(readings[0]).toEqual({
      ...{ device: 'meter-7', quantity: 'air_temperature', value: 22.6, unit: 'Cel' },
      ...{ time: receivedAt, receivedAt, quality: 1, vouchedBy: 'mic', seq: 7 },
      ...{ agency: 'water board', area: 'centre' },
    });
    expect(readings.map(({ quantity }) => quantity)).toEqual([
      'air_temperature',
      'relative_humidity',
    ]);
  });

  it("come from the sender's object when the device has no codec", () => {
    const { readings } = fromUplink({
      frmPayload: elsysPayload,
      fPort: 5,
      object: { temperature: 21.5, door: 'unheard of' },
    });
    expect(readings[0]).toMatchObject({ quantity: 'air_temperature', value: 21.5, quality: 1 });
    expect(readings[1]).toMatchObject({ value: 'unheard of' });
  });

  it("hold the network server's word on the battery, unless the payload has one", () => {
    const measurements = [
      { name: 'battery_level', value: 37, unit: '%' },
      { name: 'temperature', value: 1, unit: 'Cel' },
    ];
    const payload = { frmPayload: elsysPayload, fPort: 5, measurements };
    expect(fromUplink(payload, elsys).readings.map(({ value }) => value)).toEqual([22.6, 41, 37]);
    const lpp: Device = { ...elsys, codec: 'battery' };
    const codecOf = () => ({
      name: 'battery',
      title: 'Battery',
      source: 'this test',
      decode: () => ({ ok: true as const, values: [{ quantity: 'battery_level', value: 80 }] }),
    });
    const entry = entryOf({ item: uplinkOf(payload) });
    const { readings } = deriveEntry(entry, { deviceOf: () => lpp, codecOf });
    expect(readings.map(({ value }) => value)).toEqual([80]);
  });

  it("hold the network server's word on the battery beside the fault of the payload", () => {
    const measurements = [{ name: 'battery_level', value: 37, unit: '%' }];
    const payload = { frmPayload: elsysPayload, fPort: 5, measurements };
    for (const [derivation, code] of [
      [fromUplink(payload), 'CODEC_MISSING'],
      [fromUplink({ ...payload, encrypted: true }, elsys), 'PAYLOAD_ENCRYPTED'],
      [
        fromUplink({ ...payload, frmPayload: Buffer.from('ff', 'hex') }, elsys),
        'PAYLOAD_UNDECODABLE',
      ],
    ] as const) {
      expect(derivation.fault?.code).toBe(code);
      expect(derivation.readings.map(({ value }) => value)).toEqual([37]);
    }
  });

  it('come from measurements, each with its own time and channel', () => {
    const { readings } = fromUplink({
      measurements: [
        { name: 'temperature', value: 20, unit: 'Cel', channel: '1', time: receivedAt - minute },
        { name: 'temperature', value: 21, unit: 'Cel', channel: '2' },
        { name: 'temperature', value: Number.NaN },
      ],
    });
    expect(readings).toHaveLength(2);
    expect(readings[0]).toMatchObject({ channel: '1', time: receivedAt - minute });
    expect(readings[1]).toMatchObject({ channel: '2', time: receivedAt });
  });

  it('keep what has no place in the vocabulary, without a unit and not evaluated', () => {
    const { readings } = fromUplink({ measurements: [{ name: 'flux capacity', value: 1.21 }] });
    expect(readings[0]).toMatchObject({ unit: '', quality: 2 });
    expect(readings[0]?.quantity).toMatch(/^x_/);
  });

  it('are none, without a fault, when it carries no payload at all', () => {
    expect(fromUplink({})).toEqual({ readings: [], links: [] });
    expect(fromUplink({ frmPayload: Buffer.from([1]), fPort: 0 }, elsys).fault).toBeUndefined();
  });

  it.each<[string, Partial<VerifiedUplink>, Device | undefined, string]>([
    ['its device has no codec', { frmPayload: elsysPayload, fPort: 5 }, undefined, 'CODEC_MISSING'],
    [
      'its codec does not exist',
      { frmPayload: elsysPayload, fPort: 5 },
      { ...elsys, codec: 'nobody-knows' },
      'CODEC_MISSING',
    ],
    [
      'its codec cannot read it',
      { frmPayload: Buffer.from('01', 'hex'), fPort: 5 },
      elsys,
      'PAYLOAD_UNDECODABLE',
    ],
    [
      'it is encrypted, whatever the sender made of it',
      { frmPayload: elsysPayload, fPort: 5, encrypted: true, object: { temperature: 1 } },
      elsys,
      'PAYLOAD_ENCRYPTED',
    ],
  ])('are a fault when %s', (_, part, device, code) => {
    const result = fromUplink({ ...part, rxInfo: [{ gatewayId: 'gw1' }] }, device);
    expect(result.readings).toEqual([]);
    expect(result.fault?.code).toBe(code);
    expect(result.links).toHaveLength(1);
  });

  it('are the same when it is derived again', () => {
    const part = { frmPayload: elsysPayload, fPort: 5, rxInfo: [{ gatewayId: 'gw1', rssi: -90 }] };
    expect(fromUplink(part, elsys)).toEqual(fromUplink(part, elsys));
  });
});

describe('The time of a reading', () => {
  const timeOf = (part: Partial<VerifiedUplink>) => {
    const measurements = [{ name: 'temperature', value: 20 }];
    const [reading] = fromUplink({ measurements, ...part }).readings;
    return [reading?.time, reading?.quality];
  };

  it("is the network's when it has one", () => {
    expect(timeOf({ rxTime: receivedAt - minute })).toEqual([receivedAt - minute, 1]);
  });

  it("is the first gateway's when the network names none", () => {
    const rxInfo = [{ gatewayId: 'a', rxTime: receivedAt - 5 }, { gatewayId: 'b' }];
    expect(timeOf({ rxInfo })).toEqual([receivedAt - 5, 1]);
  });

  it('may be a little ahead, as clocks are', () => {
    expect(timeOf({ rxTime: receivedAt + 5 * minute })).toEqual([receivedAt + 5 * minute, 1]);
  });

  it.each([
    ['far ahead', receivedAt + 5 * minute + 1],
    ['of 1970', 0],
    ['of the start of GPS', Date.UTC(1980, 0, 6)],
  ])('is ours, and the value suspect, when that of the sender is %s', (_, rxTime) => {
    expect(timeOf({ rxTime })).toEqual([receivedAt, 3]);
  });
});

describe('Link samples', () => {
  const rxInfo = [
    { gatewayId: 'gw1', rssi: -101, snr: -3.5, rxTime: receivedAt - 20 },
    { gatewayId: 'gw2' },
  ];

  it('tell how each gateway heard it', () => {
    const { links } = fromUplink({ fCnt: 9, rxInfo, txInfo: { spreadingFactor: 10 } });
    expect(links).toEqual([
      {
        ...{ device: 'meter-7', gateway: 'gw1', seq: 7, fCnt: 9, spreadingFactor: 10 },
        ...{ rssi: -101, snr: -3.5, time: receivedAt - 20 },
      },
      {
        ...{ device: 'meter-7', gateway: 'gw2', seq: 7, fCnt: 9, spreadingFactor: 10 },
        time: receivedAt,
      },
    ]);
  });

  it("have the uplink's time, so that every copy of it has the same", () => {
    const rxTime = receivedAt - minute;
    const { links } = fromUplink({ rxInfo, rxTime });
    expect(links.map(({ time }) => time)).toEqual([rxTime, rxTime]);
  });

  it('never have the time of a gateway whose clock is off', () => {
    const off = [{ gatewayId: 'gw1', rxTime: Date.UTC(1980, 0, 6) }];
    expect(fromUplink({ rxInfo: off }).links[0]?.time).toBe(receivedAt);
  });

  it('tell how the cell heard a modem', () => {
    const radio = { rsrp: -105, rsrq: -11, sinr: 3, rssi: -80, mcc: '400', mnc: '01', cellId: 7 };
    const { links } = fromUplink({ radio });
    expect(links).toEqual([
      {
        ...{ device: 'meter-7', gateway: 'cell-400-01-7', time: receivedAt, seq: 7 },
        ...{ rsrp: -105, rsrq: -11, sinr: 3, rssi: -80 },
      },
    ]);
    expect(fromUplink({ radio: { rsrp: -1 } }).links[0]?.gateway).toBe('cell');
  });

  it('are all that a copy gives', () => {
    const item = uplinkOf({ frmPayload: elsysPayload, fPort: 5, rxInfo });
    const { readings, links } = derived(entryOf({ item, outcome: 'copy', copyOf: 3 }), elsys);
    expect(readings).toEqual([]);
    expect(links).toHaveLength(2);
  });
});

describe('Other entries', () => {
  it('give the readings of an event, the battery of a device for one', () => {
    const item = eventOf({
      deviceId: 'meter-7',
      time: receivedAt - minute,
      vouchedBy: 'network-server',
      measurements: [{ name: 'battery_level', value: 88.3, unit: '%' }],
    });
    const { readings } = derived(entryOf({ item, outcome: 'event' }), { ...elsys, area: 'port' });
    expect(readings).toEqual([
      {
        ...{ device: 'meter-7', quantity: 'battery_level', value: 88.3, unit: '%', seq: 7 },
        ...{ time: receivedAt - minute, receivedAt, quality: 1, vouchedBy: 'network-server' },
        area: 'port',
      },
    ]);
  });

  it.each([
    ['an event without numbers', entryOf({ item: eventOf({ deviceId: 'a' }), outcome: 'event' })],
    [
      'an event of no device',
      entryOf({
        item: eventOf({ measurements: [{ name: 'battery_level', value: 1 }] }),
        outcome: 'event',
      }),
    ],
    [
      'a quarantined message',
      entryOf({
        item: { kind: 'quarantined', fault: fault('INBOUND_MALFORMED', 'x') },
        outcome: 'quarantined',
      }),
    ],
    ['a replay', entryOf({ item: uplinkOf({ object: { temperature: 1 } }), outcome: 'replayed' })],
  ])('give nothing for %s', (_, entry) => {
    expect(derived(entry)).toEqual({ readings: [], links: [] });
  });
});

describe('Quality', () => {
  it.each([
    ['air_temperature', 21.5, 1],
    ['air_temperature', -300, 4],
    ['relative_humidity', 101, 4],
    ['x_flux', 1e9, 2],
    ['air_temperature', 'warm', 2],
  ])('of %s at %p is %i', (quantity, value, expected) => {
    expect(judge(quantity, value)).toBe(expected);
  });

  it('is the worse of two, where "not evaluated" says nothing', () => {
    expect(worse(1, 2)).toBe(1);
    expect(worse(2, 2)).toBe(2);
    expect(worse(1, 3)).toBe(3);
    expect(worse(4, 3)).toBe(4);
    expect(worse(2, 9)).toBe(9);
  });
});
