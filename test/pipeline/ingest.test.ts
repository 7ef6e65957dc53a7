import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { defaultRoutes } from '../../gateway/adapters/registry.ts';
import { createRouter } from '../../gateway/adapters/topic-filter.ts';
import { type LedgerEntry, LedgerUnavailable, type Receipt } from '../../gateway/ledger/ledger.ts';
import { type LmdbLedger, openLedger } from '../../gateway/ledger/lmdb-ledger.ts';
import { type LmdbLedgerReader, openLedgerReader } from '../../gateway/ledger/lmdb-reader.ts';
import { verifyUplink } from '../../gateway/lorawan/verify.ts';
import type { Session } from '../../gateway/model/device.ts';
import type { Fault } from '../../gateway/model/fault.ts';
import type { Inbound, Sender } from '../../gateway/model/inbound.ts';
import { createIngest, type Ingest } from '../../gateway/pipeline/ingest.ts';
import { fixtureText, inboundOf } from '../adapters/inbound.ts';
import { uplinkFrame } from '../lorawan/simulated-frame.ts';

interface Seen {
  readonly source: string;
  readonly receipt: Receipt;
  readonly problem: Fault | undefined;
}

const key = Buffer.alloc(16, 7);
const session: Session = {
  deviceId: '70b3d57ed0000001',
  devAddr: '26011bda',
  macVersion: '1.0',
  keys: { appSKey: key, fNwkSIntKey: key, sNwkSIntKey: key, nwkSEncKey: key },
};
const statusTopic = 'application/1/device/0101010101010101/event/status';
const ttsTopic = 'v3/app1/devices/dev1/up';

const byTopic = createRouter(defaultRoutes);

let directory: string;
let ledger: LmdbLedger;
let reader: LmdbLedgerReader;
let ingest: Ingest;
let seen: Seen[];
let unavailable: string[];
let acknowledged: number;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'fieldgate-ingest-'));
  ledger = await openLedger({ directory });
  reader = openLedgerReader({ directory });
  [seen, unavailable, acknowledged] = [[], [], 0];
  ingest = createIngest({
    adapterFor: ({ route }) => byTopic(route),
    verify: (frame) =>
      verifyUplink(
        frame,
        (devAddr) => (devAddr === session.devAddr ? [session] : []),
        (deviceId, devAddr) => ledger.lastFrameCounter(deviceId, devAddr),
      ),
    ledger,
    observe: {
      item: (source, receipt, problem) => seen.push({ source, receipt, problem }),
      written: (source, { items }, receipts) => {
        expect([typeof source, receipts.length]).toEqual(['string', items.length]);
      },
      acknowledged: (seconds) => {
        acknowledged += seconds >= 0 ? 1 : 0;
      },
      unavailable: (reason) => unavailable.push(reason),
    },
  });
});

afterEach(async () => {
  await reader.close();
  await ledger.close();
  await rm(directory, { recursive: true, force: true });
});

function from(inbound: Inbound, sender: Partial<Sender>): Inbound {
  return { ...inbound, sender: { ...inbound.sender, ...sender } };
}

async function received(inbound: Inbound): Promise<LedgerEntry[]> {
  await ingest.receive(inbound);
  return reader.read(0, 100);
}

function fixture(name: string): Buffer {
  return Buffer.from(fixtureText(`lns/${name}.json`));
}

function frameMessage(phyPayload: Buffer, gatewayId = '0016c001f153a14c'): Inbound {
  const body = { phyPayload: phyPayload.toString('base64'), rxInfo: { gatewayId, rssi: -90 } };
  return inboundOf(`eu868/gateway/${gatewayId}/event/up`, body);
}

describe('Ingest of a payload', () => {
  it('writes it down with who vouches and tells what became of it', async () => {
    const [entry] = await received(inboundOf('up/meter-7', { temperature: 21.5 }));
    expect(entry).toMatchObject({ seq: 1, outcome: 'accepted', credential: 'network' });
    expect(entry?.item).toMatchObject({ deviceId: 'meter-7', vouchedBy: 'credential' });
    expect(entry?.body).toEqual(Buffer.from('{"temperature":21.5}'));
    expect(seen).toEqual([
      { source: 'modem-json', receipt: { outcome: 'accepted', seq: 1 }, problem: undefined },
    ]);
    expect(acknowledged).toBe(1);
  });

  it.each([
    ['network-server', ttsTopic, 'tts-v3-mqtt-up', 'network-server'],
    ['credential', ttsTopic, 'tts-v3-mqtt-up', 'credential'],
    ['tls-client', ttsTopic, 'tts-v3-mqtt-up', 'tls-client'],
  ] as const)('of a %s account is vouched for as such', async (vouches, topic, name, expected) => {
    const [entry] = await received(from(inboundOf(topic, fixture(name)), { vouches }));
    expect(entry?.item).toMatchObject({ kind: 'payload', vouchedBy: expected });
  });

  it('is not vouched for by a network server when its format is none of a network server', async () => {
    const inbound = inboundOf('up/meter-7', { temperature: 1 });
    const [entry] = await received(from(inbound, { vouches: 'network-server' }));
    expect(entry?.item).toMatchObject({ vouchedBy: 'credential' });
  });

  it('is quarantined when a device account speaks for another device', async () => {
    const [entry] = await received(inboundOf('up/meter-7', { temperature: 1 }, 'meter-8'));
    expect(entry).toMatchObject({
      outcome: 'quarantined',
      item: { fault: { code: 'TOPIC_FORBIDDEN' }, deviceId: 'meter-7' },
    });
    expect(seen[0]?.problem?.code).toBe('TOPIC_FORBIDDEN');
  });

  it('is accepted when a device account speaks for itself', async () => {
    const [entry] = await received(inboundOf('up/meter-7', { temperature: 1 }, 'meter-7'));
    expect(entry?.outcome).toBe('accepted');
  });

  it('is kept out of telemetry when the network server made it up', async () => {
    const message = { ...JSON.parse(fixtureText('lns/tts-v3-mqtt-up.json')), simulated: true };
    const [entry] = await received(inboundOf(ttsTopic, message));
    expect(entry).toMatchObject({
      outcome: 'quarantined',
      item: { fault: { code: 'PAYLOAD_SIMULATED' } },
    });
  });

  it('of several devices gives one item each, and the forbidden ones do not stop the others', async () => {
    const body = { 'meter-7': [{ temperature: 1 }], 'meter-8': [{ temperature: 2 }] };
    const entries = await received(inboundOf('v1/gateway/telemetry', body, 'meter-8'));
    expect(entries.map(({ outcome }) => outcome)).toEqual(['quarantined', 'accepted']);
    expect(entries[1]?.body).toEqual({ seq: 1 });
  });
});

describe('Ingest of an event', () => {
  it('writes it down with who vouches', async () => {
    const inbound = inboundOf(statusTopic, fixture('chirpstack-v4-status'));
    const [entry] = await received(from(inbound, { vouches: 'network-server' }));
    expect(entry).toMatchObject({
      outcome: 'event',
      item: { type: 'status', deviceId: '0101010101010101', vouchedBy: 'network-server' },
    });
  });

  it('is quarantined when a device account tells it of another device', async () => {
    const [entry] = await received(
      inboundOf(statusTopic, fixture('chirpstack-v4-status'), 'meter-7'),
    );
    expect(entry).toMatchObject({
      outcome: 'quarantined',
      item: { fault: { code: 'TOPIC_FORBIDDEN' }, deviceId: '0101010101010101' },
    });
  });
});

describe('Ingest of a frame', () => {
  it('proves it and keeps the opened payload', async () => {
    const payload = Buffer.from('0100e2', 'hex');
    const frame = uplinkFrame(session, { fCnt: 1, fPort: 5, payload });
    const [entry] = await received(frameMessage(frame));
    expect(entry).toMatchObject({ outcome: 'accepted' });
    expect(entry?.item).toMatchObject({
      ...{ deviceId: session.deviceId, vouchedBy: 'mic', fCnt: 1, fPort: 5 },
      frmPayload: payload,
      phyPayload: frame,
    });
  });

  it('merges a copy, and lists a replay as a fault', async () => {
    const first = uplinkFrame(session, { fCnt: 1, fPort: 5, payload: Buffer.from([1]) });
    const second = uplinkFrame(session, { fCnt: 2, fPort: 5, payload: Buffer.from([2]) });
    await ingest.receive(frameMessage(first));
    await ingest.receive(frameMessage(first, '0016c001f153a14d'));
    await ingest.receive(frameMessage(second));
    const later = frameMessage(first, '0016c001f153a14e');
    await ingest.receive({ ...later, receivedAt: later.receivedAt + 3_600_000 });
    expect(seen.map(({ receipt }) => receipt.outcome)).toEqual([
      ...['accepted', 'copy', 'accepted', 'replayed'],
    ]);
    expect(reader.get(4)?.item).toMatchObject({ fault: { code: 'FRAME_REPLAYED' } });
  });

  it('is quarantined when one bit of it is flipped', async () => {
    const frame = uplinkFrame(session, { fCnt: 1, fPort: 5, payload: Buffer.from([1, 2]) });
    frame[9] = (frame[9] ?? 0) ^ 1;
    const [entry] = await received(frameMessage(frame));
    expect(entry).toMatchObject({
      outcome: 'quarantined',
      item: { fault: { code: 'MIC_MISMATCH' }, adapter: 'chirpstack-gateway-bridge-json' },
    });
  });

  it('is quarantined when nobody has registered its DevAddr', async () => {
    const stranger = { ...session, devAddr: '26011bdb' };
    const [entry] = await received(frameMessage(uplinkFrame(stranger, { fCnt: 1 })));
    expect(entry?.item).toMatchObject({ fault: { code: 'DEVICE_UNKNOWN' } });
  });
});

describe('Ingest of what nobody can read', () => {
  it('is quarantined with its bytes when the topic is unknown', async () => {
    const [entry] = await received(inboundOf(`x/${'y'.repeat(500)}`, Buffer.from([0, 255])));
    expect(entry).toMatchObject({
      outcome: 'quarantined',
      item: { fault: { code: 'INBOUND_UNRECOGNISED' } },
      body: Buffer.from([0, 255]),
    });
    expect(seen[0]?.source).toBe('unrouted');
    expect(seen[0]?.problem?.detail.length).toBeLessThan(300);
  });

  it('is quarantined with the device of the account when the body is broken', async () => {
    const [entry] = await received(inboundOf('up/meter-7', Buffer.from('{'), 'meter-7'));
    expect(entry).toMatchObject({
      item: { fault: { code: 'INBOUND_MALFORMED' }, deviceId: 'meter-7', adapter: 'modem-json' },
    });
  });

  it('is quarantined as unrecognised when it is of another form than its topic promises', async () => {
    const message = inboundOf('up/meter-7', Buffer.from('temperature=21'), 'meter-7');
    const [entry] = await received(message);
    expect(entry).toMatchObject({
      outcome: 'quarantined',
      item: { fault: { code: 'INBOUND_UNRECOGNISED' }, deviceId: 'meter-7', adapter: 'modem-json' },
      body: message.body,
    });
  });

  it('is written down when a transport refused it at the door', async () => {
    await ingest.refuse(inboundOf('$SYS/x', Buffer.from('hi')), 'TOPIC_FORBIDDEN', 'not here');
    expect(reader.get(1)).toMatchObject({
      outcome: 'quarantined',
      item: { fault: { code: 'TOPIC_FORBIDDEN', detail: 'not here' } },
    });
  });
});

describe('Ingest without a disk', () => {
  it('passes LedgerUnavailable on, so that nothing is acknowledged', async () => {
    await ledger.close();
    const message = inboundOf('up/meter-7', { temperature: 1 });
    await expect(ingest.receive(message)).rejects.toBeInstanceOf(LedgerUnavailable);
    const refusal = ingest.refuse(message, 'INBOUND_TOO_LARGE', 'too large');
    await expect(refusal).rejects.toBeInstanceOf(LedgerUnavailable);
    expect(unavailable).toHaveLength(2);
    expect(seen).toEqual([]);
    expect(acknowledged).toBe(0);
  });
});
