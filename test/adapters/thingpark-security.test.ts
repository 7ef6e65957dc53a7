import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  checkThingParkToken,
  isGenuineRequest,
} from '../../gateway/adapters/thingpark-security.ts';

interface Vector {
  readonly id: string;
  readonly keys: Readonly<Record<string, string>>;
  readonly input: { readonly body: Readonly<Record<string, string>>; readonly query: string };
  readonly expect: Readonly<Record<string, string>>;
}

const file = new URL('../fixtures/lorawan/vectors.json', import.meta.url);
const { vectors }: { vectors: Vector[] } = JSON.parse(readFileSync(file, 'utf8'));

function vectorOf(id: string): Vector {
  const vector = vectors.find((each) => each.id === id);
  if (vector === undefined) throw new Error(`no vector ${id}`);
  return vector;
}

describe("ThingPark's token", () => {
  const { keys, input, expect: expected } = vectorOf('thingpark-token');
  const key = keys['tunnelInterfaceAuthKey'] ?? '';
  const token = expected['token'] ?? '';
  const request = {
    root: 'DevEUI_uplink',
    body: input.body,
    query: `${input.query}&Token=${token}`,
    key,
  };
  const now = Date.parse('2019-04-29T18:21:17.290+02:00');
  const tunnel = { asId: 'sink', key, timeWindowMs: 60_000 };
  const uplinkOf = (change: object) =>
    Buffer.from(JSON.stringify({ DevEUI_uplink: { ...input.body, ...change } }));

  it('is right for the published request', () => {
    expect(checkThingParkToken(request)).toBe(true);
  });

  it('is right in capitals, with escapes, in another order and with numbers in the body', () => {
    const [first = '', ...others] = input.query.split('&');
    const reordered = [...others, `Token=${token}`, first].join('&');
    const time = input.query.replace(/:/g, '%3A').replace('+', '%2B');
    for (const query of [reordered, `${time}&Token=${token}`, `Token=${token}&${input.query}`]) {
      expect(checkThingParkToken({ ...request, query })).toBe(true);
    }
    expect(checkThingParkToken({ ...request, key: key.toUpperCase() })).toBe(true);
    const body = { ...input.body, FPort: 1, FCntUp: 0 };
    expect(checkThingParkToken({ ...request, body })).toBe(true);
  });

  it('is wrong when one character of anything that it covers is another', () => {
    const bodies = Object.keys(input.body).map((field) => ({
      ...request,
      body: { ...input.body, [field]: `${input.body[field]}1` },
    }));
    const queries = [
      { ...request, query: request.query.replace('sink', 'sank') },
      { ...request, query: request.query.replace('+02:00', '+03:00') },
      { ...request, query: request.query.replace(token, token.slice(1)) },
      { ...request, query: input.query },
      { ...request, query: `${request.query}${'&x'.repeat(1_024)}` },
      { ...request, query: request.query.replace('sink', '%zz') },
    ];
    const keyed = [
      { ...request, key: '' },
      { ...request, key: key.replace('b', 'c') },
      { ...request, root: 'DevEUI_location' },
      { ...request, root: 'DevEUI_alarm' },
    ];
    for (const wrong of [...bodies, ...queries, ...keyed]) {
      expect(checkThingParkToken(wrong)).toBe(false);
    }
  });

  it.each([
    ['DevEUI_downlink_Sent', '1001220020024AEB3C02BE1C419'],
    ['DevEUI_location', '1001220020024aeb3c02be1c4'],
  ])('of %s covers the fields of that type', (root, fields) => {
    const body = { CustomerID: 100122002, DevEUI: '0024aeb3C02BE1C4', FPort: '1', FCntDn: 9 };
    const hash = createHash('sha256')
      .update(fields + input.query + key)
      .digest('hex');
    const query = `${input.query}&Token=${hash}`;
    expect(checkThingParkToken({ root, body, query, key })).toBe(true);
  });

  it('is looked for in a body of JSON or XML as it came', () => {
    const fields = Object.entries(input.body).map(([name, value]) => `<${name}>${value}</${name}>`);
    const bodies = [
      JSON.stringify({ DevEUI_uplink: input.body }),
      `<?xml version="1.0"?><DevEUI_uplink>${fields.join('')}</DevEUI_uplink>`,
    ];
    const isGenuine = (body: string) =>
      isGenuineRequest({ query: request.query, body: Buffer.from(body), now }, tunnel);
    expect(bodies.map(isGenuine)).toEqual([true, true]);
    expect(['{', '{}', '{"DevEUI_uplink":1}', '<a/>'].some(isGenuine)).toBe(false);
  });

  it.each([
    ['of another application server', {}, { asId: 'sank' }],
    ['with another key', {}, { key: '0'.repeat(32) }],
    ['recorded and sent again later', { now: now + 60_001 }, {}],
    ['from a clock that is far ahead', { now: now - 60_001 }, {}],
    ['without a time', { query: request.query.replace('Time=', 'Tide=') }, {}],
    ['with a time that is none', { query: request.query.replace('2019', 'then') }, {}],
    ['without a query', { query: '' }, {}],
    ['with a query without end', { query: `${request.query}${'&x'.repeat(1_024)}` }, {}],
    ['with another payload', { body: uplinkOf({ payload_hex: '3e8d2191' }) }, {}],
  ])('is of no use for a request %s', (_name, change, other) => {
    const genuine = { query: request.query, body: uplinkOf({}), now };
    expect(isGenuineRequest(genuine, tunnel)).toBe(true);
    expect(isGenuineRequest({ ...genuine, now: now + 60_000 }, tunnel)).toBe(true);
    expect(isGenuineRequest({ ...genuine, ...change }, { ...tunnel, ...other })).toBe(false);
  });

  it('never throws, whatever the request is', () => {
    fc.assert(
      fc.property(fc.string(), fc.dictionary(fc.string(), fc.jsonValue()), (query, body) => {
        expect(checkThingParkToken({ ...request, query, body })).toBe(false);
      }),
      { numRuns: 50 },
    );
  });
});
