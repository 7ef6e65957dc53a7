/** The page's requests as the real HTTP side answers them: it refuses what it does not know. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Api, createApi } from '../../../dashboard/web/api.ts';
import { type RunningDashboard, startDashboard } from '../running-dashboard.ts';

describe('The page’s requests', () => {
  let dashboard: RunningDashboard;
  let api: Api;

  const apiOf = (token: string) =>
    createApi((path, init) => dashboard.ask(`/${path}`, { ...init, token }));

  beforeAll(async () => {
    dashboard = await startDashboard();
    api = apiOf(dashboard.tokens.viewer);
  });

  afterAll(() => dashboard.stop());

  it('are all understood', async () => {
    const answers = await Promise.all([
      api.devices(),
      api.quantities(),
      api.latest(),
      api.history({ device: 'meter-7', from: Date.now() - 1_000, to: Date.now() }),
      api.listening(),
    ]);
    expect(answers.filter((answer) => !answer.ok)).toEqual([]);
  });

  it('learn every quantity, and where the gateway listens', async () => {
    const quantities = await api.quantities();
    expect(quantities.ok && quantities.value.length).toBeGreaterThan(50);
    expect(await api.listening()).toEqual({
      ok: true,
      value: [{ name: 'mqtt', host: '127.0.0.1', port: dashboard.mqttPort }],
    });
  });

  it('tell administrators from those who may not make accounts', async () => {
    expect(await api.mayMakeAccounts()).toBe(false);
    expect(await apiOf(dashboard.tokens.admin).mayMakeAccounts()).toBe(true);
  });
});
