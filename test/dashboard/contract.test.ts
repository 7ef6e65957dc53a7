import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { connectAsync, type MqttClient } from 'mqtt';
import { openApi } from '../../dashboard/openapi/openapi.ts';
import { findAdapter } from '../../gateway/adapters/registry.ts';
import { LedgerUnavailable } from '../../gateway/ledger/ledger.ts';
import { fault } from '../../gateway/model/fault.ts';
import { createIngest } from '../../gateway/pipeline/ingest.ts';
import { createHttpPush } from '../../gateway/transports/http/http-push.ts';
import { fixtureText } from '../adapters/inbound.ts';
import { bare, frame, inbound, keyed } from '../ledger/deliveries.ts';
import { readingOf } from '../stores/sample.ts';
import { createReceiver } from '../transports/transport-bench.ts';
import { type Call, modelCalls } from './model-calls.ts';
import { type RunningDashboard, startDashboard } from './running-dashboard.ts';

let dashboard: RunningDashboard;
let probe: MqttClient;
let isDiskFull = false;

const sourceToken = 'a-test-token-of-a-webhook';
const webhookLimits = {
  bodyBytesMax: 20_000,
  queryLengthMax: 100,
  requestsPerSecondMax: 50,
  inFlightMax: 10,
  stopTimeoutMs: 1_000,
};

/** A webhook as the gateway mounts it, into the ledger of this dashboard. */
function webhook() {
  const { hooks } = createReceiver();
  const adapter = 'the-things-stack-v3-json';
  const silent = () => {};
  const ingest = createIngest({
    adapterFor: () => findAdapter(adapter),
    verify: () => fault('DEVICE_UNKNOWN', 'none is registered'),
    ledger: {
      accept: (delivery) =>
        isDiskFull
          ? Promise.reject(new LedgerUnavailable('the disk is full'))
          : dashboard.ledger.accept(delivery),
    },
    observe: { item: silent, written: silent, acknowledged: silent, unavailable: silent },
  });
  const auth = { kind: 'token', token: sourceToken, header: 'X-Api-Key' } as const;
  const sources = [{ name: 'city', adapter, auth, vouches: 'network-server' }] as const;
  return createHttpPush({ sources, limits: webhookLimits }, ingest.receive, hooks).router;
}

beforeAll(async () => {
  dashboard = await startDashboard({ mounted: [webhook()] });
  const at = { host: '127.0.0.1', port: dashboard.mqttPort, reconnectPeriod: 0 };
  probe = await connectAsync({ ...at, clientId: 'probe' });
  await probe.subscribeAsync('down/#', { qos: 1 });
  await dashboard.ask('/api/v1/devices/70b3d57ed0000001', {
    method: 'PUT',
    body: JSON.stringify({
      ...{ kind: 'lorawan', name: 'Well 3', agency: 'water board', area: 'centre' },
      ...{
        activation: 'abp',
        macVersion: '1.0.3',
        devAddr: '26011BDA',
        tags: { street: 'Nizami' },
      },
      location: { latitude: 40.4, longitude: 49.87, altitude: -28 },
    }),
  });
  await dashboard.accept(frame(1));
  await dashboard.accept(frame(1, { gatewayId: 'gateway-b' }));
  await dashboard.accept(keyed('k1'), fault('CODEC_MISSING', 'none'));
  await dashboard.accept(bare());
  await dashboard.accept({
    inbound: inbound({ body: 'x' }),
    items: [{ kind: 'quarantined', fault: fault('INBOUND_MALFORMED', 'x'), deviceId: 'meter-7' }],
  });
  const [first] = frame(2).items;
  if (first?.kind === 'payload') {
    const phyPayload = Buffer.from('40da1b012603020002067f0a0102030405', 'hex');
    const opened = { ...first, phyPayload, fOpts: Buffer.from('067f0a', 'hex') };
    await dashboard.accept({ ...frame(2), items: [opened] });
  }
  const asked = Buffer.from('00dc0000d07ed5b3701e6fedf57ceeaf0085cc587fe913', 'hex');
  const joining = { kind: 'event', adapter: 'semtech-udp', type: 'join-request' } as const;
  await dashboard.accept({
    inbound: inbound({ body: 'z' }),
    items: [{ ...joining, phyPayload: asked, vouchedBy: 'mic' }],
  });
  const event = { kind: 'event', adapter: 'chirpstack-v4-json', type: 'join' } as const;
  await dashboard.accept({ inbound: inbound({ body: 'y' }), items: [event] });
  const time = Date.now() - 60_000;
  await dashboard.publish([
    readingOf({ time, device: 'meter-7' }),
    readingOf({ time, device: 'meter-7', quantity: 'door', value: 'open', unit: '', quality: 2 }),
    readingOf({ time, device: 'meter-7', channel: '2', vouchedBy: 'credential' }),
    readingOf({ time, device: 'meter-7', quantity: 'x_temprature', unit: '', quality: 2 }),
  ]);
});

afterAll(async () => {
  await probe.endAsync(true);
  await dashboard.stop();
});

const ajv = new Ajv2020({ strict: false, allErrors: true });
addFormats.default(ajv);
ajv.addSchema({ $id: 'api', components: openApi.components });

/** What is wrong with an answer by the document; empty when nothing is. */
async function complaints(response: Response, path: string, method: string): Promise<string[]> {
  const operations: Record<string, unknown> = {
    ...Object.entries(openApi.paths).find(([key]) => key === path)?.[1],
  };
  const operation = operations[method];
  const responses = fieldOf(operation, 'responses');
  const described = fieldOf(responses, String(response.status));
  if (described === undefined) return [`${response.status} is not described`];
  const text = await response.text();
  const content = fieldOf(described, 'content');
  if (typeof content !== 'object' || content === null) return [];
  const type = (response.headers.get('content-type') ?? '').split(';')[0] ?? '';
  const media = fieldOf(content, type);
  if (media === undefined) return [`${type} is not described`];
  const reference = fieldOf(fieldOf(media, 'schema'), '$ref');
  if (typeof reference !== 'string') return [];
  const validate = ajv.compile({ $ref: `api${reference}` });
  validate(JSON.parse(text));
  return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null
    ? new Map(Object.entries(value)).get(name)
    : undefined;
}

/** The clock of the limit stands still here, so that it is reached however slow the machine is. */
async function until429(ask: () => Promise<Response>): Promise<Response> {
  for (let n = 0; n < 2 * webhookLimits.requestsPerSecondMax; n += 1) {
    const response = await ask();
    if (response.status === 429) return response;
    expect(response.status).toBe(204);
  }
  throw new Error('the limit is not reached');
}

/** A row of its own for each call, since Jest takes a parameter too many for a callback. */
function titleOf([method, path, address, status]: Call): string {
  return `${method} ${path}: ${address} answers ${status} as described`;
}

const meter = '/api/v1/readings?device=meter-7';
const ingestPath = '/ingest/{source}';
const uplink = fixtureText('lns/tts-v3-uplink.json');
const proof = { 'X-Api-Key': sourceToken };
const codecJson = '{"script":"function decodeUplink() { return { data: {} } }"}';
const dryRun = ['post', '/api/v1/codecs/{id}:dryrun'] as const;
const history = ['get', '/api/v1/devices/{id}/codec-history'] as const;
const disconnect = ['post', '/api/v1/clients/{id}:disconnect'] as const;
/** What is asked as the administrator, since an operator may not. */
const adminPaths = /credentials|codecs|models|derive|clients|bans|audit/;
const calls: readonly Call[] = [
  ['get', '/healthz/live', '/healthz/live', 200],
  ['get', '/healthz/ready', '/healthz/ready', 200],
  ['get', '/metrics', '/metrics', 200],
  ['get', '/api/v1/openapi.json', '/api/v1/openapi.json', 200],
  ['post', '/api/v1/session', '/api/v1/session', 401, '{"token":"nobody"}'],
  ['post', '/api/v1/session', '/api/v1/session', 400, '{}'],
  ['delete', '/api/v1/session', '/api/v1/session', 204],
  ['get', '/api/v1/devices', '/api/v1/devices', 200],
  ['get', '/api/v1/devices', '/api/v1/devices?area=centre&q=well', 200],
  ['get', '/api/v1/devices', '/api/v1/devices?limit=0', 400],
  ['get', '/api/v1/devices/{id}', '/api/v1/devices/70b3d57ed0000001', 200],
  ['get', '/api/v1/devices/{id}', '/api/v1/devices/70-B3-D5-7E-D0-00-00-01', 200],
  ['get', '/api/v1/devices/{id}', '/api/v1/devices/meter-7', 200],
  ['get', '/api/v1/devices/{id}', '/api/v1/devices/nobody', 404],
  ['get', '/api/v1/devices/{id}/link', '/api/v1/devices/70B3D57ED0000001/link', 200],
  ['get', '/api/v1/devices/{id}/link', '/api/v1/devices/meter-7/link?limit=5', 200],
  ['get', '/api/v1/devices/{id}/link', '/api/v1/devices/meter-7/link?limit=0', 400],
  ['get', '/api/v1/devices/{id}/link', '/api/v1/devices/nobody/link', 404],
  ['put', '/api/v1/devices/{id}', '/api/v1/devices/meter-9', 201, '{"kind":"cellular"}'],
  ['put', '/api/v1/devices/{id}', '/api/v1/devices/meter-9', 200, '{"kind":"cellular"}'],
  ['put', '/api/v1/devices/{id}', '/api/v1/devices/meter-9', 422, '{"kind":"bicycle"}'],
  ['put', '/api/v1/devices/{id}', '/api/v1/devices/meter-9', 400, '[]'],
  ['put', '/api/v1/devices/{id}', '/api/v1/devices/meter-9', 400, '{"kind":'],
  ['delete', '/api/v1/devices/{id}', '/api/v1/devices/meter-9', 204],
  ['delete', '/api/v1/devices/{id}', '/api/v1/devices/meter-9', 404],
  ['post', '/api/v1/devices:import', '/api/v1/devices:import', 200, '[{"id":"a"},5,null]'],
  ['post', '/api/v1/devices:import', '/api/v1/devices:import', 400, '{}'],
  [
    ...(['post', '/api/v1/devices:import', '/api/v1/devices:import', 200] as const),
    'id;kind\na;cellular',
    { 'Content-Type': 'text/csv' },
  ],
  ['get', '/api/v1/codecs', '/api/v1/codecs', 200],
  ['get', '/api/v1/codecs', '/api/v1/codecs?limit=2&cursor=cayenne-lpp', 200],
  ['get', '/api/v1/codecs', '/api/v1/codecs?limit=0', 400],
  ['put', '/api/v1/codecs/{id}', '/api/v1/codecs/acme', 201, codecJson],
  [
    'put',
    '/api/v1/codecs/{id}',
    '/api/v1/codecs/acme',
    200,
    `${codecJson.slice(0, -1)},"name":"A"}`,
  ],
  ['put', '/api/v1/codecs/{id}', '/api/v1/codecs/acme', 422, '{"script":"function ("}'],
  ['put', '/api/v1/codecs/{id}', '/api/v1/codecs/cayenne-lpp', 422, codecJson],
  ['put', '/api/v1/codecs/{id}', '/api/v1/codecs/acme', 400, '{"scrip":"x"}'],
  ['put', '/api/v1/codecs/{id}', '/api/v1/codecs/acme', 400, '[]'],
  ['get', '/api/v1/codecs/{id}', '/api/v1/codecs/acme', 200],
  ...modelCalls,
  [...dryRun, '/api/v1/codecs/acme:dryrun?uplinks=5&device=70b3d57ed0000001', 200, codecJson],
  [...dryRun, '/api/v1/codecs/acme:dryrun', 200, codecJson],
  [...dryRun, '/api/v1/codecs/acme:dryrun?uplinks=0', 400, codecJson],
  [...dryRun, '/api/v1/codecs/acme:dryrun?device=nobody', 404, codecJson],
  [...dryRun, '/api/v1/codecs/acme:dryrun', 422, '{"script":"var a"}'],
  ['get', '/api/v1/codecs/{id}', '/api/v1/codecs/elsys-generic', 200],
  ['get', '/api/v1/codecs/{id}', '/api/v1/codecs/acme?version=00000000', 404],
  ['get', '/api/v1/codecs/{id}', '/api/v1/codecs/nobody', 404],
  ['delete', '/api/v1/codecs/{id}', '/api/v1/codecs/acme', 204],
  ['delete', '/api/v1/codecs/{id}', '/api/v1/codecs/acme', 404],
  ['get', '/api/v1/derive', '/api/v1/derive', 200],
  ['get', '/api/v1/derive', '/api/v1/derive?a=b', 400],
  ['post', '/api/v1/derive', '/api/v1/derive', 400, '{"from":0}'],
  ['post', '/api/v1/derive', '/api/v1/derive', 400, '{"from":1,"to":2}'],
  ['post', '/api/v1/derive', '/api/v1/derive', 400, '{"from":1,"device":5}'],
  ['post', '/api/v1/derive', '/api/v1/derive', 202, '{"from":1,"device":"meter-7"}'],
  ['post', '/api/v1/derive', '/api/v1/derive', 409, '{"from":1}'],
  ['get', '/api/v1/derive', '/api/v1/derive', 200],
  ['delete', '/api/v1/derive', '/api/v1/derive', 204],
  ['delete', '/api/v1/derive', '/api/v1/derive', 404],
  [...history, '/api/v1/devices/meter-7/codec-history', 200],
  [...history, '/api/v1/devices/meter-7/codec-history?a=b', 400],
  ['get', '/api/v1/readings', meter, 200],
  ['get', '/api/v1/readings', `${meter}&codec=true`, 200],
  ['get', '/api/v1/readings', `${meter}&codec=yes`, 400],
  ['get', '/api/v1/readings', `${meter}&quantity=air_temperature&every=15m`, 200],
  ['get', '/api/v1/readings', `${meter}&quantity=air_temperature&every=PT1H&agg=max`, 200],
  ['get', '/api/v1/readings', `${meter}&limit=10000`, 200],
  ['get', '/api/v1/readings', '/api/v1/readings', 400],
  ['get', '/api/v1/readings', `${meter}&from=yesterday`, 400],
  ['get', '/api/v1/readings', `${meter}&cursor=abc`, 400],
  ['get', '/api/v1/readings', `${meter}&every=1s&quantity=co2`, 400],
  ['get', '/api/v1/readings', `${meter}&every=15m&quantity=co2&limit=5`, 400],
  ['get', '/api/v1/readings', `${meter}&agg=mean`, 400],
  ['get', '/api/v1/latest', '/api/v1/latest', 200],
  ['get', '/api/v1/latest', '/api/v1/latest?device=meter-7&quantity=door', 200],
  ['get', '/api/v1/latest', '/api/v1/latest?cursor=x', 400],
  ['get', '/api/v1/quantities', '/api/v1/quantities', 200],
  ['get', '/api/v1/uplinks', '/api/v1/uplinks', 200],
  ['get', '/api/v1/uplinks', '/api/v1/uplinks?after=0&device=meter-7', 200],
  ['get', '/api/v1/uplinks', '/api/v1/uplinks?outcome=lost', 400],
  ['get', '/api/v1/uplinks', '/api/v1/uplinks?cursor=z1', 400],
  ['get', '/api/v1/uplinks/{seq}', '/api/v1/uplinks/1', 200],
  ['get', '/api/v1/uplinks/{seq}', '/api/v1/uplinks/2', 200],
  ['get', '/api/v1/uplinks/{seq}', '/api/v1/uplinks/5', 200],
  ['get', '/api/v1/uplinks/{seq}', '/api/v1/uplinks/999', 404],
  ['get', '/api/v1/uplinks/{seq}', '/api/v1/uplinks/one', 404],
  ['get', '/api/v1/uplinks/{seq}/quality', '/api/v1/uplinks/1/quality', 200],
  ['get', '/api/v1/uplinks/{seq}/quality', '/api/v1/uplinks/3/quality', 200],
  ['get', '/api/v1/uplinks/{seq}/quality', '/api/v1/uplinks/999/quality', 404],
  ['get', '/api/v1/uplinks/{seq}/quality', '/api/v1/uplinks/1/quality?x=1', 400],
  ['get', '/api/v1/clients', '/api/v1/clients?q=pro', 200],
  ['get', '/api/v1/clients', '/api/v1/clients?limit=0', 400],
  [...disconnect, '/api/v1/clients/nobody:disconnect', 404],
  [...disconnect, '/api/v1/clients/probe:disconnect', 204],
  ['get', '/api/v1/bans', '/api/v1/bans', 200],
  ['get', '/api/v1/bans', '/api/v1/bans?limit=1', 400],
  ['post', '/api/v1/bans', '/api/v1/bans', 201, '{"kind":"credential","value":"x"}'],
  ['post', '/api/v1/bans', '/api/v1/bans', 400, '{"kind":"credential"}'],
  ['delete', '/api/v1/bans/{id}', '/api/v1/bans/nobody', 404],
  ['get', '/api/v1/credentials', '/api/v1/credentials', 200],
  ['post', '/api/v1/credentials', '/api/v1/credentials', 200, '{"devices":[{"deviceId":"a"}]}'],
  ['post', '/api/v1/credentials', '/api/v1/credentials', 400, '{"devices":[]}'],
  ['post', '/api/v1/credentials/{id}:rotate', '/api/v1/credentials/a:rotate', 200, '{}'],
  ['post', '/api/v1/credentials/{id}:rotate', '/api/v1/credentials/b:rotate', 404, '{}'],
  ['delete', '/api/v1/credentials/{id}', '/api/v1/credentials/a', 204],
  ['delete', '/api/v1/credentials/{id}', '/api/v1/credentials/a', 404],
  ['get', '/api/v1/audit', '/api/v1/audit?limit=3', 200],
  ['get', '/api/v1/audit', '/api/v1/audit?cursor=x', 400],
  ['get', '/api/v1/sources', '/api/v1/sources', 200],
  ['get', '/api/v1/sources', '/api/v1/sources?limit=5', 400],
  ['post', ingestPath, '/ingest/city?event=up', 204, uplink, proof],
  ['post', ingestPath, '/ingest/city', 204, 'unreadable', { ...proof, 'Content-Type': '' }],
  ['post', ingestPath, '/ingest/city', 401, uplink],
  ['post', ingestPath, '/ingest/nobody', 404, uplink, proof],
  ['post', ingestPath, '/ingest/city', 413, 'x'.repeat(20_001), proof],
  ['post', ingestPath, `/ingest/city?${'x'.repeat(100)}`, 414, uplink, proof],
  ['post', ingestPath, '/ingest/city', 415, uplink, { ...proof, 'Content-Type': 'text/html' }],
  ['post', ingestPath, '/ingest/city', 415, uplink, { ...proof, 'Content-Encoding': 'gzip' }],
  ['get', '/api/v1/snapshot', '/api/v1/snapshot?view=series&device=meter-7', 200],
  ['get', '/api/v1/snapshot', '/api/v1/snapshot?view=map', 400],
  ['get', '/api/v1/snapshot', '/api/v1/snapshot?rate=1000', 400],
  ['get', '/api/v1/live', '/api/v1/live?rate=1', 400],
];

describe('The HTTP contract', () => {
  it.each(calls.map((call) => [titleOf(call), call] as const))('%s', async (_, call) => {
    const [method, path, address, status, body, headers] = call;
    const token = adminPaths.test(path) ? dashboard.tokens.admin : dashboard.tokens.operator;
    const init = { method: method.toUpperCase(), token, ...(body === undefined ? {} : { body }) };
    const response = await dashboard.ask(address, { ...init, headers: { ...headers } });
    expect(response.status).toBe(status);
    if (status >= 400) {
      expect(response.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    }
    expect(await complaints(response, path, method)).toEqual([]);
  });

  it('has a call here for every operation of the document', () => {
    const described = Object.entries(openApi.paths).flatMap(([path, operations]) =>
      Object.keys(operations)
        .filter((key) => key !== 'parameters')
        .map((method) => `${method} ${path}`),
    );
    const called = new Set(calls.map(([method, path]) => `${method} ${path}`));
    expect(described.filter((operation) => !called.has(operation))).toEqual([]);
  });

  const guarded = calls
    .filter(([, path]) => /^\/api\/v1\/(?!session|openapi)/.test(path))
    .map(([method, path, address]) => [method, path, address] as const);

  it.each(guarded)('asks who it is before %s %s', async (method, path, address) => {
    const response = await dashboard.ask(address, { method: method.toUpperCase(), token: null });
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toContain('Bearer');
    expect(await complaints(response, path, method)).toEqual([]);
  });

  it('names what depends on a store that is down, and answers 503 for its readings', async () => {
    dashboard.setHealth(false);
    const ready = await dashboard.ask('/healthz/ready', { token: null });
    expect(ready.status).toBe(503);
    expect(await complaints(ready, '/healthz/ready', 'get')).toEqual([]);
    for (const query of ['', '&quantity=co2&every=1h']) {
      const readings = await dashboard.ask(`${meter}${query}`);
      expect(readings.status).toBe(503);
      expect(await complaints(readings, '/api/v1/readings', 'get')).toEqual([]);
    }
    dashboard.setHealth(true);
  });

  it('takes a webhook into the ledger once, and answers 204 for nothing that is not there', async () => {
    const post = (body: string) =>
      dashboard.ask('/ingest/city', { method: 'POST', body, headers: proof });
    const seq = dashboard.ledger.head();
    const message = JSON.parse(uplink);
    message.end_device_ids.dev_eui = '02F1E1D5000000AA';
    isDiskFull = true;
    const refused = await post(JSON.stringify(message));
    expect(refused.status).toBe(503);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await complaints(refused, ingestPath, 'post')).toEqual([]);
    expect(dashboard.ledger.head()).toBe(seq);
    isDiskFull = false;
    for (let n = 0; n < 2; n += 1) {
      expect((await post(JSON.stringify(message))).status).toBe(204);
      expect(dashboard.ledger.head()).toBe(seq + 1);
    }
    expect(dashboard.reader.get(seq + 1)?.item).toMatchObject({ deviceId: '02f1e1d5000000aa' });
  });

  it('slows a webhook that sends more than its limit', async () => {
    const answers = await until429(() =>
      dashboard.ask('/ingest/city', { method: 'POST', body: '{}', headers: proof }),
    );
    expect(Number(answers.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await complaints(answers, ingestPath, 'post')).toEqual([]);
  });

  it.each(['devices', 'readings', 'latest', 'uplinks', 'snapshot', 'live'])(
    'refuses a parameter that /%s does not know',
    async (name) => {
      const response = await dashboard.ask(`/api/v1/${name}?device=a&lmit=5`);
      expect(response.status).toBe(400);
      const text = await response.text();
      if (name !== 'devices') expect(text).toContain('unknown parameter lmit');
    },
  );

  it('describes references that exist', () => {
    for (const name of Object.keys(openApi.components.schemas)) {
      expect(() => ajv.compile({ $ref: `api#/components/schemas/${name}` })).not.toThrow();
    }
  });
});
