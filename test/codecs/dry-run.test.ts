/** A new version over what was kept: what it says of each uplink, and that nothing is stored. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { DryRunJson } from '../../dashboard/protocol-dry-run.ts';
import { type RunningDashboard, startDashboard } from '../dashboard/running-dashboard.ts';
import { inbound } from '../ledger/deliveries.ts';
import { uplinkOf } from '../pipeline/entries.ts';

const now =
  'function decodeUplink(i) { if (i.bytes[0] > 8) throw new Error("large"); return { data: { temperature: i.bytes[0], humidity: 50 } } }';
const next =
  'function decodeUplink(i) { if (i.bytes[0] === 1) throw new Error("one"); var t = i.bytes[0]; return { data: { temperature: t > 5 ? t / 2 : t, humidity: 50 } } }';

describe('A dry run', () => {
  let dashboard: RunningDashboard;

  async function dryRun(query = '', script = next): Promise<{ status: number; body: DryRunJson }> {
    const response = await dashboard.ask(`/api/v1/codecs/acme:dryrun${query}`, {
      ...{ method: 'POST', token: dashboard.tokens.admin, body: script },
      headers: { 'Content-Type': 'text/javascript' },
    });
    return { status: response.status, body: JSON.parse(await response.text()) };
  }

  beforeAll(async () => {
    dashboard = await startDashboard();
    for (let at = 0; at < 12; at += 1) {
      const deviceId = ['a', 'b', 'c'][at % 3] ?? 'a';
      const item = uplinkOf({ deviceId, frmPayload: Buffer.from([at]), fPort: 1 });
      await dashboard.accept({ inbound: inbound({ body: `uplink ${at}` }), items: [item] });
    }
    const put = (path: string, body: object) =>
      dashboard.ask(`/api/v1/${path}`, {
        ...{ method: 'PUT', token: dashboard.tokens.admin, body: JSON.stringify(body) },
      });
    await put('codecs/acme', { script: now });
    const { current = '' } = dashboard.codecs.registry.get('acme') ?? {};
    await put('devices/a', { kind: 'cellular', codec: 'acme' });
    await put('devices/b', { kind: 'cellular', codec: 'acme' });
    await put('devices/c', { kind: 'cellular', codec: `acme@${current.slice(0, 12)}` });
  });
  afterAll(() => dashboard.stop());

  it('tells what is another in the uplinks of those that follow the codec', async () => {
    const { status, body } = await dryRun();
    expect(status).toBe(200);
    // Devices a and b have sent 0, 3, 6, 9 and 1, 4, 7, 10.
    expect(body).toMatchObject({
      ...{ devices: 2, uplinks: 8, same: 3, different: 5, faultsBefore: 2, faultsAfter: 1 },
      version: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    expect(body.differences.map(({ seq }) => seq)).toEqual([11, 10, 8, 7, 2]);
    const temperature = { quantity: 'air_temperature', unit: 'Cel' };
    const humidity = { quantity: 'relative_humidity', unit: '%' };
    expect(body.differences[0]).toMatchObject({
      ...{ seq: 11, device: 'b', faultBefore: 'large' },
      readings: [
        { ...temperature, after: 5 },
        { ...humidity, after: 50 },
      ],
    });
    expect(body.differences[2]?.readings).toEqual([{ ...temperature, before: 7, after: 3.5 }]);
    expect(body.differences[4]).toMatchObject({ seq: 2, faultAfter: 'one' });
    expect(dashboard.codecs.registry.get('acme')?.versions).toHaveLength(1);
  });

  it('looks at the last ones, and at one device if asked to', async () => {
    const { body } = await dryRun('?uplinks=2&device=a');
    expect(body).toMatchObject({ devices: 1, uplinks: 2 });
    expect(body.differences.map(({ seq }) => seq)).toEqual([10, 7]);
    expect((await dryRun('?uplinks=3')).body.uplinks).toBe(3);
  });

  it('finds nothing else in the same version', async () => {
    const { body } = await dryRun('', now);
    expect(body).toMatchObject({ same: 8, different: 0, faultsBefore: 2, faultsAfter: 2 });
  });

  it('refuses what is no codec', async () => {
    expect((await dryRun('', 'function (')).status).toBe(422);
    expect((await dryRun('?uplinks=2000')).status).toBe(400);
  });

  it('is for administrators, as is putting a codec', async () => {
    const asked = ['/codecs/acme:dryrun', '/derive'].map((path) =>
      dashboard.ask(`/api/v1${path}`, { method: 'POST', body: '{}' }),
    );
    const put = dashboard.ask('/api/v1/codecs/acme', { method: 'PUT', body: '{}' });
    const removed = dashboard.ask('/api/v1/codecs/acme', { method: 'DELETE' });
    for (const { status } of await Promise.all([...asked, put, removed])) expect(status).toBe(403);
  });
});
