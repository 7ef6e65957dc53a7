/** Captures from packet captures and from tables: bytes as tcpdump and people write them. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { csvRows, timeReader } from '../../simulators/capture/csv-table.ts';
import { importCsv } from '../../simulators/capture/import-csv.ts';
import { importSet } from '../../simulators/capture/import-sets.ts';
import { semtechMessages } from '../../simulators/capture/record-pcap.ts';
import { proveFrame } from './frame-proof.ts';

const pushData = Buffer.concat([
  Buffer.from('02a1b20000fffe0000000001', 'hex'),
  Buffer.from('{"rxpk":[]}'),
]);
const pullData = Buffer.from('02a1b20200fffe0000000001', 'hex');

function word(value: number): Buffer {
  return Buffer.of(value >> 8, value & 0xff);
}

function udp(payload: Buffer, port = 1700): Buffer {
  return Buffer.concat([word(40_000), word(port), word(8 + payload.length), word(0), payload]);
}

function ipv4(payload: Buffer, fragment = 0): Buffer {
  const header = Buffer.from('45000000000000004011000000000000'.padEnd(40, '0'), 'hex');
  header.writeUInt16BE(20 + payload.length, 2);
  header.writeUInt16BE(fragment, 6);
  return Buffer.concat([header, payload]);
}

function ipv6(payload: Buffer): Buffer {
  const header = Buffer.alloc(40);
  header.writeUInt8(0x60, 0);
  header.writeUInt8(17, 6);
  return Buffer.concat([header, payload]);
}

function ethernet(payload: Buffer, type = '0800'): Buffer {
  return Buffer.concat([Buffer.alloc(12), Buffer.from(type, 'hex'), payload]);
}

interface Trace {
  readonly linkType: number;
  readonly isLittle?: boolean;
  readonly nanoseconds?: boolean;
}

function pcap({ linkType, isLittle = true, nanoseconds = false }: Trace, ...packets: Buffer[]) {
  const number = (value: number) => {
    const bytes = Buffer.alloc(4);
    if (isLittle) bytes.writeUInt32LE(value);
    else bytes.writeUInt32BE(value);
    return bytes;
  };
  const head = [nanoseconds ? 0xa1b23c4d : 0xa1b2c3d4, 0, 0, 0, 65_535, linkType].map(number);
  const fraction = nanoseconds ? 5_000_000 : 5_000;
  const records = packets.flatMap((packet, index) => [
    ...[1_700_000_000 + index, fraction, packet.length, packet.length].map(number),
    packet,
  ]);
  return Buffer.concat([...head, ...records]);
}

function pcapng(packet: Buffer): Buffer {
  const block = (type: number, body: Buffer) => {
    const padded = Buffer.concat([body, Buffer.alloc((4 - (body.length % 4)) % 4)]);
    const numbers = Buffer.alloc(8);
    numbers.writeUInt32LE(type, 0);
    numbers.writeUInt32LE(12 + padded.length, 4);
    return Buffer.concat([numbers, padded, numbers.subarray(4)]);
  };
  const section = Buffer.from('4d3c2b1a01000000ffffffffffffffff', 'hex');
  // Link type 1, no snap length, option 9: ticks of 10^-9 s.
  const port = Buffer.from('0100000000000000' + '09000100' + '09000000' + '00000000', 'hex');
  const ticks = 1_700_000_000_005_000_000n;
  const head = Buffer.alloc(20);
  head.writeUInt32LE(Number(ticks >> 32n), 4);
  head.writeUInt32LE(Number(ticks & 0xffffffffn), 8);
  head.writeUInt32LE(packet.length, 12);
  head.writeUInt32LE(packet.length, 16);
  return Buffer.concat([
    ...[block(0x0a0d0d0a, section), block(1, port), block(5, Buffer.alloc(8))],
    block(6, Buffer.concat([head, packet])),
  ]);
}

function read(file: Buffer, port?: number) {
  const counts = { incomplete: 0, others: 0 };
  return { messages: [...semtechMessages(file, counts, { port })], counts };
}

const expected = {
  ...{ at: 1_700_000_000_005, via: 'udp', route: 'semtech-udp/00fffe0000000001' },
  ...{ sender: '00fffe0000000001', body: pushData },
};

describe('A packet capture', () => {
  const whole = ipv4(udp(pushData));
  it.each([
    ['Ethernet', pcap({ linkType: 1 }, ethernet(whole))],
    ['Ethernet, big-endian', pcap({ linkType: 1, isLittle: false }, ethernet(whole))],
    ['Ethernet, nanoseconds', pcap({ linkType: 1, nanoseconds: true }, ethernet(whole))],
    [
      'Ethernet with a filled-up end',
      pcap({ linkType: 1 }, ethernet(Buffer.concat([whole, Buffer.alloc(9)]))),
    ],
    [
      'a virtual network',
      pcap(
        { linkType: 1 },
        ethernet(Buffer.concat([Buffer.from('00070800', 'hex'), whole]), '8100'),
      ),
    ],
    ['IPv6', pcap({ linkType: 1 }, ethernet(ipv6(udp(pushData)), '86dd'))],
    [
      'all interfaces of Linux',
      pcap({ linkType: 113 }, Buffer.concat([Buffer.alloc(14), Buffer.from('0800', 'hex'), whole])),
    ],
    [
      'all interfaces of Linux, newer',
      pcap({ linkType: 276 }, Buffer.concat([Buffer.from('0800', 'hex'), Buffer.alloc(18), whole])),
    ],
    ['no link layer', pcap({ linkType: 101 }, whole)],
    [
      'the loopback of BSD',
      pcap({ linkType: 0 }, Buffer.concat([Buffer.from('02000000', 'hex'), whole])),
    ],
    ['pcapng', pcapng(ethernet(whole))],
  ])('gives the uplinks of forwarders: %s', (_, file) => {
    expect(read(file).messages).toEqual([expected]);
  });

  it('leaves keep-alives, answers and other traffic out, and counts them', () => {
    const answer = Buffer.from('02a1b201', 'hex');
    const others = [pullData, answer, Buffer.from('hello'), Buffer.alloc(40)];
    const packets = [...others, pushData].map((payload) => ethernet(ipv4(udp(payload))));
    const { messages, counts } = read(pcap({ linkType: 1 }, ...packets));
    expect([messages.length, counts.others]).toEqual([1, 4]);
    const elsewhere = pcap({ linkType: 1 }, ethernet(ipv4(udp(pushData, 9))));
    expect(read(elsewhere, 1_700).messages).toEqual([]);
  });

  it('counts fragments and packets cut short', () => {
    const file = pcap(
      { linkType: 1 },
      ethernet(ipv4(udp(pushData), 0x2000)),
      ethernet(whole).subarray(0, 50),
    );
    expect(read(file)).toEqual({ messages: [], counts: { incomplete: 2, others: 0 } });
  });

  it('is read up to a missing end', () => {
    const file = pcap({ linkType: 1 }, ethernet(whole), ethernet(whole));
    expect(read(file.subarray(0, file.length - 3)).messages).toHaveLength(1);
  });

  it('is refused when it is none, or of a link layer nobody here reads', () => {
    expect(() => read(Buffer.alloc(100))).toThrow('neither a pcap nor a pcapng');
    expect(() => read(pcap({ linkType: 105 }, whole))).toThrow('link type 105');
  });

  it('never fails in other words, whatever its bytes', () => {
    const sound = [pcap({ linkType: 1 }, ethernet(whole)), pcapng(ethernet(whole))];
    fc.assert(
      fc.property(fc.constantFrom(...sound), fc.nat(), fc.nat(255), (file, at, byte) => {
        const bytes = Buffer.from(file);
        bytes[at % bytes.length] = byte;
        try {
          read(bytes);
        } catch (error) {
          expect(error).toHaveProperty('code', 'CAPTURE_UNREADABLE');
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe('A table', () => {
  it('is read with quotes, line ends within cells and empty cells', () => {
    const text = 'a,"b ""x""",c\r\n1,"two\nlines",\n\n,,3';
    expect([...csvRows(text)]).toEqual([
      ['a', 'b "x"', 'c'],
      ['1', 'two\nlines', ''],
      ['', '', '3'],
    ]);
    expect(() => [...csvRows('a,"b')]).toThrow('unsound at character');
  });

  it.each([
    ['UTC', '2026-01-01T00:00:00Z', '2026-01-01T00:00:00.000Z'],
    ['Asia/Baku', '2026-01-01 04:00', '2026-01-01T00:00:00.000Z'],
    ['America/Los_Angeles', '2013-07-01T00:00:00', '2013-07-01T07:00:00.000Z'],
    ['America/Los_Angeles', '2013-12-01T00:00:00', '2013-12-01T08:00:00.000Z'],
    ['America/Los_Angeles', '2013-03-10T03:00:00', '2013-03-10T10:00:00.000Z'],
    ['UTC', '1767225600', '2026-01-01T00:00:00.000Z'],
    ['UTC', '1767225600000', '2026-01-01T00:00:00.000Z'],
  ])('has times of %s: %s', (zone, text, time) => {
    expect(timeReader(zone)(text)).toBe(Date.parse(time));
  });

  it.each(['', 'noon', '12', '2026-13-01 00:00'])('has no time in %j', (text) => {
    expect(timeReader('UTC')(text)).toBeUndefined();
  });

  it('becomes the messages of modems, in the order of time', () => {
    const counts = { skipped: 0 };
    const table =
      'when,who,T (°C),note\n2026-01-02T00:00:00Z,b,2.5,\n2026-01-01T00:00:00Z,a,,x\nnever,a,1,\n';
    const wish = { timeColumn: 'when', deviceColumn: 'who', zone: 'UTC' };
    const messages = importCsv(table, wish, counts);
    expect(messages.map(({ route, body }) => [route, JSON.parse(body.toString())])).toEqual([
      ['up/a', { ts: Date.parse('2026-01-01T00:00:00Z'), note: 'x' }],
      ['up/b', { ts: Date.parse('2026-01-02T00:00:00Z'), t_c: 2.5 }],
    ]);
    expect(counts.skipped).toBe(1);
    expect(() => importCsv(table, { ...wish, timeColumn: 'time' }, counts)).toThrow(
      'no column time',
    );
  });
});

describe('A public data set', () => {
  const tower = fileURLToPath(
    new URL('../fixtures/lorawan-tour-perret/frames.csv.gz', import.meta.url),
  );
  const wish = { start: Date.UTC(2026, 0, 1), seed: 'replay' };

  it('gives the frames of the Perret tower, which prove themselves with the keys told', async () => {
    const { messages, devices } = await importSet({
      set: 'lorawan-tour-perret',
      file: tower,
      ...wish,
    });
    expect([messages.length, devices.length]).toEqual([5_998, 2]);
    const [first] = messages;
    const frame = Buffer.from(JSON.parse(first?.body.toString() ?? '').phyPayload, 'base64');
    const [{ nwkSKey = '', appSKey = '', devAddr } = {}] = devices;
    const keys = { nwkSKey: Buffer.from(nwkSKey, 'hex'), appSKey: Buffer.from(appSKey, 'hex') };
    expect(proveFrame(frame, keys)).toMatchObject({ devAddr, fCnt: 71, fPort: 5 });
  });

  it.each([
    [
      'air-quality-beijing',
      'time,PM2.5,PM10,SO2,NO2,CO,O3,TEMP,PRES,DEWP,RAIN,WSPM\n2013-03-01T00:00:00,4,4,4,7,300,77,-0.7,1023,-18.8,0,4.4\n',
      'up/beijing-aotizhongxin',
      '2013-02-28T16:00:00Z',
    ],
    [
      'bicycle-fremont',
      'time,north,south\n2012-10-02T08:00:00,55,3\n',
      'up/fremont-bridge',
      '2012-10-02T15:00:00Z',
    ],
    [
      'pedestrian-melbourne',
      'time,count\n2014-12-31T13:00:00Z,1630\n',
      'up/birrarung',
      '2014-12-31T13:00:00Z',
    ],
    [
      'water-level',
      'time,water_level_m\n2018-09-05T21:00:00Z,0.4785\n',
      'up/gauge-1',
      '2018-09-05T21:00:00Z',
    ],
    ['nab', 'timestamp,value\n2014-07-01 00:00:00,10844\n', 'up/birrarung', '2014-07-01T00:00:00Z'],
    ['m4-hourly', '"V1","V2"\n"H1","605"\n', 'up/m4-h1', '2026-01-01T00:00:00Z'],
    [
      'air-quality-italy',
      'time,CO(GT),NO2(GT),T,RH,C6H6(GT),PT08.S5(O3)\n2004-03-10T18:00:00,2.6,113,13.6,48.9,11.9,1268\n',
      'up/italy-roadside',
      '2004-03-10T17:00:00Z',
    ],
  ])('%s becomes messages at its own times', async (set, table, route, time) => {
    const directory = await mkdtemp(join(tmpdir(), 'fieldgate-set-'));
    const file = join(directory, 'birrarung.csv');
    await writeFile(file, table);
    const { messages, counts } = await importSet({ set, file, ...wish });
    await rm(directory, { recursive: true });
    expect(messages.map((message) => [message.route, message.at])).toEqual([
      [route, Date.parse(time)],
    ]);
    expect(counts.skipped).toBe(0);
  });

  it('is refused when nobody here knows it', async () => {
    await expect(importSet({ set: 'other', file: tower, ...wish })).rejects.toThrow('is none of');
  });
});
