/** What requests may say is what the document says: parameters, ids and bodies, each at its edge. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { openApi } from '../../dashboard/openapi/openapi.ts';
import { readingOf } from '../stores/sample.ts';
import { type RunningDashboard, startDashboard } from './running-dashboard.ts';

let dashboard: RunningDashboard;
const second = Date.parse('2016-12-31T23:59:59Z');

beforeAll(async () => {
  dashboard = await startDashboard();
  const times = [second, second + 1_000, second + 2_000];
  await dashboard.publish(times.map((time) => readingOf({ time, device: 'meter-7' })));
});

afterAll(() => dashboard.stop());

async function ask(path: string, init: Parameters<RunningDashboard['ask']>[1] = {}) {
  const response = await dashboard.ask(path, { token: dashboard.tokens.admin, ...init });
  const text = await response.text();
  return { status: response.status, answer: text === '' ? undefined : JSON.parse(text) };
}

function readingsFrom(from: string) {
  return ask(`/api/v1/readings?device=meter-7&from=${from}&to=2017-01-02T00:00:00Z`);
}

describe('A time in a query [RFC 3339, 5.6]', () => {
  it.each([
    ['2016-12-31T23:59:59Z', 3],
    ['2016-12-31t23:59:59z', 3],
    ['2016-12-31T23:59:59.001Z', 2],
    ['2017-01-01T03:59:59%2B04:00', 3],
    ['2017-01-01T03:59:59+04:00', 3],
    ['2016-12-31T23:59:59-00:00', 3],
    ['2016-02-29T00:00:00Z', 3],
    ['0001-01-01T00:00:00Z', 3],
    ['0000-01-01T00:00:00Z', 3],
  ])('may be %s', async (from, count) => {
    const { status, answer } = await readingsFrom(from);
    expect(status).toBe(200);
    expect(answer.items).toHaveLength(count);
  });

  it.each(['2016-12-31T23:59:60Z', '2017-01-01T03:59:60%2B04:00', '2016-12-31T15:59:60-08:00'])(
    'may be the leap second %s, and is then the first second of the next day [5.7]',
    async (from) => {
      const { status, answer } = await readingsFrom(from);
      expect(status).toBe(200);
      expect(answer.items).toHaveLength(2);
    },
  );

  it.each([
    ...['2026-02-30T00:00:00Z', '2026-02-29T00:00:00Z', '2026-04-31T00:00:00Z'],
    ...['2026-13-01T00:00:00Z', '2026-00-01T00:00:00Z', '2026-01-00T00:00:00Z'],
    ...['2026-01-01T24:00:00Z', '2026-01-01T00:60:00Z', '2026-01-01T00:00:61Z'],
    ...['2026-01-01T12:00:60Z', '2026-01-01T00:00:00', '2026-01-01', '-1', '1700000000000'],
    ...['2026-01-01T00:00:00.Z', '2026-01-01T00:00:00%2B24:00', '2026-01-01T00:00:00%2B0400'],
    ...['%2B12026-01-01T00:00:00Z', '2026-01-01 00:00:00Z', ''],
  ])('is not %s', async (from) => {
    const { status, answer } = await readingsFrom(from);
    expect(status).toBe(400);
    expect(answer.detail).toMatch(/^parameter from is /);
  });
});

describe('A number or a choice in a query', () => {
  it.each([
    ...['devices?limit=', 'devices?kind=', 'uplinks?after=', 'latest?cursor=', 'audit?cursor='],
    ...['uplinks?cursor=', 'devices?cursor=', 'clients?cursor=', 'codecs?cursor='],
    ...['models?cursor=', 'credentials?cursor=', 'readings?device=meter-7&cursor='],
    ...['devices?limit=0', 'devices?limit=-1', 'devices?limit=1.5', 'devices?limit=1e2'],
    ...['devices?limit=1000000000', 'devices?limit=%2B5', 'devices?limit=5&limit=5'],
  ])('is refused when it is none: %s', async (query) => {
    const { status, answer } = await ask(`/api/v1/${query}`);
    expect(status).toBe(400);
    expect(answer.detail).toMatch(/^parameter \w+ is /);
  });
});

type Row = readonly [what: string, method: string, path: string, body: unknown, place: string];

const script = 'function decodeUplink() { return { data: {} } }';
const wrong: readonly Row[] = [
  ['a ban of a range', 'POST', 'bans', { kind: 'address', value: '10.0.0.0/8' }, 'value'],
  ['a ban of no address', 'POST', 'bans', { kind: 'address', value: 'x' }, 'value'],
  ['a ban for null', 'POST', 'bans', { kind: 'clientId', value: 'a', seconds: null }, 'seconds'],
  ['a ban without a word', 'POST', 'bans', { kind: 'clientId', value: '' }, 'value'],
  ['a null character', 'POST', 'bans', { kind: 'clientId', value: 'a\0' }, 'value'],
  ['another field', 'POST', 'bans', { kind: 'clientId', value: 'a', colour: 'red' }, ''],
  ['a half seq', 'POST', 'derive', { from: 1.5 }, 'from'],
  ['an empty device', 'POST', 'derive', { from: 1, device: '' }, 'device'],
  ['no body', 'POST', 'derive', undefined, ''],
  ['hours of null', 'POST', 'credentials/a:rotate', { overlapHours: null }, 'overlapHours'],
  ['a list', 'POST', 'credentials/a:rotate', [], ''],
  ['no devices', 'POST', 'credentials', { devices: [] }, 'devices'],
  ['no id', 'POST', 'credentials', { devices: [{ deviceId: 'a b' }] }, 'devices.0.deviceId'],
  ['a number as name', 'PUT', 'codecs/acme', { script, name: 5 }, 'name'],
  ['an unknown dialect', 'PUT', 'codecs/acme', { script, dialect: 'x' }, 'dialect'],
  ['examples of one', 'PUT', 'codecs/acme', { script, examples: 5 }, 'examples'],
  ['a list of variables', 'PUT', 'codecs/acme', { script, variables: [] }, 'variables'],
  ['no script', 'PUT', 'codecs/acme', { name: 'x' }, 'script'],
  ['more than a mapping', 'PUT', 'codecs/acme/mapping', { mapping: [], x: 1 }, ''],
];

describe('A body', () => {
  it.each(wrong)('is refused by its place for %s', async (...row) => {
    const [, method, path, body, place] = row;
    const sent = body === undefined ? {} : { body: JSON.stringify(body) };
    const { status, answer } = await ask(`/api/v1/${path}`, { method, ...sent });
    expect(status).toBe(400);
    expect(answer.errors[0]).toMatchObject({ path: place, detail: expect.any(String) });
    expect(answer.detail).toContain(place === '' ? 'the body: ' : `${place}: `);
  });

  it('may hold variables that are no texts, which are texts to the script', async () => {
    const body = JSON.stringify({ script, variables: { calibration: 1.5, inverted: true } });
    const { status, answer } = await ask('/api/v1/codecs/with-variables', { method: 'PUT', body });
    expect(status).toBe(201);
    const variables = { calibration: '1.5', inverted: 'true' };
    expect(answer.versions).toMatchObject([{ variables }]);
  });

  it('is of the device in the path, whatever spelling both have', async () => {
    const device = (id: unknown) => ({
      method: 'PUT',
      body: JSON.stringify({ id, kind: 'lorawan' }),
    });
    const same = await ask('/api/v1/devices/70-B3-D5-7E-D0-00-00-02', device('70b3d57ed0000002'));
    expect(same.status).toBe(201);
    for (const id of ['70b3d57ed0000003', 5, null]) {
      const { status, answer } = await ask('/api/v1/devices/70b3d57ed0000002', device(id));
      expect(status).toBe(422);
      expect(answer.errors).toMatchObject([{ path: 'id' }]);
    }
  });
});

describe('The document', () => {
  it('has no pattern that only some tools read [JSON Schema 2020-12, core, 6.4]', () => {
    expect(JSON.stringify(openApi)).not.toMatch(/\\\\p\{|\\\\0/);
  });

  const ajv = new Ajv2020({ strict: false, allErrors: true });
  addFormats.default(ajv);
  ajv.addSchema({ $id: 'api', components: openApi.components });
  const inputs: readonly (readonly [string, unknown, boolean])[] = [
    ['BanInput', { kind: 'clientId', value: 'a' }, true],
    ['BanInput', { kind: 'clientId', value: '' }, false],
    ['BanInput', { kind: 'clientId', value: 'a\0' }, false],
    ['BanInput', { kind: 'clientId', value: 'a', seconds: 0.5 }, false],
    ['CodecInput', { script, variables: { a: 1 } }, true],
    ['CodecInput', { script, variables: { a: {} } }, false],
    ['CodecMapping', { mapping: [{ from: '', quantity: null }] }, false],
    ['CredentialsInput', { devices: [{ deviceId: 'a b' }] }, false],
    ['DeviceInput', { kind: 'lorawan', joinEui: '70-B3-D5-7E-D0-00-00-02' }, true],
    ['DeviceInput', { kind: 'lorawan', joinEui: '70b3' }, false],
    ['DeviceInput', { kind: 'lorawan', devAddr: '26 01 1B DA' }, true],
    ['DeviceInput', { kind: 'lorawan', name: '' }, false],
    ['DeviceInput', { kind: 'lorawan', name: 'x'.repeat(129) }, false],
    ['DeviceInput', { kind: 'lorawan', macVersion: '2.0' }, false],
    ['DeviceInput', { kind: 'cellular', tags: { '-a': 'x' } }, false],
    ['DeviceInput', { kind: 'cellular', mapping: [{ from: 'a', quantity: null }] }, true],
    ['ModelSettings', { name: '', sensors: [] }, false],
    ['ModelSettings', { name: 'K\u00f6rp\u00fc \u{1f309}' }, true],
    ['ModelSettings', { name: 'two\nlines' }, false],
    ['RotateInput', {}, true],
    ['RotateInput', { overlapHours: 8_785 }, false],
  ];

  it.each(inputs)('says of %s %j that it may be sent: %s', (name, body, isValid) => {
    const validate = ajv.compile({ $ref: `api#/components/schemas/${name}` });
    expect(validate(body)).toBe(isValid);
  });
});
