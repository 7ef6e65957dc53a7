/** Webhooks and CoAP accounts edited in the file of a running gateway, and `kill -HUP`. */
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { parse, stringify } from 'yaml';
import { type GatewayProcess, startGatewayProcess, until } from '../setup/gateway-process.ts';
import { type RequestPacket, requestPacket } from '../transports/coap/wire.ts';
import { openUdpClient, type UdpClient } from '../transports/udp-wire.ts';
import { uplinksAfter } from './gateway-api.ts';

const adapter = 'modem-json';
const webhook = (name: string, token: string) => ({
  ...{ name, adapter, deviceId: name },
  auth: { kind: 'token', token },
});
const modem = (name: string, token: string) => ({ name, token, deviceId: name });
const [oldToken, newToken] = ['a-test-token-of-before', 'a-test-token-of-after'];
const before = {
  webhooks: { sources: [webhook('gone', oldToken), webhook('kept', oldToken)] },
  coap: { port: 0, accounts: [modem('modem-gone', 'a-test-token-of-one'), modem('m', oldToken)] },
};

let gateway: GatewayProcess;
let file: string;
let client: UdpClient;
beforeAll(async () => {
  gateway = await startGatewayProcess({ config: { ingest: before } });
  file = join(gateway.directory, 'gateway.yaml');
  client = openUdpClient(gateway.port('coap'));
}, 60_000);
afterAll(async () => {
  client.close();
  await gateway.stop();
});

const linesOf = (event: string) => gateway.lines.filter((line) => line['event'] === event);

/** Writes the section and gives the log line that answers the signal. */
async function change(ingest: object, event: 'reloaded' | 'reload-failed' = 'reloaded') {
  await writeFile(file, stringify({ ...parse(await readFile(file, 'utf8')), ingest }));
  const count = linesOf(event).length;
  process.kill(gateway.pid, 'SIGHUP');
  return until(event, () => linesOf(event)[count]);
}

beforeEach(() => change(before));

let values = 0;
/** Another one each time, so that none is taken for a resend. */
function body(): string {
  values += 1;
  return JSON.stringify({ ts: 1_760_000_000_000 + values, values: { n: values } });
}

async function push(name: string, token: string): Promise<number> {
  const headers = { Authorization: `Bearer ${token}` };
  const to = `${gateway.http}/ingest/${name}`;
  return (await fetch(to, { method: 'POST', headers, body: body() })).status;
}

/** A request whose body is held back: the gateway has asked for it, so it has read the head. */
async function begin(name: string, token: string, length: number): Promise<ClientRequest> {
  const headers = {
    Authorization: `Bearer ${token}`,
    'Content-Length': length,
    Expect: '100-continue',
  };
  const begun = request(`${gateway.http}/ingest/${name}`, { method: 'POST', headers });
  begun.flushHeaders();
  await once(begun, 'continue');
  return begun;
}

let messageId = 0;
/** The code of the answer, in hex: 44 is 2.04, 5f is 2.31, 81 is 4.01. */
async function ask(packet: RequestPacket): Promise<string | undefined> {
  messageId += 1;
  const count = client.received.length;
  client.send(requestPacket({ messageId, ...packet }));
  return (await client.answers(count + 1))[count]?.slice(2, 4);
}

const up = (name: string, token: string): RequestPacket => ({
  ...{ path: `up/${name}`, query: [`token=${token}`], payload: body() },
});

describe('SIGHUP after a change of the webhooks', () => {
  it('refuses who is gone or brings the old secret, and lets in who is new', async () => {
    expect([await push('gone', oldToken), await push('kept', oldToken)]).toEqual([204, 204]);
    expect(await push('fresh', newToken)).toBe(404);
    const sources = [webhook('kept', newToken), webhook('fresh', newToken)];
    const line = await change({ ...before, webhooks: { sources } });
    expect(line).toMatchObject({
      webhooks: {
        added: { count: 1, names: ['fresh'] },
        removed: { count: 1, names: ['gone'] },
        changed: { count: 1, names: ['kept'] },
      },
      waiting: { count: 0 },
      needRestart: [],
    });
    expect(JSON.stringify(line)).not.toContain(newToken);
    expect([await push('gone', oldToken), await push('kept', oldToken)]).toEqual([404, 401]);
    const { length } = await uplinksAfter(gateway, 0);
    expect([await push('kept', newToken), await push('fresh', newToken)]).toEqual([204, 204]);
    const stored = (await uplinksAfter(gateway, 0)).slice(length);
    expect(stored.map(({ outcome }) => outcome)).toEqual(['accepted', 'accepted']);
  });

  it('finishes a request under way, and has it read, though its source is gone', async () => {
    const { length } = await uplinksAfter(gateway, 0);
    const text = body();
    const begun = await begin('gone', oldToken, text.length);
    await change({ ...before, webhooks: { sources: [] } });
    const answered: Promise<IncomingMessage[]> = once(begun, 'response');
    begun.end(text);
    const [response] = await answered;
    response?.resume();
    expect(response?.statusCode).toBe(204);
    const stored = (await uplinksAfter(gateway, 0)).slice(length);
    expect(stored.map(({ outcome }) => outcome)).toEqual(['accepted']);
    expect(await push('gone', oldToken)).toBe(404);
  });

  it('says which source waits for a restart since its mapping is new', async () => {
    const mappings = [{ profile: 'vega', name: 'later' }];
    const sources = [{ ...webhook('kept', oldToken), adapter: 'later' }];
    const more = { ...webhook('fresh', newToken), adapter: 'later' };
    const line = await change({ ...before, mappings, webhooks: { sources: [...sources, more] } });
    expect(line).toMatchObject({
      waiting: { count: 2, names: ['kept', 'fresh'] },
      needRestart: ['ingest.mappings'],
    });
    expect([await push('kept', oldToken), await push('fresh', newToken)]).toEqual([204, 404]);
  });
});

describe('SIGHUP after a change of the CoAP accounts', () => {
  it('refuses who is gone or brings the old token, and lets in who is new', async () => {
    expect(await ask(up('modem-gone', 'a-test-token-of-one'))).toBe('44');
    const accounts = [modem('m', newToken), modem('fresh', 'a-test-token-of-a-third')];
    expect(await change({ ...before, coap: { port: 0, accounts } })).toMatchObject({
      coap: { added: { count: 1 }, removed: { names: ['modem-gone'] }, changed: { names: ['m'] } },
      needRestart: [],
    });
    expect(await ask(up('modem-gone', 'a-test-token-of-one'))).toBe('81');
    expect(await ask(up('m', oldToken))).toBe('81');
    expect(await ask(up('m', newToken))).toBe('44');
    expect(await ask(up('fresh', 'a-test-token-of-a-third'))).toBe('44');
  });

  it('goes on with a body in blocks while its account stays as it was', async () => {
    const [text, size] = [body(), 16];
    const block = (num: number): RequestPacket => ({
      ...up('m', oldToken),
      payload: text.slice(num * size, (num + 1) * size),
      block1: { num, more: (num + 1) * size < text.length, exponent: 0 },
    });
    expect(await ask(block(0))).toBe('5f');
    await change({ ...before, coap: { port: 0, accounts: [modem('m', oldToken)] } });
    const codes: (string | undefined)[] = [];
    for (let num = 1; num * size < text.length; num += 1) codes.push(await ask(block(num)));
    expect(codes.at(-1)).toBe('44');
  });

  it('refuses all accounts of a section that is gone, whose port waits for a restart', async () => {
    const line = await change({ webhooks: before.webhooks });
    expect(line).toMatchObject({ coap: { removed: { count: 2 } }, needRestart: ['ingest.coap'] });
    expect(await ask(up('m', oldToken))).toBe('81');
  });
});

describe('SIGHUP with an unsound file', () => {
  it('leaves the accounts in force, and says where and what to do', async () => {
    const sources = [{ ...webhook('fresh', newToken), adapter: 'modem-jsn' }];
    const accounts = [{ ...modem('fresh', newToken), tokn: oldToken }];
    const line = await change({ webhooks: { sources } }, 'reload-failed');
    const at = async (word: RegExp) =>
      (await readFile(file, 'utf8')).split('\n').findIndex((text) => word.test(text)) + 1;
    const where = `${file}:${await at(/modem-jsn/)}: ingest.webhooks.sources.0.adapter: `;
    expect(line['problems']).toEqual([expect.stringContaining(`${where}no adapter is named`)]);
    expect(String(line['problems'])).toContain('known: ');
    const { problems } = await change({ ...before, coap: { accounts } }, 'reload-failed');
    const key = `${file}:${await at(/tokn/)}: ingest.coap.accounts.0.tokn`;
    expect(problems).toEqual([`${key}: unknown key (did you mean token?)`]);
    expect([await push('kept', oldToken), await push('fresh', newToken)]).toEqual([204, 404]);
    expect(await ask(up('m', oldToken))).toBe('44');
    expect(await ask(up('fresh', newToken))).toBe('81');
  });
});
