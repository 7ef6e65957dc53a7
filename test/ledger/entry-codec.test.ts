import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  decodeEntry,
  decodeHead,
  encodeEntry,
  packItem,
} from '../../gateway/ledger/entry-codec.ts';
import { itemFromRow } from '../../gateway/ledger/item-codec.ts';
import type { Item } from '../../gateway/ledger/ledger.ts';
import { type FaultCode, faultSentences } from '../../gateway/model/fault.ts';
import type { Inbound } from '../../gateway/model/inbound.ts';
import { bareUplink, inbound } from './deliveries.ts';

// Minus zero becomes zero on the way; no sender means anything by it.
const number = fc.oneof(fc.double({ noNaN: true }), fc.integer()).map((value) => value + 0);
const text = fc.string({ unit: 'grapheme' });
const bytes = fc.uint8Array({ maxLength: 60 }).map((array) => Buffer.from(array));
const flag = fc.boolean();
const optional = { requiredKeys: [] };

const location = fc.record(
  { latitude: number, longitude: number, altitude: number },
  { requiredKeys: ['latitude', 'longitude'] },
);
const rxInfo = fc.record(
  { gatewayId: text, rssi: number, snr: number, rxTime: number, location },
  { requiredKeys: ['gatewayId'] },
);
const measurement = fc.record(
  { name: text, value: fc.oneof(number, text, flag), unit: text, time: number, channel: text },
  { requiredKeys: ['name', 'value'] },
);
const txInfo = fc.record(
  { frequency: number, bandwidth: number, spreadingFactor: number },
  optional,
);
const radio = fc.record(
  {
    ...{ rat: text, rsrp: number, rsrq: number, sinr: number, rssi: number, band: number },
    ...{ arfcn: number, pci: number, tac: number, cellId: number, mcc: text, mnc: text },
  },
  optional,
);
const object = fc
  .dictionary(text, fc.jsonValue())
  .map((value): Record<string, unknown> => JSON.parse(JSON.stringify(value)));
const vouchedBy = fc.constantFrom('mic', 'network-server', 'tls-client', 'credential');
const faultCode = fc.constantFrom(...Object.keys(faultSentences));

const uplink = fc.record(
  {
    ...{ kind: fc.constant('payload'), adapter: text, deviceId: text, vouchedBy },
    ...{ rxInfo: fc.array(rxInfo, { maxLength: 3 }), rxTime: number, txInfo, radio, object },
    ...{ devAddr: text, fPort: number, fCnt: fc.nat(0xffffffff), confirmed: flag },
    ...{ frmPayload: bytes, encrypted: flag, messageKey: text, simulated: flag },
    ...{ measurements: fc.array(measurement, { maxLength: 3 }), phyPayload: bytes },
  },
  { requiredKeys: ['kind', 'adapter', 'deviceId', 'vouchedBy', 'rxInfo'] },
);
const event = fc.record(
  {
    ...{ kind: fc.constant('event'), adapter: text, type: text, deviceId: text, vouchedBy },
    ...{ gatewayId: text, time: number, measurements: fc.array(measurement, { maxLength: 3 }) },
  },
  { requiredKeys: ['kind', 'adapter', 'type'] },
);
const quarantined = fc.record(
  {
    kind: fc.constant('quarantined'),
    fault: fc.record({ kind: fc.constant('fault'), code: faultCode, detail: text }),
    ...{ adapter: text, deviceId: text },
  },
  { requiredKeys: ['kind', 'fault'] },
);

const message = fc.record({
  transport: fc.constantFrom('mqtt', 'http', 'udp', 'coap'),
  ...{ route: text, receivedAt: number, body: bytes, credential: text },
});
const stamp = fc.record(
  {
    outcome: fc.constantFrom('accepted', 'copy', 'replayed', 'quarantined', 'event'),
    ...{ copyOf: fc.integer({ min: 1, max: 2 ** 48 - 1 }), bodySeq: fc.integer({ min: 1 }) },
  },
  { requiredKeys: ['outcome'] },
);

function isFaultCode(code: string): code is FaultCode {
  return Object.hasOwn(faultSentences, code);
}

function isModelItem(item: { kind: string }): item is Item {
  return !('code' in item) || isFaultCode(String(item.code));
}

describe('The entry codec', () => {
  it.each([
    ['uplinks', uplink],
    ['events', event],
    ['quarantined items', quarantined],
  ])('brings back %s exactly', (_, items) => {
    fc.assert(
      fc.property(items, message, stamp, (item, { body, credential, ...rest }, mark) => {
        if (!isModelItem(item)) throw new Error('an item of the model');
        const sender = { credential, connection: 'c1', vouches: 'credential' } as const;
        const received: Inbound = { ...rest, body, sender, dup: false };
        const encoded = Buffer.from(encodeEntry(packItem(received, item), mark));
        const { copyOf, bodySeq, outcome } = mark;
        expect(decodeEntry(17, encoded)).toEqual({
          ...{ seq: 17, outcome, ...rest, credential, item },
          ...(copyOf === undefined ? {} : { copyOf }),
          body: bodySeq === undefined ? body : { seq: bodySeq },
        });
      }),
      { numRuns: 200 },
    );
  });

  it('keeps a JSON object with hostile keys as it was', () => {
    const hostile: Record<string, unknown> = JSON.parse(
      '{"__proto__":{"admin":true},"a":"\\ud800"}',
    );
    const packed = packItem(inbound(), { ...bareUplink, object: hostile });
    const { item } = decodeEntry(1, encodeEntry(packed, { outcome: 'accepted' }));
    expect(JSON.stringify(item)).toContain('"object":{"__proto__":{"admin":true},"a":"\\ud800"}');
    expect(Object.hasOwn(Object.prototype, 'admin')).toBe(false);
  });

  it('reads a fault by the name that it has today', () => {
    const old: Item = JSON.parse(
      '{"kind":"quarantined","fault":{"kind":"fault","code":"TOPIC_UNKNOWN","detail":"x"}}',
    );
    const encoded = encodeEntry(packItem(inbound(), old), { outcome: 'quarantined' });
    expect(decodeEntry(1, encoded).item).toEqual({
      kind: 'quarantined',
      fault: { kind: 'fault', code: 'INBOUND_UNRECOGNISED', detail: 'x' },
    });
  });

  it('refuses another version', () => {
    const encoded = encodeEntry(packItem(inbound(), bareUplink), { outcome: 'accepted' });
    encoded[0] = 2;
    expect(() => decodeEntry(9, encoded)).toThrow('Ledger entry 9 has the unknown version 2');
    expect(() => decodeHead(9, encoded)).toThrow('unknown version 2');
  });

  it('refuses an entry with any bit flipped behind its head', () => {
    const encoded = Buffer.from(
      encodeEntry(packItem(inbound({ body: 'precious' }), bareUplink), { outcome: 'accepted' }),
    );
    for (let at = 32; at < encoded.length; at += 1) {
      const damaged = Buffer.from(encoded);
      damaged.writeUInt8(damaged.readUInt8(at) ^ 1, at);
      expect(() => decodeEntry(3, damaged)).toThrow('Ledger entry 3 is damaged');
    }
  });

  it('refuses what is cut short or of unknown outcome', () => {
    const encoded = Buffer.from(
      encodeEntry(packItem(inbound(), bareUplink), { outcome: 'accepted' }),
    );
    for (let length = 0; length < encoded.length; length += 1) {
      expect(() => decodeEntry(3, encoded.subarray(0, length))).toThrow('damaged');
    }
    encoded[1] = 99;
    expect(() => decodeEntry(3, encoded)).toThrow('damaged');
  });

  it.each([
    ['no row', 5],
    ['an unknown kind', [7, 'x']],
    ['more fields than this version knows', [1, 'a', 'join', ...Array.from({ length: 20 })]],
    ['an uplink without a device', [0, 'modem', null, 'mic', null, []]],
    ['an uplink nobody vouches for', [0, 'modem', 'd', 'nobody', null, []]],
    ['an uplink without receptions', [0, 'modem', 'd', 'mic', null, 'none']],
    ['an event without a type', [1, 'modem']],
    ['an event without an adapter', [1]],
    ['an unknown fault', [2, 'NOT_A_FAULT', 'x']],
    ['a fault without a sentence', [2, 'MIC_MISMATCH']],
  ])('refuses %s', (_, row) => {
    expect(() => itemFromRow(row)).toThrow();
  });
});
