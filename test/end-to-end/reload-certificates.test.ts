/** Certificates renewed under the same file names beside a running gateway, and `kill -HUP`. */
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { connectAsync } from 'mqtt';
import { parse, stringify } from 'yaml';
import { type GatewayProcess, startGatewayProcess, until } from '../setup/gateway-process.ts';
import { describeWith } from '../setup/tools.ts';
import {
  type Authority,
  createAuthority,
  type IssuedCertificate,
} from '../transports/authority.ts';
import { openStation } from '../transports/lora/station-wire.ts';
import { type Mosquitto, startMosquitto } from '../transports/mosquitto.ts';
import { serverMessage } from './field-senders.ts';
import { uplinksAfter } from './gateway-api.ts';

const eui = '0011223344556677';
const device = '02f1e1d5000000d1';

describeWith('mosquitto', 'SIGHUP after certificates were renewed', () => {
  let folder: string;
  let before: Authority;
  let after: Authority;
  let mosquitto: Mosquitto;
  let gateway: GatewayProcess;
  let port: number;
  const at = (name: string) => join(folder, name);

  async function write(name: string, { cert, key }: IssuedCertificate, ca: Buffer) {
    await writeFile(at(`${name}.pem`), cert);
    await writeFile(at(`${name}.key`), key, { mode: 0o600 });
    await writeFile(at(`${name}-ca.pem`), ca);
  }
  const writeBy = async (authority: Authority, name: string) =>
    write(name, await authority.issue(name), authority.ca);
  const filesOf = (name: string) => ({
    certFile: at(`${name}.pem`),
    keyFile: at(`${name}.key`),
    caFile: at(`${name}-ca.pem`),
  });

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'fieldgate-renewed-'));
    before = await createAuthority(folder, 'authority-before');
    after = await createAuthority(folder, 'authority-after');
    for (const name of ['station', 'client', 'broker']) await writeBy(before, name);
    const { certFile, keyFile, caFile } = filesOf('broker');
    const tls = [`certfile ${certFile}`, `keyfile ${keyFile}`, `cafile ${caFile}`];
    mosquitto = await startMosquitto([...tls, 'require_certificate true', 'user root']);
    const remote = { name: 'remote', url: `mqtts://127.0.0.1:${mosquitto.port}` };
    const session = { clientId: 'gateway', subscribe: ['v3/#'], vouches: 'network-server' };
    gateway = await startGatewayProcess({
      config: {
        ingest: {
          basicStation: { host: '127.0.0.1', port: 0, tls: filesOf('station') },
          remoteBrokers: [{ ...remote, ...session, tls: filesOf('client') }],
          remoteBrokerLimits: { firstRetryMs: 50, retryMsMax: 200 },
        },
      },
    });
    port = gateway.port('basic-station');
  }, 60_000);
  afterAll(async () => {
    await gateway.stop();
    await mosquitto.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const linesOf = (event: string) => gateway.lines.filter((line) => line['event'] === event);
  async function hangUp(event: 'reloaded' | 'reload-failed') {
    const count = linesOf(event).length;
    process.kill(gateway.pid, 'SIGHUP');
    return until(event, () => linesOf(event)[count]);
  }

  /** Who has signed what a new handshake is shown. */
  async function issuerShown(): Promise<unknown> {
    const socket = connectTls({ host: '127.0.0.1', port, rejectUnauthorized: false });
    await once(socket, 'secureConnect');
    const { issuer } = socket.getPeerCertificate();
    socket.destroy();
    return issuer.CN;
  }

  const isUp = (wanted: number) =>
    until(`remote broker ${wanted}`, async () => {
      return (await gateway.metric('fieldgate_remote_broker_up')) === wanted;
    });

  async function publish(authority: Authority, fCnt: number): Promise<void> {
    const shown = { ...(await authority.issue(`publisher-${fCnt}`)), ca: authority.ca };
    const publisher = await connectAsync(`mqtts://127.0.0.1:${mosquitto.port}`, shown);
    const topic = `v3/app1/devices/${device}/up`;
    await publisher.publishAsync(topic, serverMessage(fCnt, device), { qos: 1 });
    await publisher.endAsync();
    await until('it is written down', async () => {
      return (await uplinksAfter(gateway, 0)).some((uplink) => uplink.fCnt === fCnt);
    });
  }

  it('shows stations the new one from the next handshake on, and leaves who is there', async () => {
    const station = await openStation(`wss://127.0.0.1:${port}/traffic/${eui}`, {
      rejectUnauthorized: false,
    });
    expect(await issuerShown()).toBe('authority-before');
    await writeBy(after, 'station');
    expect(await issuerShown()).toBe('authority-before');
    expect(await hangUp('reloaded')).toMatchObject({ needRestart: [] });
    expect(await issuerShown()).toBe('authority-after');
    station.send({ msgtype: 'version', station: '2.0.6', protocol: 2 });
    expect((await station.messages(1))[0]).toContain('router_config');
    station.socket.terminate();
  });

  it('shows a remote broker the new one at the next connection, and leaves this one', async () => {
    await isUp(1);
    await writeBy(after, 'client');
    expect(await hangUp('reloaded')).toMatchObject({ needRestart: [] });
    await publish(before, 1);
    expect(linesOf('remote-broker-lost')).toHaveLength(0);
    await mosquitto.kill();
    await isUp(0);
    await writeBy(after, 'broker');
    await mosquitto.start();
    await isUp(1);
    await publish(after, 2);
  });

  it('takes files of other names, and says that another address waits for a restart', async () => {
    await writeBy(before, 'station-2');
    const file = join(gateway.directory, 'gateway.yaml');
    const text = await readFile(file, 'utf8');
    const { ingest, ...rest } = parse(text);
    const basicStation = { ...ingest.basicStation, tls: filesOf('station-2') };
    const [broker] = ingest.remoteBrokers;
    const moved = [{ ...broker, tls: filesOf('station-2') }];
    await writeFile(file, stringify({ ...rest, ingest: { ...ingest, basicStation } }));
    expect(await hangUp('reloaded')).toMatchObject({ needRestart: [] });
    expect(await issuerShown()).toBe('authority-before');
    await writeFile(file, stringify({ ...rest, ingest: { ...ingest, remoteBrokers: moved } }));
    expect(await hangUp('reloaded')).toMatchObject({ needRestart: [] });
    moved[0] = { ...moved[0], url: 'mqtts://127.0.0.1:1' };
    await writeFile(file, stringify({ ...rest, ingest: { ...ingest, remoteBrokers: moved } }));
    expect(await hangUp('reloaded')).toMatchObject({ needRestart: ['ingest.remoteBrokers'] });
    await writeFile(file, text);
    expect(await hangUp('reloaded')).toMatchObject({ needRestart: [] });
  });

  it.each([
    ['station', 'ingest.basicStation.tls: '],
    ['client', 'ingest.remoteBrokers: tls of remote: '],
  ])('leaves all as it was while the key of %s is that of another one', async (name, problem) => {
    const sound = await readFile(at(`${name}.key`));
    await writeFile(at(`${name}.key`), (await before.issue('another')).key);
    const { problems } = await hangUp('reload-failed');
    expect(problems).toEqual([expect.stringContaining(problem)]);
    expect(await issuerShown()).toBe('authority-after');
    await writeFile(at(`${name}.key`), sound);
    await hangUp('reloaded');
  });
});
