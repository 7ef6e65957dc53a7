import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { LedgerEntry } from '../../gateway/ledger/ledger.ts';
import { openLedger } from '../../gateway/ledger/lmdb-ledger.ts';
import { openLedgerReader } from '../../gateway/ledger/lmdb-reader.ts';
import type { Session } from '../../gateway/model/device.ts';
import { compileRooms } from '../ledger/compiled-ledger.ts';
import { startTime } from '../ledger/deliveries.ts';
import { uplinkFrame } from './simulated-frame.ts';

const script = fileURLToPath(new URL('./accept-frames.mjs', import.meta.url));
const key = (byte: number) => Buffer.alloc(16, byte);

function sessionOf(deviceId: string, byte: number, id?: string): Session {
  const nwkSKey = key(byte);
  const keys = {
    ...{ appSKey: key(byte + 1), fNwkSIntKey: nwkSKey },
    ...{ sNwkSIntKey: nwkSKey, nwkSEncKey: nwkSKey },
  };
  const named = id === undefined ? {} : { id };
  return { ...{ deviceId, devAddr: '26011bda', macVersion: '1.0', keys }, ...named };
}

/** Two devices of one address, of which the first has joined anew and was given it again. */
const sessions = [
  sessionOf('70b3d57ed00000a1', 10),
  sessionOf('70b3d57ed00000a1', 20, '0000020002'),
  sessionOf('70b3d57ed00000a2', 30),
];
const gateways = ['g1', 'g2', 'g3', 'g4', 'g5'];

interface Reception {
  readonly time: number;
  readonly gatewayId: string;
  readonly hex: string;
}

/** A frame as all gateways heard it, the later ones up to four seconds late. */
function receptionsOf(session: Session, fCnt: number, time: number, life: number): Reception[] {
  const payload = Buffer.from([life, fCnt & 0xff]);
  const hex = uplinkFrame(session, { fCnt, fPort: 1, payload }).toString('hex');
  return gateways.map((gatewayId, place) => ({
    ...{ gatewayId, hex, time: time + ((place + fCnt) % gateways.length) * 1_000 },
  }));
}

let target: string;
let compiled: string;
let directory: string;

beforeAll(async () => {
  target = await mkdtemp(join(tmpdir(), 'fieldgate-compiled-'));
  directory = await mkdtemp(join(tmpdir(), 'fieldgate-killed-'));
  compiled = await compileRooms(target, ['model', 'ledger', 'lorawan']);
});

afterAll(async () => {
  await rm(target, { recursive: true, force: true });
  await rm(directory, { recursive: true, force: true });
});

const hexKeys = (session: Session) => ({
  ...session,
  keys: Object.fromEntries(
    Object.entries(session.keys).map(([name, bytes]) => [name, bytes.toString('hex')]),
  ),
});

/** A process that takes receptions until it is killed. */
async function openChild(time: number) {
  const words = JSON.stringify(sessions.map(hexKeys));
  const child = spawn(process.execPath, [script, compiled, directory, String(time), words]);
  child.stderr.pipe(process.stderr);
  child.stdin.on('error', () => {});
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  expect((await lines.next()).value).toBe('open');
  return {
    say: (reception: Reception) => child.stdin.write(`${JSON.stringify(reception)}\n`),
    async send(reception: Reception): Promise<string> {
      child.stdin.write(`${JSON.stringify(reception)}\n`);
      return String((await lines.next()).value);
    },
    async kill(): Promise<void> {
      const closed = once(child, 'close');
      child.kill('SIGKILL');
      await closed;
    },
  };
}

/** The same numbers on every run. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48_271) % 0x7fffffff;
    return state;
  };
}

async function readAll(): Promise<LedgerEntry[]> {
  const reader = openLedgerReader({ directory });
  const entries = reader.read(0, 10_000);
  await reader.close();
  return entries;
}

const gatewayOf = ({ item }: LedgerEntry) =>
  item.kind === 'payload' ? item.rxInfo[0]?.gatewayId : undefined;
const frameOf = ({ item }: LedgerEntry) =>
  item.kind === 'payload' ? item.phyPayload?.toString('hex') : undefined;

/** All frames: over the rollover, and of the first device also after it has counted anew. */
function allReceptions(): Reception[] {
  const hour = 3_600_000;
  const lives = sessions.flatMap((session, index) =>
    [0, 65_534, 65_535, 65_536, 65_540].map((fCnt, turn) =>
      receptionsOf(session, fCnt, startTime + turn * 6_000 + index * 700, 1),
    ),
  );
  const anew = sessions
    .slice(0, 1)
    .flatMap((session) =>
      [0, 1, 2].map((fCnt) => receptionsOf(session, fCnt, startTime + hour + fCnt * 6_000, 2)),
    );
  return [...lives, ...anew].flat().sort((a, b) => a.time - b.time);
}

describe('Copies by five gateways, with the process killed between them', () => {
  it('are stored once each, whether they were acknowledged or not, and counters are right', async () => {
    const next = random(20_240_501);
    const receptions = allReceptions();
    const told = new Map<string, string[]>();
    let child = await openChild(startTime);
    for (const reception of receptions) {
      const dice = next() % 12;
      if (dice === 0) {
        await child.kill();
        child = await openChild(reception.time);
      }
      if (dice === 1) {
        // On its way to the disk, or not yet: nobody knows, so its gateway sends it again.
        child.say(reception);
        await new Promise((resolve) => setTimeout(resolve, next() % 4));
        await child.kill();
        child = await openChild(reception.time);
      }
      const outcome = await child.send(reception);
      told.set(reception.hex, [...(told.get(reception.hex) ?? []), outcome]);
    }
    for (const { hex, gatewayId, time } of receptions.slice(0, 20)) {
      const later = { hex, gatewayId, time: startTime + 7_200_000 + (time - startTime) };
      expect(await child.send(later)).toBe('replayed');
    }
    await child.kill();

    const entries = (await readAll()).filter(({ item }) => item.kind === 'payload');
    expect(new Set(entries.map(frameOf)).size).toBe(told.size);
    for (const [hex, outcomes] of told) {
      const own = entries.filter((entry) => frameOf(entry) === hex);
      expect(own.map(({ outcome }) => outcome)).toEqual([
        ...['accepted', 'copy', 'copy', 'copy', 'copy'],
      ]);
      expect(own.map(gatewayOf).sort()).toEqual(gateways);
      expect(outcomes).not.toContain('replayed');
    }
    const resets = entries.filter(
      ({ item }) => item.kind === 'payload' && item.counterBefore !== undefined,
    );
    expect(resets.map(({ item }) => item)).toMatchObject([{ fCnt: 0, counterBefore: 65_540 }]);
    const ledger = await openLedger({ directory });
    expect(ledger.lastFrameCounter('70b3d57ed00000a1', '26011bda')).toBe(2);
    expect(ledger.lastFrameCounter('70b3d57ed00000a1', '26011bda/0000020002')).toBe(65_540);
    expect(ledger.lastFrameCounter('70b3d57ed00000a2', '26011bda')).toBe(65_540);
    await ledger.close();
  }, 60_000);
});
