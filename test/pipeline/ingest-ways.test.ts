import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { findAdapter } from '../../gateway/adapters/registry.ts';
import type { LedgerEntry } from '../../gateway/ledger/ledger.ts';
import { type LmdbLedger, openLedger } from '../../gateway/ledger/lmdb-ledger.ts';
import { openLedgerReader } from '../../gateway/ledger/lmdb-reader.ts';
import { verifyUplink } from '../../gateway/lorawan/verify.ts';
import type { Session } from '../../gateway/model/device.ts';
import { createIngest, type Ingest } from '../../gateway/pipeline/ingest.ts';
import { inboundOf } from '../adapters/inbound.ts';
import { uplinkFrame } from '../lorawan/simulated-frame.ts';

const key = Buffer.alloc(16, 7);
const session: Session = {
  ...{ deviceId: '70b3d57ed0000001', devAddr: '26011bda', macVersion: '1.0' },
  keys: { appSKey: key, fNwkSIntKey: key, sNwkSIntKey: key, nwkSEncKey: key },
};
const payload = Buffer.from('0367cafe', 'hex');
const fCnt = 65_536;
const heardAt = '2024-05-01T00:00:00.250Z';
const data = payload.toString('base64');

/** The same uplink as each sender tells it; the route begins with the adapter's name. */
const messages = {
  'chirpstack-gateway-bridge-json': {
    phyPayload: uplinkFrame(session, { fCnt, fPort: 2, payload }).toString('base64'),
    rxInfo: { gatewayId: '0016c001f153a14c', rssi: -90 },
  },
  'chirpstack-v4-json': {
    deduplicationId: '3ac7e3c4-4401-4b8d-9386-a5c902f9202d',
    ...{ time: heardAt, deviceInfo: { devEui: session.deviceId }, devAddr: session.devAddr },
    ...{ fCnt, fPort: 2, data, rxInfo: [{ gatewayId: '0016c001f153a14c', rssi: -90 }] },
  },
  'the-things-stack-v3-json': {
    end_device_ids: { device_id: 'well-3', dev_eui: '70B3D57ED0000001' },
    received_at: '2024-05-01T00:00:01.1Z',
    uplink_message: { f_port: 2, f_cnt: fCnt, frm_payload: data, received_at: heardAt },
  },
  loriot: {
    ...{ cmd: 'gw', seqno: 9, EUI: '70B3D57ED0000001', ts: Date.parse(heardAt), fcnt: fCnt },
    ...{ port: 2, data: payload.toString('hex'), gws: [{ gweui: '0016C001F153A14D', rssi: -99 }] },
  },
} as const;
const names = Object.entries(messages);

let directory: string;
let ledger: LmdbLedger;
let ingest: Ingest;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'fieldgate-ways-'));
  ledger = await openLedger({ directory });
  ingest = createIngest({
    adapterFor: ({ route }) => findAdapter(route.split('/')[0] ?? ''),
    verify: (frame) => verifyUplink(frame, () => [session], lastFrameCounter),
    ledger,
    observe: { item() {}, written() {}, acknowledged() {}, unavailable() {} },
  });
});

/** The counter has run over its 16 bits: only who keeps it knows the other half. */
function lastFrameCounter(deviceId: string, devAddr: string): number {
  return ledger.lastFrameCounter(deviceId, devAddr) ?? fCnt - 1;
}

afterEach(async () => {
  await ledger.close();
  await rm(directory, { recursive: true, force: true });
});

async function received(list: readonly (readonly [string, unknown])[]): Promise<LedgerEntry[]> {
  for (const [name, message] of list) {
    await ingest.receive({ ...inboundOf(`${name}/up`, message), receivedAt: Date.parse(heardAt) });
  }
  const reader = openLedgerReader({ directory });
  const entries = reader.read(0, 100);
  await reader.close();
  return entries;
}

describe('One uplink in the words of four senders', () => {
  it.each(names.map((_, turn) => [turn]))(
    'is accepted once when they come from number %d on',
    async (turn) => {
      const entries = await received([...names.slice(turn), ...names.slice(0, turn), ...names]);
      expect(entries.map(({ outcome }) => outcome)).toEqual(['accepted', 'copy', 'copy', 'copy']);
      expect(ledger.lastFrameCounter(session.deviceId, session.devAddr)).toBe(fCnt);
    },
  );
});
