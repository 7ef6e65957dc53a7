import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startTime } from '../ledger/deliveries.ts';
import { by } from '../ledger/ways.ts';
import { type RunningDashboard, startDashboard } from './running-dashboard.ts';

let dashboard: RunningDashboard;

const txInfo = { frequency: 868_100_000, bandwidth: 125_000, spreadingFactor: 7 };
const location = { latitude: 40.4093, longitude: 49.8671, altitude: 12 };

beforeAll(async () => {
  dashboard = await startDashboard();
  const heard = { gatewayId: '0016c001f153a14c', rssi: -57, snr: 10.2, location };
  const measured = { name: 'temp', value: 21.5, unit: 'Cel', time: startTime, channel: 'inside' };
  const item = {
    ...{ confirmed: true, txInfo, rxInfo: [heard] },
    measurements: [measured, { name: 'door', value: true }],
  };
  await dashboard.accept(by('chirpstack', { fCnt: 1 }, { item }));
  await dashboard.accept(by('chirpstack', { fCnt: 2 }));
});

afterAll(() => dashboard.stop());

async function uplink(seq: number) {
  return JSON.parse(await (await dashboard.ask(`/api/v1/uplinks/${seq}`)).text());
}

describe('An uplink over the API', () => {
  it('says on which frequency, how fast and confirmed or not it was sent, and who stands where', async () => {
    expect(await uplink(1)).toMatchObject({
      ...{ confirmed: true, txInfo },
      rxInfo: [{ gatewayId: '0016c001f153a14c', rssi: -57, snr: 10.2, location }],
    });
  });

  it('gives what was measured in the names and units of the sender', async () => {
    const { measurements } = await uplink(1);
    expect(measurements).toEqual([
      {
        ...{ name: 'temp', value: 21.5, unit: 'Cel', channel: 'inside' },
        time: new Date(startTime).toISOString(),
      },
      { name: 'door', value: true },
    ]);
  });

  it('leaves out what nobody told', async () => {
    const told = Object.keys(await uplink(2));
    for (const name of ['confirmed', 'txInfo', 'measurements']) expect(told).not.toContain(name);
  });
});
