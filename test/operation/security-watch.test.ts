import { describe, expect, it } from '@jest/globals';
import { configSchema } from '../../config/schema.ts';
import type { Delivery, Receipt } from '../../gateway/ledger/ledger.ts';
import { fault } from '../../gateway/model/fault.ts';
import {
  createSecurityWatch,
  type SecurityKind,
  type SecurityLimits,
} from '../../gateway/operation/security-watch.ts';
import { frame, inbound } from '../ledger/deliveries.ts';

const replayed: readonly Receipt[] = [{ outcome: 'replayed', seq: 1 }];
const quarantined: readonly Receipt[] = [{ outcome: 'quarantined', seq: 1 }];

const windowMs = 600_000;
const limits: SecurityLimits = {
  replayedFrames: { count: 3, windowMs },
  replayedJoins: { count: 2, windowMs: 60_000 },
  wrongMics: { count: 5, windowMs },
  counterResets: { count: 1, windowMs },
  subjectsMax: 100,
};

interface Plan {
  readonly failing?: boolean;
  readonly changed?: Partial<SecurityLimits>;
}

function openWatch({ failing = false, changed = {} }: Plan = {}) {
  const time = { now: 1_700_000_000_000 };
  const counted: SecurityKind[] = [];
  const alarms: Delivery[] = [];
  const logged: string[] = [];
  const note = (fields: object) => {
    if ('event' in fields) logged.push(String(fields.event));
  };
  const log = { warn: note };
  const watch = createSecurityWatch({
    metrics: { security: (kind) => counted.push(kind) },
    log,
    clock: { now: () => time.now },
    raise: async (alarm) => {
      alarms.push(alarm);
      if (failing) throw new Error('disk full');
    },
    limits: { ...limits, ...changed },
  });
  return { watch, time, counted, alarms, logged };
}

const mismatch: Delivery = {
  inbound: inbound({ credential: 'gateway-a', messageId: 7 }),
  items: [{ kind: 'quarantined', fault: fault('MIC_MISMATCH', 'x') }],
};
const join: Delivery = {
  inbound: inbound(),
  items: [{ kind: 'quarantined', fault: fault('FRAME_REPLAYED', 'x'), deviceId: 'a' }],
};

describe('The security watch', () => {
  it('counts replays, joins that come again and forgeries, and nothing else', () => {
    const { watch, counted } = openWatch();
    watch.note(frame(1), replayed);
    watch.note(join, quarantined);
    watch.note(mismatch, quarantined);
    watch.note(frame(1), [{ outcome: 'accepted', seq: 1 }]);
    watch.note(mismatch, [{ outcome: 'redelivery' }]);
    const other = { kind: 'quarantined', fault: fault('INBOUND_UNRECOGNISED', 'x') } as const;
    watch.note({ inbound: inbound(), items: [other] }, quarantined);
    expect(counted).toEqual(['replayed-frame', 'replayed-join', 'mic-mismatch']);
  });

  it('raises one alarm a device and window, written as an event of that device', () => {
    const { watch, counted, alarms, logged, time } = openWatch();
    for (let count = 0; count < 9; count += 1) watch.note(frame(1), replayed);
    expect(alarms).toHaveLength(1);
    expect(alarms[0]?.items).toEqual([
      {
        ...{ kind: 'event', adapter: 'security', type: 'alarm-replayed-frame' },
        ...{ deviceId: '70b3d57ed0000001', time: time.now },
      },
    ]);
    expect(JSON.parse(String(alarms[0]?.inbound.body))).toMatchObject({ count: 3 });
    expect(counted.filter((kind) => kind === 'alarm')).toHaveLength(1);
    expect(logged).toEqual(['security-alarm']);
    time.now += windowMs;
    for (let count = 0; count < 3; count += 1) watch.note(frame(1), replayed);
    expect(alarms).toHaveLength(2);
  });

  it('tells devices apart, and forgeries by the account that hands them on', () => {
    const { watch, alarms } = openWatch();
    for (const deviceId of ['70b3d57ed0000001', '70b3d57ed0000002']) {
      for (let count = 0; count < 2; count += 1) watch.note(frame(1, { deviceId }), replayed);
    }
    expect(alarms).toEqual([]);
    for (let count = 0; count < 5; count += 1) watch.note(mismatch, quarantined);
    expect(alarms[0]?.items[0]).not.toHaveProperty('deviceId');
    expect(alarms[0]?.inbound).not.toHaveProperty('messageId');
    expect(JSON.parse(String(alarms[0]?.inbound.body))).toMatchObject({ subject: 'gateway-a' });
  });

  it('counts each kind to its own threshold, within its own window', () => {
    const { watch, alarms, time } = openWatch();
    watch.note(join, quarantined);
    time.now += 60_000;
    watch.note(join, quarantined);
    expect(alarms).toEqual([]);
    watch.note(join, quarantined);
    expect(alarms[0]?.items[0]).toMatchObject({ type: 'alarm-replayed-join' });
  });

  it('tells of a counter that was reset, at the first one', () => {
    const { watch, alarms } = openWatch();
    watch.note(frame(0), [{ outcome: 'accepted', seq: 1, isReset: true }]);
    expect(alarms[0]?.items[0]).toMatchObject({
      ...{ type: 'alarm-counter-reset', deviceId: '70b3d57ed0000001' },
    });
  });

  it('raises none where the threshold is 0', () => {
    const { watch, counted, alarms } = openWatch({
      changed: { replayedFrames: { count: 0, windowMs } },
    });
    for (let count = 0; count < 9; count += 1) watch.note(frame(1), replayed);
    expect(alarms).toEqual([]);
    expect(counted).toHaveLength(9);
  });

  it('is set by the configuration, which keeps the thresholds of before by default', () => {
    const config = configSchema.parse({
      version: 1,
      security: { replayedFrames: { count: 2 } },
    });
    const { watch, alarms } = openWatch({ changed: config.security });
    for (let count = 0; count < 2; count += 1) watch.note(frame(1), replayed);
    for (let count = 0; count < 199; count += 1) watch.note(mismatch, quarantined);
    expect(alarms).toHaveLength(1);
    watch.note(mismatch, quarantined);
    expect(alarms).toHaveLength(2);
    expect(() =>
      configSchema.parse({ version: 1, security: { wrongMics: { count: -1 } } }),
    ).toThrow('count');
  });

  it('forgets the oldest subject when there are too many', () => {
    const { watch, alarms } = openWatch({ changed: { subjectsMax: 2 } });
    for (const index of [1, 2, 3, 1, 2, 3, 1, 2, 3]) {
      watch.note(frame(1, { deviceId: `70b3d57ed000000${index}` }), replayed);
    }
    expect(alarms).toEqual([]);
  });

  it('says so when the alarm cannot be written', async () => {
    const { watch, logged } = openWatch({ failing: true });
    for (let count = 0; count < 3; count += 1) watch.note(frame(1), replayed);
    await new Promise((resolve) => setImmediate(resolve));
    expect(logged).toEqual(['security-alarm', 'security-alarm-unwritten']);
  });
});
