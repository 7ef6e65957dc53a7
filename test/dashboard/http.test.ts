import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { wrapAes } from '../../gateway/lorawan/key-wrap.ts';
import { fault } from '../../gateway/model/fault.ts';
import { bare, frame, keyed } from '../ledger/deliveries.ts';
import { minute, readingOf } from '../stores/sample.ts';
import { type RunningDashboard, startDashboard, testKek, walk } from './running-dashboard.ts';

let dashboard: RunningDashboard;

beforeAll(async () => {
  dashboard = await startDashboard();
});

afterAll(() => dashboard.stop());

async function bodyOf(path: string, init = {}) {
  return JSON.parse(await (await dashboard.ask(path, init)).text());
}

describe('Connections', () => {
  it('are kept for longer than those who ask at intervals pause', async () => {
    const { headers } = await dashboard.ask('/healthz/live');
    expect(headers.get('keep-alive')).toBe('timeout=75');
  });
});

describe('Paging', () => {
  const time = Date.now() - 60 * minute;
  const readings = Array.from({ length: 25 }, (_, index) =>
    readingOf({
      ...{ device: 'paged', time: time + Math.floor(index / 3) * minute, seq: index, value: index },
      channel: String(index % 3),
    }),
  );

  beforeAll(async () => {
    const devices = Array.from({ length: 1_005 }, (_, index) => ({
      ...{ id: `meter-${String(index).padStart(4, '0')}`, kind: 'cellular' },
    }));
    const { imported } = await bodyOf('/api/v1/devices:import', {
      ...{ method: 'POST', body: JSON.stringify(devices) },
    });
    expect(imported).toBe(1_005);
    for (let count = 1; count <= 12; count += 1) {
      await dashboard.accept(frame(count), fault('CODEC_MISSING', 'none'));
      await dashboard.accept(keyed(`k${count}`, { deviceId: `heard-${count}` }));
    }
    await dashboard.accept(bare());
    await dashboard.publish(readings);
  });

  it.each([7, 100, 1_000])('of devices, %i a page, walks each once', async (limit) => {
    const items = await walk(dashboard, `/api/v1/devices?limit=${limit}`);
    const ids = items.map((item) => String(fieldOf(item, 'id')));
    expect(ids).toHaveLength(1_005 + 14);
    expect(ids).toEqual([...new Set(ids)].sort());
  });

  it('of registered and of heard devices walks those alone', async () => {
    expect(await walk(dashboard, '/api/v1/devices?registered=true&limit=501')).toHaveLength(1_005);
    expect(await walk(dashboard, '/api/v1/devices?registered=false&limit=5')).toHaveLength(14);
    expect(await walk(dashboard, '/api/v1/devices?q=METER-000&limit=3')).toHaveLength(10);
  });

  it.each([
    ['', 25],
    ['fault=CODEC_MISSING&', 12],
    ['device=70b3d57ed0000001&', 12],
    ['outcome=accepted&', 25],
    ['outcome=copy&', 0],
    ['outcome=redelivery&', 0],
  ])('of uplinks with "%s" walks each once in both directions', async (query, count) => {
    const down = await walk(dashboard, `/api/v1/uplinks?${query}limit=4`);
    const up = await walk(dashboard, `/api/v1/uplinks?${query}after=0&limit=4`);
    expect(up).toHaveLength(count);
    expect(down).toEqual(up.toReversed());
  });

  it.each([1, 4, 25, 26])('of readings, %i a page, walks each once', async (limit) => {
    const items = await walk(dashboard, `/api/v1/readings?device=paged&limit=${limit}`);
    expect(items.map((item) => fieldOf(item, 'value'))).toEqual(readings.map(({ value }) => value));
  });

  it.each([1, 2, 3])('of last values, %i a page, walks each once', async (limit) => {
    const items = await walk(dashboard, `/api/v1/latest?device=paged&limit=${limit}`);
    expect(items.map((item) => fieldOf(item, 'channel'))).toEqual(['0', '1', '2']);
  });

  it.each([
    [404, '/281474976710656'],
    [404, '/9007199254740991/quality'],
    [404, '/0x10'],
    [404, '/1e1'],
    [404, '/%201'],
    [404, '/281474976710655'],
    [400, '?cursor=a281474976710655'],
    [400, '?after=281474976710655'],
    [200, '?cursor=a281474976710654'],
  ])('answers %i for a number of no ledger entry: %s', async (status, rest) => {
    const answer = await dashboard.ask(`/api/v1/uplinks${rest}`);
    expect(answer.status).toBe(status);
  });

  it('goes on where the ledger still holds entries after older ones were removed', async () => {
    const limits = { receivedBefore: 0, sizeBytesMax: 0, keepAfter: 10 };
    expect(await dashboard.ledger.retain(limits)).toBeGreaterThan(0);
    const device = '70b3d57ed0000001';
    const items = await walk(dashboard, `/api/v1/uplinks?device=${device}&after=0&limit=2`);
    expect(items.length).toBeGreaterThan(0);
    expect(fieldOf(items.at(-1), 'seq')).toBe(23);
  });
});

function fieldOf(value: unknown, name: string): unknown {
  return new Map(Object.entries(Object(value))).get(name);
}

describe('Keys of a device', () => {
  it('go in and never come out', async () => {
    const keys = { appSKey: 'A1'.repeat(16), nwkSKey: 'B2'.repeat(16) };
    const init = {
      method: 'PUT',
      body: JSON.stringify({ kind: 'lorawan', devAddr: '26011bdc', keys }),
    };
    const path = '/api/v1/devices/70b3d57ed00000ff';
    const answers = [
      await (await dashboard.ask(path, init)).text(),
      await (await dashboard.ask(path)).text(),
      await (await dashboard.ask('/api/v1/devices?q=70b3d57ed00000ff')).text(),
    ];
    for (const answer of answers) expect(answer.toLowerCase()).not.toMatch(/a1a1|b2b2|key/);
    expect(dashboard.registry.sessionsOf('26011bdc')).toHaveLength(1);
  });

  it('are not repeated in a refusal', async () => {
    const body = JSON.stringify({ kind: 'lorawan', keys: { appSKey: 'deadbeef' } });
    const init = { method: 'PUT', body };
    const answer = await dashboard.ask('/api/v1/devices/70b3d57ed00000fe', init);
    expect(answer.status).toBe(422);
    expect(await answer.text()).not.toContain('deadbeef');
  });
});

describe('Keys that come wrapped', () => {
  const id = '70b3d57ed00000e1';
  const clear = '2b7e151628aed2a6abf7158809cf4f3c';
  const wrapped = wrapAes(Buffer.from(clear, 'hex'), Buffer.from(testKek.key, 'hex'));
  const deviceWith = (KEKLabel: string) => ({
    ...{ id, kind: 'lorawan', keys: { appKey: { KEKLabel, AESKey: wrapped.toString('hex') } } },
  });

  it('open when they are put and when they are imported', async () => {
    const bodies = { put: deviceWith(testKek.label), import: [deviceWith(testKek.label)] };
    const put = { method: 'PUT', body: JSON.stringify(bodies.put) };
    expect(await bodyOf(`/api/v1/devices/${id}`, put)).toMatchObject({ id, registered: true });
    expect(dashboard.registry.rootKeysOf(id).appKey?.toString('hex')).toBe(clear);
    const post = { method: 'POST', body: JSON.stringify(bodies.import) };
    expect(await bodyOf('/api/v1/devices:import', post)).toMatchObject({ imported: 1 });
  });

  it('are told of by their label when nothing opens them', async () => {
    const body = JSON.stringify([deviceWith('village')]);
    const answer = await bodyOf('/api/v1/devices:import', { method: 'POST', body });
    const errors = [{ path: 'keys.appKey', detail: expect.stringContaining('"village"') }];
    expect(answer).toMatchObject({ imported: 0, rows: [{ ok: false, errors }] });
  });
});

describe('An import with atomic=true', () => {
  it('registers none when a limit is met midway', async () => {
    const rows = Array.from({ length: 257 }, (_, index) => ({
      ...{ id: (0x70b3d57ed00a0000n + BigInt(index)).toString(16), kind: 'lorawan' },
      ...{ activation: 'abp', devAddr: '26011bee' },
    }));
    const init = { method: 'POST', body: JSON.stringify(rows) };
    const { size } = dashboard.registry;
    const answer = await bodyOf('/api/v1/devices:import?atomic=true', init);
    expect(answer).toMatchObject({ imported: 0, failed: 257 });
    expect(answer.rows[0].errors[0].detail).toBe('not imported: other rows are at fault');
    expect(answer.rows[256].errors[0].path).toBe('devAddr');
    expect(dashboard.registry.size).toBe(size);
  });
});

describe('An import of CSV', () => {
  const importCsv = (body: string) =>
    bodyOf('/api/v1/devices:import', {
      ...{ method: 'POST', body, headers: { 'Content-Type': 'text/csv' } },
    });

  it('reads quotes, line breaks, a byte-order mark and Windows line ends', async () => {
    const text =
      '\uFEFFid,kind,name,latitude,longitude,tags.street\r\n' +
      'csv-1,cellular,"Well ""3"",\nnorth",40.4,49.87,Nizami\r\n\r\n';
    expect(await importCsv(text)).toMatchObject({ imported: 0, failed: 1 });
    expect(await importCsv(text.replace('\nnorth', ' north'))).toEqual({
      ...{ imported: 1, failed: 0, rows: [{ row: 1, id: 'csv-1', ok: true }] },
    });
    expect(dashboard.registry.get('csv-1')).toEqual({
      ...{ id: 'csv-1', kind: 'cellular', name: 'Well "3", north' },
      ...{ location: { latitude: 40.4, longitude: 49.87 }, tags: { street: 'Nizami' } },
    });
  });

  it('reads semicolons with decimal commas', async () => {
    const text = 'id;kind;name;latitude;longitude\ncsv-2;cellular;Bakı, Nizami;40,41;49,87\n';
    expect(await importCsv(text)).toMatchObject({ imported: 1 });
    expect(dashboard.registry.get('csv-2')).toMatchObject({
      ...{ name: 'Bakı, Nizami', location: { latitude: 40.41, longitude: 49.87 } },
    });
  });

  it('gives each bad row its reason and takes the others', async () => {
    const text = [
      'id,kind,latitude,longitude,nmae',
      'csv-3,cellular,,,',
      'csv 4,cellular,,,',
      'csv-5,bicycle,,,',
      'csv-6,cellular,north,49,',
      'csv-7,cellular,,,x',
      'csv-8,cellular,40,49,,too,many',
    ].join('\n');
    const { imported, rows } = await importCsv(text);
    expect(imported).toBe(1);
    const paths = rows.map(({ errors = [] }: { errors?: { path: string }[] }) =>
      errors.map(({ path }) => path),
    );
    expect(paths).toEqual([
      [],
      ['id'],
      ['kind'],
      ['location.latitude'],
      ['nmae'],
      ['column 6', 'column 7'],
    ]);
  });

  it('takes a column with the name of the prototype for a column', async () => {
    const { rows } = await importCsv('id,kind,__proto__.kind,constructor\ncsv-9,,cellular,x\n');
    expect(rows[0].ok).toBe(false);
    expect(dashboard.registry.get('csv-9')).toBeUndefined();
    expect(Object.hasOwn(Object.prototype, 'kind')).toBe(false);
  });
});

describe('Requests at the edges', () => {
  it('larger than the limit get 413 in words', async () => {
    const body = JSON.stringify({ kind: 'cellular', name: 'x'.repeat(5_000) });
    const answer = await dashboard.ask('/api/v1/devices/m', { method: 'PUT', body });
    expect(answer.status).toBe(413);
    expect(await answer.json()).toMatchObject({
      ...{ title: 'Content Too Large', status: 413 },
      detail: 'the body has more than 4096 bytes',
    });
  });

  it('of malformed JSON get 400 without their own words', async () => {
    const body = '{"secret": hunter2';
    const answer = await dashboard.ask('/api/v1/devices/m', { method: 'PUT', body });
    expect(answer.status).toBe(400);
    expect(await answer.text()).not.toContain('hunter2');
  });

  it('with another method get 405 and those that there are', async () => {
    const answer = await dashboard.ask('/api/v1/devices/m', { method: 'PATCH' });
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'GET, HEAD, PUT, DELETE']);
    expect((await dashboard.ask('/healthz/live', { method: 'POST' })).status).toBe(405);
  });

  it('for the headers alone end, also on the stream', async () => {
    for (const path of ['/api/v1/devices', '/api/v1/live', '/', '/healthz/ready']) {
      const answer = await dashboard.ask(path, { method: 'HEAD' });
      expect(answer.status).toBe(200);
      expect(await answer.text()).toBe('');
    }
  });

  it('for what is not there get 404', async () => {
    for (const path of ['/api/v1/nothing', '/api/nothing', '/nothing', '/assets/nothing.js']) {
      const answer = await dashboard.ask(path);
      expect(answer.status).toBe(404);
      expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    }
  });

  it('cannot leave the folder of the page', async () => {
    for (const path of ['/%2e%2e/package.json', '/..%2fpackage.json', '/%00', '/%E0%A4%A']) {
      const { status } = await dashboard.ask(path);
      expect(status).toBeGreaterThanOrEqual(400);
      expect(status).toBeLessThan(500);
    }
  });

  it('get the page and headers that keep it safe', async () => {
    const answer = await dashboard.ask('/', { token: null });
    expect(await answer.text()).toContain('<title>page</title>');
    expect(answer.headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
    expect(answer.headers.get('referrer-policy')).toBe('no-referrer');
    expect(answer.headers.get('x-powered-by')).toBeNull();
    const api = await dashboard.ask('/api/v1/devices');
    expect(api.headers.get('cache-control')).toBe('no-store');
  });

  it('to upgrade that break off at once leave the gateway standing', async () => {
    for (const path of ['/nothing', '/live']) {
      for (let count = 0; count < 20; count += 1) await breakOff(path, dashboard.port);
    }
    expect((await dashboard.ask('/healthz/live')).status).toBe(200);
  });

  it('log nothing of a caller’s mistakes', () => {
    expect(dashboard.logged).toEqual([]);
  });
});

describe('The list of devices by codec', () => {
  const put = (path: string, body: object) =>
    dashboard.ask(`/api/v1/${path}`, {
      ...{ method: 'PUT', token: dashboard.tokens.admin, body: JSON.stringify(body) },
    });

  it('has those that name the codec and those whose model does, unless they name another', async () => {
    expect((await put('models/by-codec', { codec: 'cayenne-lpp' })).status).toBe(201);
    const kind = 'cellular';
    await put('devices/codec-own', { kind, codec: 'cayenne-lpp' });
    await put('devices/codec-of-model', { kind, model: 'by-codec' });
    await put('devices/codec-other', { kind, model: 'by-codec', codec: 'elsys-generic' });
    const { items } = await bodyOf('/api/v1/devices?codec=cayenne-lpp&q=codec-');
    const ids = items.map((item: { id: string }) => item.id);
    expect(ids).toEqual(['codec-of-model', 'codec-own']);
  });
});

describe('A list without parameters', () => {
  it('refuses one, as the others refuse an unknown one', async () => {
    expect(await bodyOf('/api/v1/quantities?unit=Cel')).toMatchObject({
      ...{ status: 400, detail: 'unknown parameter unit; known here: none' },
    });
  });
});

function breakOff(path: string, port: number): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.write(
        `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n`,
      );
      socket.write('Origin: http://elsewhere.example\r\n\r\n', () => socket.resetAndDestroy());
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve());
  });
}
