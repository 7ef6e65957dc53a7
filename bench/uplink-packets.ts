/**
 * PUBLISH packets of ChirpStack v4 uplinks, about 1 kB each, made at little cost: all are of one
 * length, so that a copy of one becomes another where its own words are written over it.
 */
import assert from 'node:assert/strict';
import { publishPacket } from '../test/transports/mqtt/wire.ts';
import { devEuiOf } from './load-plan.ts';

/** Elsys: 22.6 Cel, 41 %, 39 lx, 3.61 V. */
const payload = Buffer.from([1, 0, 226, 2, 41, 4, 0, 39, 7, 14, 26]).toString('base64');

/** Where each message has words of its own, and how long they are. */
const marks = {
  '@id': 12,
  '@time': 24,
  '@name': 6,
  '@eui': 16,
  '@addr': 8,
  '@cnt': 5,
  '@via1': 8,
  '@via2': 8,
} as const;
type Mark = keyof typeof marks;

const topic = 'application/17c82e96-be03-4f38-aef3-f83d48582d97/device/@eui/event/up';
const body = JSON.stringify({
  deduplicationId: '3ac7e3c4-4401-4b8d-9386-@id',
  time: '@time',
  deviceInfo: {
    tenantId: '52f14cd4-c6f1-4fbd-8f87-4025e1d49242',
    tenantName: 'Town',
    applicationId: '17c82e96-be03-4f38-aef3-f83d48582d97',
    applicationName: 'Air quality',
    deviceProfileId: '14855bf7-d10d-4aee-b618-ebfcb64dc7ad',
    deviceProfileName: 'Elsys',
    deviceName: 'Sensor @name',
    devEui: '@eui',
    tags: { district: 'Nasimi' },
  },
  devAddr: '@addr',
  adr: true,
  dr: 5,
  fCnt: '@cnt',
  fPort: 5,
  confirmed: false,
  data: payload,
  rxInfo: [1, 2].map((gateway) => ({
    gatewayId: `0016c001f153a14${gateway}`,
    uplinkId: `@via${gateway}`,
    gwTime: '@time',
    rssi: -60 - gateway,
    snr: 8.5,
    location: { latitude: 40.4, longitude: 49.87 },
    context: 'E3OWOQ==',
  })),
  txInfo: {
    frequency: 867100000,
    modulation: { lora: { bandwidth: 125000, spreadingFactor: 7, codeRate: 'CR_4_5' } },
  },
}).replace(/"(@cnt|@via[12])"/g, '$1');

const names = Object.keys(marks).filter(isMark);
const anyMark = new RegExp(`(?:${names.join('|')})~*`, 'g');
const widened = (text: string) =>
  names.reduce((wide, mark) => wide.replaceAll(mark, mark.padEnd(marks[mark], '~')), text);

const template = publishPacket({ topic: widened(topic), payload: widened(body), id: 0 });
const packetIdAt = template.length - widened(body).length - 2;
const places = [...template.toString('latin1').matchAll(anyMark)].map((found) => {
  const mark = found[0].replace(/~+$/, '');
  assert.ok(isMark(mark), 'a mark');
  return { mark, at: found.index };
});

/** Packets of the messages from `first` on, one after the other, at QoS 1. */
export function uplinkPackets(
  first: number,
  packetIds: readonly number[],
  devices: number,
): Buffer {
  const packets = Buffer.allocUnsafe(packetIds.length * template.length);
  const time = new Date().toISOString();
  for (const [place, packetId] of packetIds.entries()) {
    const start = place * template.length;
    template.copy(packets, start);
    packets.writeUInt16BE(packetId, start + packetIdAt);
    const words = wordsOf(first + place, devices, time);
    for (const { mark, at } of places) packets.write(words[mark], start + at, 'latin1');
  }
  return packets;
}

function wordsOf(number: number, devices: number, time: string): Readonly<Record<Mark, string>> {
  const device = number % devices;
  return {
    '@id': number.toString(16).padStart(marks['@id'], '0'),
    '@time': time,
    '@name': String(device).padStart(marks['@name'], '0'),
    '@eui': devEuiOf(device),
    '@addr': (0x01000000 + device).toString(16).padStart(marks['@addr'], '0'),
    '@cnt': numberOf(Math.floor(number / devices), '@cnt'),
    '@via1': numberOf(number * 2, '@via1'),
    '@via2': numberOf(number * 2 + 1, '@via2'),
  };
}

/** A number in JSON has no leading zeros: counting begins where the length is reached. */
function numberOf(count: number, mark: Mark): string {
  return String(10 ** (marks[mark] - 1) + count);
}

function isMark(text: string): text is Mark {
  return Object.hasOwn(marks, text);
}
