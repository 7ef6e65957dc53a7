import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { configSchema } from '../../config/schema.ts';
import { counterResets } from '../../gateway/holdings/counter-resets.ts';
import { openLedger } from '../../gateway/ledger/lmdb-ledger.ts';
import { parseDeviceInput } from '../../gateway/lorawan/device-input.ts';
import { verifyDefaults, verifyUplink } from '../../gateway/lorawan/verify.ts';
import type { Device, Session } from '../../gateway/model/device.ts';
import { inbound, startTime } from '../ledger/deliveries.ts';
import { uplinkFrame } from '../lorawan/simulated-frame.ts';

const key = (byte: number) => Buffer.alloc(16, byte);
const deviceId = '70b3d57ed00000c1';
const devAddr = '26011bdc';
const keys = { appSKey: key(2), fNwkSIntKey: key(1), sNwkSIntKey: key(1), nwkSEncKey: key(1) };
const session: Session = { deviceId, devAddr, macVersion: '1.0', keys };
const abp = { id: deviceId, kind: 'lorawan', activation: 'abp' } as const;
const defaults = configSchema.parse({ version: 1 }).ingest.counterReset;

const frameOf = (fCnt: number, life: number) =>
  uplinkFrame(session, { fCnt, fPort: 1, payload: Buffer.from([life, fCnt & 0xff]) });

/** A gateway's way from a raw frame to the ledger, that can be left and opened again. */
async function openWay(device: Device) {
  const directory = await mkdtemp(join(tmpdir(), 'fieldgate-resets-'));
  const time = { now: startTime };
  const resetRuleOf = counterResets({ get: () => device }, defaults);
  const open = () => openLedger({ directory, clock: { now: () => time.now }, resetRuleOf });
  let ledger = await open();
  return {
    time,
    counter: () => ledger.lastFrameCounter(deviceId, devAddr),
    async reopen() {
      await ledger.close();
      ledger = await open();
    },
    /** Half an hour after the one before. */
    async send(phyPayload: Buffer) {
      time.now += 1_800_000;
      const verified = verifyUplink(
        { kind: 'frame', adapter: 'semtech-udp', phyPayload, rxInfo: [{ gatewayId: 'g1' }] },
        () => [session],
        (id, name) => ledger.lastFrameCounter(id, name),
        {
          ...{ ...verifyDefaults, counters: { gapMax: 16_384, firstEpochsMax: 16 } },
          highestFrameCounter: (id, name) => ledger.highestFrameCounter(id, name),
        },
      );
      if (verified.kind === 'fault') return verified.code;
      const body = `${phyPayload.toString('hex')} at ${time.now}`;
      const [receipt] = await ledger.accept({
        inbound: inbound({ body, receivedAt: time.now }),
        items: [verified],
      });
      return receipt?.isReset === true ? 'reset' : receipt?.outcome;
    },
    async close() {
      await ledger.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

describe('A device with the same keys for ever', () => {
  it('is followed where its registration allows it, and by default is not', async () => {
    for (const counterReset of ['after-silence', 'never'] as const) {
      const way = await openWay({ ...abp, counterReset });
      expect(await way.send(frameOf(0, 1))).toBe('accepted');
      expect(await way.send(frameOf(9_000, 1))).toBe('accepted');
      await way.reopen();
      const isFollowed = counterReset === 'after-silence';
      expect(await way.send(frameOf(0, 2))).toBe(isFollowed ? 'reset' : 'replayed');
      expect(way.counter()).toBe(isFollowed ? 0 : 9_000);
      await way.close();
    }
  });

  it('goes on where it was when an old frame that nobody had heard set its counter back', async () => {
    const way = await openWay({ ...abp, counterReset: 'after-silence' });
    for (const fCnt of [0, 16_000, 32_000, 40_000]) {
      expect(await way.send(frameOf(fCnt, 1))).toBe('accepted');
    }
    expect(await way.send(frameOf(3, 1))).toBe('reset');
    expect(await way.send(frameOf(60_000, 1))).toBe('MIC_MISMATCH');
    expect(await way.send(frameOf(40_001, 1))).toBe('accepted');
    expect(await way.send(frameOf(70_000, 1))).toBe('MIC_MISMATCH');
    expect(await way.send(frameOf(3, 1))).toBe('replayed');
    expect(way.counter()).toBe(40_001);
    await way.close();
  });

  /**
   * The device sends, restarts now and then; somebody sends what was recorded at any time; the
   * gateway restarts at any time. No bytes are taken twice, and no new frame of the device is lost
   * that is not equal to an old one.
   */
  it('has each frame taken once, whatever is sent again, and whenever', async () => {
    const act = fc.oneof(
      {
        weight: 6,
        arbitrary: fc.record({ kind: fc.constant('send'), step: fc.integer({ min: 1, max: 300 }) }),
      },
      { weight: 2, arbitrary: fc.record({ kind: fc.constant('restart'), step: fc.nat(16) }) },
      { weight: 5, arbitrary: fc.record({ kind: fc.constant('replay'), step: fc.nat(1_000) }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('reopen'), step: fc.constant(0) }) },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(act, { minLength: 10, maxLength: 40 }), async (acts) => {
        const way = await openWay({ ...abp, counterReset: 'after-silence' });
        const recorded = [frameOf(0, 0)];
        expect(await way.send(frameOf(0, 0))).toBe('accepted');
        let life = 0;
        let fCnt = 0;
        try {
          for (const { kind, step } of acts) {
            if (kind === 'reopen') await way.reopen();
            if (kind === 'replay') {
              const old = recorded[step % recorded.length];
              if (old !== undefined) expect(await way.send(old)).toBe('replayed');
            }
            if (kind !== 'send' && kind !== 'restart') continue;
            if (kind === 'restart') life += 1;
            const isBack = kind === 'restart' && step <= fCnt;
            fCnt = kind === 'restart' ? step : fCnt + step;
            const phyPayload = frameOf(fCnt, life);
            expect(await way.send(phyPayload)).toBe(isBack ? 'reset' : 'accepted');
            expect(way.counter()).toBe(fCnt);
            recorded.push(phyPayload);
          }
        } finally {
          await way.close();
        }
      }),
      { numRuns: 8 },
    );
  }, 60_000);
});

describe('The rule for counters that go back', () => {
  const ruleOf = (device: Partial<Device>, policy: 'never' | 'always' = 'never') =>
    counterResets({ get: () => ({ ...abp, ...device }) }, { ...defaults, policy })(deviceId);

  it('is that of the device, else that of the configuration, which has none by default', () => {
    expect(ruleOf({})).toBeUndefined();
    expect(ruleOf({}, 'always')).toMatchObject({ mode: 'always', fCntMax: 16 });
    expect(ruleOf({ counterReset: 'never' }, 'always')).toBeUndefined();
    expect(ruleOf({ counterReset: 'after-silence' }, 'always')).toEqual({
      ...{ mode: 'after-silence', fCntMax: 16, silenceMs: 60_000, framesMax: 200_000 },
    });
  });

  it('is for devices activated by personalisation alone, and for those that are known', () => {
    expect(ruleOf({ activation: 'otaa' }, 'always')).toBeUndefined();
    const unknown = counterResets({ get: () => undefined }, { ...defaults, policy: 'always' });
    expect(unknown(deviceId)).toBeUndefined();
  });

  it('is refused at the registration of others', () => {
    const { activation: _abp, ...other } = abp;
    expect(parseDeviceInput({ ...abp, counterReset: 'always' })).toMatchObject({
      device: { counterReset: 'always' },
    });
    for (const device of [other, { ...abp, activation: 'otaa' }, { id: 'm1', kind: 'cellular' }]) {
      const { problems } = {
        problems: [],
        ...parseDeviceInput({ ...device, counterReset: 'never' }),
      };
      expect(problems).toMatchObject([
        { path: 'counterReset', remedy: expect.stringContaining('abp') },
      ]);
    }
    expect(parseDeviceInput({ ...abp, counterReset: 'sometimes' })).toHaveProperty('problems');
  });
});
