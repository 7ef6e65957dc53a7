import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { connectAsync, type MqttClient } from 'mqtt';
import { openRaw } from '../transports/mqtt/wire.ts';
import { type RunningDashboard, startDashboard } from './running-dashboard.ts';

let dashboard: RunningDashboard;
let client: MqttClient;

beforeAll(async () => {
  dashboard = await startDashboard();
});
afterAll(() => dashboard.stop());
beforeEach(async () => {
  client = await connect('pump/7 a');
});
afterEach(() => client.endAsync(true));

function connect(clientId: string): Promise<MqttClient> {
  const at = { host: '127.0.0.1', port: dashboard.mqttPort, reconnectPeriod: 0 };
  return connectAsync({ ...at, clientId, connectTimeout: 2_000 });
}

async function ask(path: string, init: RequestInit = {}): Promise<{ status: number; body: Json }> {
  const token = dashboard.tokens.admin;
  const response = await dashboard.ask(`/api/v1${path}`, { token, ...init });
  const text = await response.text();
  return { status: response.status, body: text === '' ? {} : JSON.parse(text) };
}

interface Json {
  readonly items?: readonly Readonly<Record<string, unknown>>[];
  readonly nextCursor?: string;
  readonly id?: string;
  readonly detail?: string;
}

const ban = (body: object) => ask('/bans', { method: 'POST', body: JSON.stringify(body) });
const closed = () => new Promise<void>((resolve) => client.once('close', () => resolve()));

describe('GET /clients', () => {
  it('tells who is connected, since when, from where, and what it does', async () => {
    await client.subscribeAsync({ 'down/#': { qos: 1 }, 'a/+': { qos: 0 } });
    for (const payload of ['12345', '67890'])
      await client.publishAsync('up/x', payload, { qos: 1 });
    const { body } = await ask('/clients');
    expect(body.items).toEqual([
      {
        clientId: 'pump/7 a',
        username: 'anonymous',
        address: '127.0.0.1',
        listener: 'mqtt',
        since: expect.stringMatching(/^\d{4}-.*Z$/),
        vouches: 'credential',
        cleanSession: true,
        messages: 2,
        bytes: 10,
        messagesPerSecond: expect.any(Number),
        bytesPerSecond: expect.any(Number),
        inFlight: 0,
        waiting: 0,
        subscriptions: [
          { filter: 'down/#', qos: 1 },
          { filter: 'a/+', qos: 0 },
        ],
      },
    ]);
  });

  it('gives pages in the order of the client ids, and finds by text', async () => {
    const others = await Promise.all(['a', 'b', 'z'].map(connect));
    const first = await ask('/clients?limit=2');
    expect(first.body).toMatchObject({
      items: [{ clientId: 'a' }, { clientId: 'b' }],
      nextCursor: 'b',
    });
    const second = await ask('/clients?limit=2&cursor=b');
    expect(second.body.items?.map(({ clientId }) => clientId)).toEqual(['pump/7 a', 'z']);
    expect(second.body.nextCursor).toBeUndefined();
    expect((await ask('/clients?q=PUMP')).body.items).toHaveLength(1);
    await Promise.all(others.map((other) => other.endAsync(true)));
  });

  it.each(['viewer', 'operator'] as const)('is not for the role %s', async (role) => {
    const token = dashboard.tokens[role];
    for (const path of ['/clients', '/bans', '/audit']) {
      expect((await dashboard.ask(`/api/v1${path}`, { token })).status).toBe(403);
    }
    const kick = await dashboard.ask('/api/v1/clients/x:disconnect', { token, method: 'POST' });
    expect(kick.status).toBe(403);
  });
});

describe('POST /clients/{id}:disconnect', () => {
  it('ends the connection, whatever stands in the id, and is written down with who did it', async () => {
    const end = closed();
    const kicked = await ask('/clients/pump%2F7%20a:disconnect', { method: 'POST' });
    expect(kicked.status).toBe(204);
    await end;
    const { body } = await ask('/audit?event=kick');
    expect(body.items?.[0]).toMatchObject({ clientId: 'pump/7 a', by: 'test admin' });
    client = await connect('pump/7 a');
  });

  it('answers 404 for a client that is not connected', async () => {
    expect((await ask('/clients/nobody:disconnect', { method: 'POST' })).status).toBe(404);
  });
});

describe('Bans', () => {
  it('cut the client, refuse it until they are lifted, and are written down', async () => {
    const end = closed();
    const made = await ban({ kind: 'clientId', value: 'pump/7 a', seconds: 60, reason: 'broken' });
    expect(made.status).toBe(201);
    expect(made.body).toMatchObject({ kind: 'clientId', reason: 'broken', by: 'test admin' });
    await end;
    await expect(connect('pump/7 a')).rejects.toThrow(/Not authorized/i);
    expect((await ask('/bans')).body.items).toMatchObject([{ id: made.body.id }]);
    const lifted = await ask(`/bans/${made.body.id}`, { method: 'DELETE' });
    expect(lifted.status).toBe(204);
    expect((await ask('/bans')).body.items).toEqual([]);
    client = await connect('pump/7 a');
    const { body } = await ask('/audit?limit=10');
    const events = body.items?.map(({ event }) => event) ?? [];
    expect(events).toEqual(expect.arrayContaining(['connect', 'lift', 'refuse', 'ban']));
  });

  it('hold for addresses before a byte is read', async () => {
    const end = closed();
    const made = await ban({ kind: 'address', value: '127.0.0.1' });
    await end;
    const other = await openRaw(dashboard.mqttPort);
    expect(await other.closed()).toBe('');
    await ask(`/bans/${made.body.id}`, { method: 'DELETE' });
    client = await connect('pump/7 a');
  });

  it.each([
    [{}, 'kind'],
    [{ kind: 'name', value: 'x' }, 'kind'],
    [{ kind: 'address' }, 'value'],
    [{ kind: 'address', value: 7 }, 'value'],
    [{ kind: 'address', value: 'a\0b' }, 'value'],
    [{ kind: 'address', value: 'x', seconds: 0 }, 'seconds'],
    [{ kind: 'address', value: 'x', seconds: 1e9 }, 'seconds'],
    [{ kind: 'address', value: 'x', until: 'tomorrow' }, 'until'],
    [{ kind: 'address', value: 'x', reason: 'r'.repeat(300) }, 'reason'],
    [[], 'kind'],
  ])('are refused when they are written as %j', async (body, named) => {
    const { status, body: answer } = await ban(body);
    expect(status).toBe(400);
    expect(answer.detail).toContain(named);
  });

  it('are bounded', async () => {
    for (const value of ['1', '2', '3', '4', '5']) {
      expect((await ban({ kind: 'credential', value })).status).toBe(201);
    }
    expect((await ban({ kind: 'credential', value: '6' })).status).toBe(409);
    for (const { id } of (await ask('/bans')).body.items ?? []) {
      await ask(`/bans/${String(id)}`, { method: 'DELETE' });
    }
  });
});

describe('GET /audit', () => {
  it('numbers its entries without a gap, the newest first, in pages', async () => {
    const all = (await ask('/audit?limit=1000')).body.items ?? [];
    const newest = Number(all[0]?.['seq']);
    expect(all.map(({ seq }) => seq)).toEqual(all.map((_, index) => newest - index));
    const first = await ask('/audit?limit=2');
    expect(first.body.items).toHaveLength(2);
    const second = await ask(`/audit?limit=2&cursor=${first.body.nextCursor}`);
    expect(second.body.items?.map(({ seq }) => seq)).toEqual([newest - 2, newest - 3]);
  });
});
