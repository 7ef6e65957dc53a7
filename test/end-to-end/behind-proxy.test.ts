/** A gateway behind a reverse proxy: whose address limits, bans and logs go by. */
import { afterEach, describe, expect, it } from '@jest/globals';
import { connectAsync } from 'mqtt';
import { type GatewayProcess, startGatewayProcess } from '../setup/gateway-process.ts';
import { modem, mqttClients } from './accounts.ts';

let gateway: GatewayProcess | undefined;
afterEach(async () => gateway?.stop());

/** The address that the gateway knows a client by who comes over WebSocket with this header. */
async function addressOf(trustProxy: boolean, forwarded: string): Promise<unknown> {
  const started = await startGatewayProcess({
    config: { mqtt: { clients: mqttClients }, http: { trustProxy } },
  });
  gateway = started;
  const client = await connectAsync(`${started.http.replace('http', 'ws')}/mqtt`, {
    ...{ ...modem, protocolVersion: 4, clientId: 'behind-a-proxy' },
    wsOptions: { headers: { 'X-Forwarded-For': forwarded } },
  });
  const clients = await started.get('/api/v1/clients');
  client.end(true);
  return clients;
}

const of = (address: string) => ({ items: [{ clientId: 'behind-a-proxy', address }] });

describe('A client of MQTT over WebSocket behind a proxy', () => {
  it.each([
    ['203.0.113.9', '203.0.113.9'],
    ['2001:db8::9', '2001:db8::9'],
    // What the client has written itself stands before it.
    ['198.51.100.1, 203.0.113.9', '203.0.113.9'],
    ['no address', '127.0.0.1'],
    ['', '127.0.0.1'],
  ])(
    'is known by what the trusted proxy has written last: %p',
    async (forwarded, address) => {
      expect(await addressOf(true, forwarded)).toMatchObject(of(address));
    },
    30_000,
  );

  it('is known by the address of the connection where no proxy is trusted', async () => {
    expect(await addressOf(false, '203.0.113.9')).toMatchObject(of('127.0.0.1'));
  }, 30_000);
});
