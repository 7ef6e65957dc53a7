import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { by } from '../ledger/ways.ts';
import { type RunningDashboard, startDashboard } from './running-dashboard.ts';

let dashboard: RunningDashboard;

beforeAll(async () => {
  dashboard = await startDashboard();
  for (const way of ['loriot-rx', 'chirpstack', 'things-stack', 'raw-a'] as const) {
    await dashboard.accept(by(way));
  }
});

afterAll(() => dashboard.stop());

async function asked(path: string) {
  return JSON.parse(await (await dashboard.ask(path)).text());
}

describe('An uplink that several networks told of', () => {
  it('shows all who heard it, each once, though its first message named nobody', async () => {
    const uplink = await asked('/api/v1/uplinks/1');
    expect(uplink.rxInfo).toEqual([
      ...[{ gatewayId: 'chirpstack' }, { gatewayId: 'broker' }, { gatewayId: 'raw-a' }],
    ]);
    expect(uplink).toMatchObject({ outcome: 'accepted', vouchedBy: 'network-server' });
  });

  it('has a copy of each further way that says who vouches by it', async () => {
    const { items } = await asked('/api/v1/uplinks?after=1');
    expect(items).toMatchObject([
      { outcome: 'copy', copyOf: 1, credential: 'chirpstack', vouchedBy: 'network-server' },
      { outcome: 'copy', copyOf: 1, credential: 'things-stack', vouchedBy: 'network-server' },
      { outcome: 'copy', copyOf: 1, credential: 'raw-a', vouchedBy: 'mic' },
    ]);
  });

  it('counts at its sources', async () => {
    const { items } = await asked('/api/v1/sources');
    expect(items).toHaveLength(4);
    expect(items).toContainEqual(
      expect.objectContaining({ credential: 'loriot-rx', outcomes: { accepted: 1 } }),
    );
  });
});
