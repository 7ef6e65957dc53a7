/**
 * Which adapter reads a message: that of its source as it was when the message came in by it, and
 * none of a source for what came by another way.
 */
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { type IncomingMessage, request } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { connectAsync } from 'mqtt';
import { parse, stringify } from 'yaml';
import type { UplinkJson } from '../../dashboard/protocol-uplinks.ts';
import { type GatewayProcess, startGatewayProcess, until } from '../setup/gateway-process.ts';
import { type RequestPacket, requestPacket } from '../transports/coap/wire.ts';
import { openUdpClient, type UdpClient } from '../transports/udp-wire.ts';
import { uplinksAfter } from './gateway-api.ts';

const token = 'a-test-token-of-a-source';
const pusher = { username: 'pusher', password: 'a test password' };
const ingestWith = (adapter: string) => ({
  webhooks: {
    sources: [{ name: 'pump', adapter, deviceId: 'pump', auth: { kind: 'token', token } }],
  },
  coap: {
    port: 0,
    accounts: [{ name: 'meter', adapter, deviceId: 'meter', token, publish: ['#'] }],
  },
});

let gateway: GatewayProcess;
let client: UdpClient;
beforeAll(async () => {
  const clients = [{ ...pusher, publish: ['ingest/#', '/ingest/#'] }];
  gateway = await startGatewayProcess({
    config: { ingest: ingestWith('modem-json'), mqtt: { clients } },
  });
  client = openUdpClient(gateway.port('coap'));
}, 60_000);
afterAll(async () => {
  client.close();
  await gateway.stop();
});

let values = 0;
function body(): string {
  values += 1;
  return JSON.stringify({ ts: 1_760_000_000_000 + values, values: { n: values } });
}

/** What is written down after `act` and, in the ledger, after what was there. */
async function writtenBy(act: () => Promise<unknown>): Promise<UplinkJson> {
  const { length } = await uplinksAfter(gateway, 0);
  await act();
  return until('it is written down', async () => (await uplinksAfter(gateway, 0))[length]);
}

const readBy = ({ outcome, adapter }: UplinkJson) => ({ outcome, adapter });
const read = (adapter: string) => ({ outcome: 'accepted', adapter });

async function take(adapter: string): Promise<void> {
  const file = join(gateway.directory, 'gateway.yaml');
  const ingest = ingestWith(adapter);
  await writeFile(file, stringify({ ...parse(await readFile(file, 'utf8')), ingest }));
  const lines = () => gateway.lines.filter(({ event }) => event === 'reloaded');
  const { length } = lines();
  process.kill(gateway.pid, 'SIGHUP');
  await until('reloaded', () => lines()[length]);
}

const headers = { Authorization: `Bearer ${token}` };
const push = () => fetch(`${gateway.http}/ingest/pump`, { method: 'POST', headers, body: body() });

let messageId = 0;
async function ask(packet: RequestPacket): Promise<void> {
  messageId += 1;
  const count = client.received.length;
  const query = [...(packet.query ?? []), `token=${token}`];
  client.send(requestPacket({ ...packet, messageId, query }));
  await client.answers(count + 1);
}

describe('A message at the path of a source', () => {
  it('is read by the adapter of the source when it comes by its door', async () => {
    expect(readBy(await writtenBy(push))).toEqual(read('modem-json'));
    const own = { path: 'ingest/meter', payload: body() };
    expect(readBy(await writtenBy(() => ask(own)))).toEqual(read('modem-json'));
  });

  it.each(['/ingest/pump', '/ingest/meter'])('is not when it comes over MQTT on %s', async (to) => {
    const publisher = await connectAsync(`mqtt://127.0.0.1:${gateway.mqttPort}`, pusher);
    const entry = await writtenBy(() => publisher.publishAsync(to, body(), { qos: 1 }));
    await publisher.endAsync();
    expect(entry).toMatchObject({
      outcome: 'quarantined',
      fault: { code: 'INBOUND_UNRECOGNISED' },
    });
  });

  it('is not when it is the topic of a CoAP message', async () => {
    const topic = { path: 'x', query: ['t=/ingest/pump'], payload: body() };
    expect(await writtenBy(() => ask(topic))).toMatchObject({
      fault: { code: 'INBOUND_UNRECOGNISED' },
    });
  });
});

describe('A request whose source gets another adapter while it is under way', () => {
  it('is read by the adapter that its source had, and the next by the new one', async () => {
    const text = body();
    const to = `${gateway.http}/ingest/pump`;
    const expecting = { ...headers, 'Content-Length': text.length, Expect: '100-continue' };
    const begun = request(to, { method: 'POST', headers: expecting });
    begun.flushHeaders();
    await once(begun, 'continue');
    await take('chirpstack-v4-json');
    const finish = async () => {
      const answered: Promise<IncomingMessage[]> = once(begun, 'response');
      begun.end(text);
      const [response] = await answered;
      response?.resume();
      expect(response?.statusCode).toBe(204);
    };
    expect(readBy(await writtenBy(finish))).toEqual(read('modem-json'));
    expect(await writtenBy(push)).toMatchObject({
      outcome: 'quarantined',
      adapter: 'chirpstack-v4-json',
    });
    await take('modem-json');
    expect(readBy(await writtenBy(push))).toEqual(read('modem-json'));
  });
});
