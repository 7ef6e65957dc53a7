/** Certificates renewed under open connections, and a stop amid messages. */
import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import mqtt from 'mqtt';
import { type GatewayProcess, startGatewayProcess, until } from '../setup/gateway-process.ts';
import { modem, modemId, mqttClients } from './accounts.ts';
import { uplinksAfter } from './gateway-api.ts';

let certificates: string;
beforeAll(async () => {
  certificates = await mkdtemp(join(tmpdir(), 'fieldgate-tls-'));
});
afterAll(() => rm(certificates, { recursive: true, force: true }));

function issue(name: string): void {
  const files = ['-keyout', join(certificates, 'key.pem'), '-out', join(certificates, 'cert.pem')];
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  execFileSync(
    'openssl',
    ['req', '-x509', '-days', '2', ...kind, '-subj', `/CN=${name}`, ...files],
    {
      stdio: 'ignore',
    },
  );
}

/** The name in the certificate that a new connection is shown. */
function nameAt(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false }, () => {
      resolve(new X509Certificate(socket.getPeerCertificate().raw).subject);
      socket.destroy();
    });
    socket.on('error', reject);
  });
}

describe('SIGHUP', () => {
  let gateway: GatewayProcess;
  let port: number;
  beforeAll(async () => {
    issue('first');
    const tls = {
      ...{ host: '127.0.0.1', port: 0 },
      certFile: join(certificates, 'cert.pem'),
      keyFile: join(certificates, 'key.pem'),
    };
    gateway = await startGatewayProcess({ config: { mqtt: { clients: mqttClients, tls } } });
    const listening = gateway.lines.find(({ event }) => event === 'listening');
    const addresses = Array.isArray(listening?.['addresses']) ? listening['addresses'] : [];
    port = addresses.find(({ name }) => name === 'mqtts')?.port ?? 0;
  }, 60_000);
  afterAll(() => gateway.stop());

  const reloaded = (event: string, count: number) =>
    until(`${event} ${count}`, () => {
      return gateway.lines.filter((line) => line['event'] === event).length === count;
    });

  it('has a renewed certificate shown to new clients, and keeps the old ones', async () => {
    const at = { ...modem, rejectUnauthorized: false, reconnectPeriod: 0 };
    const client = await mqtt.connectAsync(`mqtts://127.0.0.1:${port}`, at);
    expect(await nameAt(port)).toBe('CN=first');
    issue('second');
    process.kill(gateway.pid, 'SIGHUP');
    await reloaded('reloaded', 1);
    expect(await nameAt(port)).toBe('CN=second');
    await client.publishAsync(`up/${modemId}`, '{"ts":1760000000000,"values":{"n":1}}', { qos: 1 });
    expect(await uplinksAfter(gateway, 0)).toHaveLength(1);
    await client.endAsync();
  });

  it('changes nothing when a file is gone', async () => {
    const kept = await readFile(join(certificates, 'cert.pem'));
    await rm(join(certificates, 'cert.pem'));
    process.kill(gateway.pid, 'SIGHUP');
    await reloaded('reload-failed', 1);
    expect(kept.length).toBeGreaterThan(0);
    expect(await nameAt(port)).toBe('CN=second');
  });
});

describe('SIGTERM amid messages', () => {
  it('finishes the receipts in flight: what has its PUBACK is in the ledger, and it ends with 0', async () => {
    const config = { mqtt: { clients: mqttClients } };
    const first = await startGatewayProcess({ config });
    const at = { ...modem, reconnectPeriod: 0 };
    const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${first.mqttPort}`, at);
    client.on('error', () => undefined);
    let acknowledged = 0;
    for (let index = 0; index < 2_000; index += 1) {
      const ts = 1_760_000_000_000 + index * 1_000;
      const body = JSON.stringify({ ts, values: { n: index } });
      client.publish(`up/${modemId}`, body, { qos: 1 }, (error) => {
        if (!error) acknowledged += 1;
      });
    }
    await until('the first receipts', () => acknowledged > 100);
    expect(await first.kill('SIGTERM')).toBe(0);
    client.end(true);
    const next = await startGatewayProcess({ config, directory: first.directory });
    const written = (await uplinksAfter(next, 0)).length;
    expect(acknowledged).toBeGreaterThan(100);
    expect(written).toBeGreaterThanOrEqual(acknowledged);
    await next.stop();
  }, 60_000);
});
