import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Outcome } from '../../gateway/ledger/ledger.ts';
import { type LmdbLedger, openLedger } from '../../gateway/ledger/lmdb-ledger.ts';
import { verifyDefaults, verifyUplink } from '../../gateway/lorawan/verify.ts';
import type { Session } from '../../gateway/model/device.ts';
import { inbound, startTime } from '../ledger/deliveries.ts';
import { uplinkFrame } from './simulated-frame.ts';

const key = (byte: number) => Buffer.alloc(16, byte);
const sessionOf = (deviceId: string, devAddr: string, byte: number, id?: string): Session => ({
  ...{ deviceId, devAddr, macVersion: '1.0', ...(id === undefined ? {} : { id }) },
  keys: {
    appSKey: key(byte + 1),
    fNwkSIntKey: key(byte),
    sNwkSIntKey: key(byte),
    nwkSEncKey: key(byte),
  },
});

/** Two devices of one DevAddr, of which the first has joined anew and was given it again. */
const sessions = [
  sessionOf('70b3d57ed00000a1', '26011bda', 10),
  sessionOf('70b3d57ed00000a1', '26011bda', 20, '0000020002'),
  sessionOf('70b3d57ed00000a2', '26011bda', 30),
];

interface Reception {
  readonly time: number;
  readonly session: Session;
  readonly fCnt: number;
  readonly phyPayload: Buffer;
  readonly gatewayId: string;
}

const gateways = ['g1', 'g2', 'g3', 'g4', 'g5'];

/**
 * The steps between counters: mostly one, some lost frames, some a long silence. All of them
 * together stay below 65,536: no device sends so many frames while a copy is on its way, and the 16
 * bits on the air could not tell.
 */
const steps = fc.array(fc.constantFrom(1, 1, 1, 2, 7, 16_000), { minLength: 1, maxLength: 3 });
/** How long each gateway takes to hand on; 0 means at once, and one always does. */
const delays = fc.array(fc.integer({ min: 0, max: 5_000 }), { minLength: 200, maxLength: 200 });

function receptionsOf(first: number, stepLists: readonly number[][], waits: readonly number[]) {
  let wait = 0;
  return stepLists.flatMap((list, index) => {
    const session = sessions[index % sessions.length];
    if (session === undefined) return [];
    let fCnt = first;
    return list.flatMap((step, turn) => {
      fCnt += step;
      const payload = Buffer.from([index, turn]);
      const phyPayload = uplinkFrame(session, { fCnt, fPort: 1, payload });
      return gateways.flatMap((gatewayId, place): Reception[] => {
        wait += 1;
        const late = place === turn % gateways.length ? 0 : (waits[wait % waits.length] ?? 0);
        const time = startTime + turn * 1_000 + late;
        return [{ time, session, fCnt, phyPayload, gatewayId }];
      });
    });
  });
}

function deliver(ledger: LmdbLedger, { time, phyPayload, gatewayId }: Reception) {
  const uplink = { kind: 'frame', adapter: 'semtech-udp', phyPayload } as const;
  const verified = verifyUplink(
    { ...uplink, rxInfo: [{ gatewayId, rssi: -80, snr: 5 }] },
    () => sessions,
    (deviceId, name) => ledger.lastFrameCounter(deviceId, name),
    verifyDefaults,
  );
  if (verified.kind === 'fault') throw new Error(`${verified.code}: ${verified.detail}`);
  const body = `${gatewayId} ${phyPayload.toString('hex')}`;
  return ledger.accept({
    inbound: inbound({ body, credential: gatewayId, receivedAt: time }),
    items: [verified],
  });
}

describe('Copies by five gateways', () => {
  it('in any order, with the ledger opened anew between, store each content once', async () => {
    const plan = fc.record({
      first: fc.constantFrom(0, 10, 65_530, 131_068),
      stepLists: fc.array(steps, { minLength: 3, maxLength: 3 }),
      waits: delays,
      restarts: fc.array(fc.nat(60), { maxLength: 3 }),
      again: fc.array(fc.nat(60), { maxLength: 6 }),
    });
    await fc.assert(
      fc.asyncProperty(plan, async ({ first, stepLists, waits, restarts, again }) => {
        const directory = await mkdtemp(join(tmpdir(), 'fieldgate-copies-'));
        let now = startTime;
        const open = () => openLedger({ directory, clock: { now: () => now } });
        let ledger = await open();
        try {
          const receptions = receptionsOf(first, stepLists, waits).sort((a, b) => a.time - b.time);
          const found = new Map<string, Outcome[]>();
          for (const [place, reception] of receptions.entries()) {
            now = reception.time;
            if (restarts.includes(place)) {
              await ledger.close();
              ledger = await open();
            }
            const [receipt] = await deliver(ledger, reception);
            const name = reception.phyPayload.toString('hex');
            found.set(name, [...(found.get(name) ?? []), receipt?.outcome ?? 'quarantined']);
            if (!again.includes(place)) continue;
            const [resent] = await deliver(ledger, reception);
            expect(resent?.outcome).toBe('redelivery');
          }
          for (const outcomes of found.values()) {
            expect(outcomes).toEqual(['accepted', 'copy', 'copy', 'copy', 'copy']);
          }
          for (const [index, session] of sessions.entries()) {
            const name = session.id === undefined ? session.devAddr : `26011bda/${session.id}`;
            const list: readonly number[] = stepLists[index] ?? [];
            const highest = list.reduce((sum, step) => sum + step, first);
            expect(ledger.lastFrameCounter(session.deviceId, name)).toBe(highest);
          }
        } finally {
          await ledger.close();
          await rm(directory, { recursive: true, force: true });
        }
      }),
      { numRuns: 4 },
    );
  }, 60_000);
});
