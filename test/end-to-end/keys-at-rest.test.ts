/**
 * The keys of devices in the compiled gateway, as frames and joins go on: moved from a key file in
 * clear to a secret and on to a token, exported, and found nowhere where they could be read.
 */
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { connectAsync, type MqttClient } from 'mqtt';
import { stringify } from 'yaml';
import { wrapAes } from '../../gateway/lorawan/key-wrap.ts';
import type { Session } from '../../gateway/model/device.ts';
import { uplinkFrame } from '../lorawan/simulated-frame.ts';
import { joinAccept, joinedSession, joinRequest, type Roots } from '../lorawan/simulated-join.ts';
import { type GatewayProcess, startGatewayProcess, until } from '../setup/gateway-process.ts';
import { filesBelow, type Place, placesOf } from '../setup/key-spellings.ts';
import { makeSoftToken, type SoftToken } from '../setup/soft-token.ts';
import { describeWith } from '../setup/tools.ts';
import { uplinksAfter } from './gateway-api.ts';
import { type Ending, runProgramIn } from './program.ts';

const password = 'a-test-password';
const joinEui = '70b3d57ed0000000';
const topic = 'eu868/gateway/0016c001ff10a1b2';
/** No two are alike, and none is found by chance. */
const keyOf = (name: string) => createHash('sha256').update(name).digest().subarray(0, 16);
const kek = { label: 'town', key: keyOf('the KEK of the town') };
const secret = createHash('sha256').update('the secret').digest();

interface Sender {
  readonly id: string;
  session: Session;
  fCnt: number;
  /** Of one that joins. */
  readonly roots?: Roots;
  joins: number;
}

describeWith('softhsm2-util', 'The keys of devices', () => {
  const folder = mkdtempSync(join(tmpdir(), 'fieldgate-keys-'));
  const dataDir = join(folder, 'data');
  const senders: Sender[] = [];
  const keys: Buffer[] = [];
  const said: Place[] = [];
  const sent: string[] = [];
  let token: SoftToken;
  let gateway: GatewayProcess;
  let client: MqttClient;
  let firstMasterKey: Buffer;

  const secretsIn = (name: string, text: string): string => {
    writeFileSync(join(folder, name), `${text}\n`, { mode: 0o600 });
    return join(folder, name);
  };

  /** Nothing secret stands in a configuration: it all comes by the environment. */
  const environment = (kind: 'file' | 'secret' | 'pkcs11', prefix = 'FIELDGATE__') => {
    const at = `${prefix}KEYS__PROTECTION`;
    const own = {
      file: {},
      secret: { [`${at}__SECRET`]: secret.toString('hex') },
      pkcs11: { [`${at}__PIN__FILE`]: secretsIn('pin', token.options.pin) },
    };
    const kekFile = secretsIn('kek', kek.key.toString('hex'));
    const keks = prefix === 'FIELDGATE__' ? { FIELDGATE__KEYS__KEKS__0__KEY__FILE: kekFile } : {};
    return { ...token.environment, ...own[kind], ...keks };
  };

  const configOf = (kind: 'file' | 'secret' | 'pkcs11') => {
    const { module, tokenLabel, keyLabel } = token.options;
    const more = kind === 'pkcs11' ? { module, tokenLabel, keyLabel } : {};
    return {
      mqtt: { clients: [{ username: 'bridge', password, publish: ['eu868/gateway/#'] }] },
      keys: { protection: { kind, ...more }, keks: [{ label: kek.label }] },
    };
  };

  const fileOf = (kind: 'file' | 'secret' | 'pkcs11'): string => {
    const file = join(folder, `${kind}.yaml`);
    writeFileSync(file, stringify({ version: 1, dataDir, ...configOf(kind) }));
    return file;
  };

  const note = (name: string, text: string) => said.push({ name, bytes: Buffer.from(text) });
  const hear = ({ code, stdout, stderr }: Ending): string => {
    note(`output ${said.length}`, stdout + stderr);
    expect(stderr).toBe('');
    expect(code).toBe(0);
    return stdout;
  };

  async function start(kind: 'file' | 'secret' | 'pkcs11'): Promise<void> {
    const config = { dataDir, ...configOf(kind) };
    gateway = await startGatewayProcess({
      ...{ config, directory: folder, environment: environment(kind) },
    });
    client = await connectAsync(`mqtt://127.0.0.1:${gateway.mqttPort}`, {
      ...{ username: 'bridge', password },
    });
  }

  async function ask(path: string, init: RequestInit = {}): Promise<string> {
    const headers = { Authorization: `Bearer ${gateway.token}` };
    const type = init.body === undefined ? {} : { 'Content-Type': 'application/json' };
    const answer = await fetch(`${gateway.http}${path}`, {
      ...{ ...init, headers: { ...headers, ...type } },
    });
    const text = await answer.text();
    note(path, text);
    return text;
  }

  const up = (frame: Buffer) =>
    client.publishAsync(
      `${topic}/event/up`,
      JSON.stringify({
        phyPayload: frame.toString('base64'),
        txInfo: {
          frequency: 868_100_000,
          modulation: { lora: { bandwidth: 125_000, spreadingFactor: 12, codeRate: 'CR_4_5' } },
        },
        rxInfo: { gatewayId: '0016c001ff10a1b2', rssi: -60, crcStatus: 'CRC_OK' },
      }),
      { qos: 1 },
    );

  const down = (frame: Buffer) =>
    client.publishAsync(
      `${topic}/command/down`,
      JSON.stringify({
        ...{ gatewayId: '0016c001ff10a1b2', downlinkId: 1 },
        items: [{ phyPayload: frame.toString('base64') }],
      }),
      { qos: 1 },
    );

  /** The session changes as it is granted, and the next frame is of the new one. */
  async function joinAnew(one: Sender): Promise<void> {
    if (one.roots === undefined) return;
    one.joins += 1;
    const names = { devEui: one.id, joinEui };
    const isOf11 = one.roots.nwkKey !== undefined;
    const grant = {
      ...{ joinNonce: one.joins, netId: '000013', devAddr: `2601${one.id.slice(-4)}` },
      ...(isOf11 ? { of11: { ...names, joinReqType: 255, devNonce: one.joins } } : {}),
    };
    await up(joinRequest(one.roots.nwkKey ?? one.roots.appKey, names, one.joins));
    await down(joinAccept(one.roots, grant));
    one.session = joinedSession(one.roots, grant, { ...names, devNonce: one.joins });
    one.fCnt = 0;
    keys.push(...Object.values(one.session.keys));
    const isHeard = async () => {
      const events = await uplinksAfter(gateway, 0, `device=${one.id}&outcome=event`);
      return events.filter(({ event }) => event === 'join-accept').length === one.joins;
    };
    await until('the accept is heard', isHeard);
  }

  async function sendAll(): Promise<void> {
    for (const one of senders) {
      const payload = Buffer.from([1, 0x67, one.fCnt >> 8, one.fCnt & 0xff]);
      await up(uplinkFrame(one.session, { fCnt: one.fCnt, fPort: 1, payload }));
      sent.push(`${one.id} ${one.fCnt}`);
      one.fCnt += 1;
    }
  }

  /** Frames, joins and new devices, until the command has ended. */
  async function underLoad(command: Promise<Ending>): Promise<string> {
    let isOver = false;
    const done = command.finally(() => {
      isOver = true;
    });
    for (let round = 0; !isOver; round += 1) {
      await sendAll();
      if (round % 20 === 5) for (const one of senders) await joinAnew(one);
      if (round % 20 === 10) await putNew();
      await sleep(20);
    }
    return hear(await done);
  }

  const ids = () => `02f1e1d5000002${(senders.length + 16).toString(16)}`;

  async function register(device: object, one: Omit<Sender, 'fCnt' | 'joins'>): Promise<void> {
    const body = JSON.stringify([device]);
    const { imported } = JSON.parse(await ask('/api/v1/devices:import', { method: 'POST', body }));
    expect(imported).toBe(1);
    senders.push({ ...one, fCnt: 0, joins: 0 });
  }

  const sessionFor = (id: string): Session => {
    const nwkSKey = keyOf(`nwkSKey ${id}`);
    const own = { appSKey: keyOf(`appSKey ${id}`), fNwkSIntKey: nwkSKey };
    keys.push(...Object.values(own));
    const devAddr = `2601${id.slice(-4)}`;
    const all = { ...own, sNwkSIntKey: nwkSKey, nwkSEncKey: nwkSKey };
    return { deviceId: id, devAddr, macVersion: '1.0', keys: all };
  };

  /** As a person writes it, with its keys in clear. */
  async function putNew(): Promise<void> {
    const id = ids();
    const session = sessionFor(id);
    const { appSKey, fNwkSIntKey } = session.keys;
    const own = { appSKey: appSKey.toString('hex'), nwkSKey: fNwkSIntKey.toString('hex') };
    const { devAddr } = session;
    await register(
      { id, kind: 'lorawan', devAddr, codec: 'cayenne-lpp', keys: own },
      { id, session },
    );
  }

  /** As The Things Stack exports it, its session keys wrapped. */
  async function importWrapped(): Promise<void> {
    const id = ids();
    const session = sessionFor(id);
    const wrapped = (key: Buffer) => ({
      ...{ kek_label: kek.label, encrypted_key: wrapAes(key, kek.key).toString('base64') },
    });
    const { appSKey, fNwkSIntKey } = session.keys;
    const of = { app_s_key: wrapped(appSKey), f_nwk_s_int_key: wrapped(fNwkSIntKey) };
    const row = {
      ...{ ids: { device_id: id, dev_eui: id }, session: { dev_addr: session.devAddr, keys: of } },
    };
    await register(row, { id, session });
  }

  async function putJoining(macVersion: '1.0.3' | '1.1'): Promise<void> {
    const id = ids();
    const nwkKey = macVersion === '1.1' ? { nwkKey: keyOf(`nwkKey ${id}`) } : {};
    const roots = { appKey: keyOf(`appKey ${id}`), ...nwkKey };
    keys.push(...Object.values(roots));
    const hex = Object.entries(roots).map(([name, key]) => [name, key.toString('hex')]);
    const device = { ...{ id, kind: 'lorawan', activation: 'otaa', macVersion, joinEui } };
    const all = { ...device, codec: 'cayenne-lpp', keys: Object.fromEntries(hex) };
    await register(all, { id, roots, session: sessionFor(id) });
    const one = senders.at(-1);
    if (one !== undefined) await joinAnew(one);
  }

  beforeAll(async () => {
    token = makeSoftToken(folder);
    await start('file');
    firstMasterKey = readFileSync(join(dataDir, 'device-keys.kek'));
    await putJoining('1.0.3');
    await putJoining('1.1');
    await putNew();
    await importWrapped();
  }, 60_000);

  afterAll(async () => {
    await client.endAsync();
    await gateway.kill('SIGTERM');
    rmSync(folder, { recursive: true, force: true });
  });

  it('move from a file in clear to a secret to a token, while no frame is lost', async () => {
    expect(firstMasterKey).toHaveLength(32);
    await underLoad(runProgramIn(environment('secret'), 'keys', 'rotate', '-c', fileOf('secret')));
    const both = { ...environment('pkcs11'), ...environment('secret', 'FIELDGATE_FROM__') };
    const words = ['-c', fileOf('pkcs11'), '--from', fileOf('secret')];
    await underLoad(runProgramIn(both, 'keys', 'rotate', ...words));
    await sendAll();
    const entries = await uplinksAfter(gateway, 0, 'outcome=accepted');
    const proven = entries.filter(({ vouchedBy }) => vouchedBy === 'mic');
    expect(proven.map(({ device, fCnt }) => `${device} ${fCnt}`).sort()).toEqual(sent.sort());
    expect(sent.length).toBeGreaterThan(100);
    for (const outcome of ['quarantined', 'replayed']) {
      expect(await uplinksAfter(gateway, 0, `outcome=${outcome}`)).toEqual([]);
    }
  }, 120_000);

  it('open after a kill, with the token and its PIN only', async () => {
    const { lines } = gateway;
    note('log', JSON.stringify(lines));
    await client.endAsync();
    await gateway.kill('SIGKILL');
    const wrong = {
      ...environment('pkcs11'),
      FIELDGATE__KEYS__PROTECTION__PIN__FILE: fileOf('file'),
    };
    const [refused, left] = await Promise.all([
      runProgramIn(wrong, 'keys', 'status', '-c', fileOf('pkcs11')),
      runProgramIn(environment('secret'), 'keys', 'status', '-c', fileOf('secret')),
    ]);
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('PIN') });
    expect(left.stderr).toContain('wrapped by a PKCS#11 token');
    await start('pkcs11');
    const before = sent.length;
    await sendAll();
    const entries = await uplinksAfter(gateway, 0, 'outcome=accepted');
    expect(entries.filter(({ vouchedBy }) => vouchedBy === 'mic')).toHaveLength(sent.length);
    expect(sent.length - before).toBe(senders.length);
    const words = ['keys', 'status', '--json', '-c', fileOf('pkcs11')];
    const status = JSON.parse(hear(await runProgramIn(environment('pkcs11'), ...words)));
    expect(status).toMatchObject({ protection: 'pkcs11', older: 0, unreadable: 0 });
    expect(status.keyIds).toHaveLength(1);
    expect(status.current).toBeGreaterThan(senders.length * 2);
  }, 60_000);

  it('are exported wrapped, for who asks, and that is written down', async () => {
    const out = join(folder, 'export.json');
    const config = ['-c', fileOf('pkcs11')];
    const run = (...words: string[]) =>
      runProgramIn(environment('pkcs11'), 'keys', 'export', ...config, ...words);
    const [whole, only, village] = await Promise.all([
      run('--kek', 'town', '--out', out),
      run('--kek', 'town', senders[0]?.id ?? '', 'nobody'),
      run('--kek', 'village'),
    ]);
    hear(whole);
    note('a part of the export', JSON.stringify(only));
    expect(statSync(out).mode & 0o777).toBe(0o600);
    const rows = JSON.parse(readFileSync(out, 'utf8'));
    expect(rows).toHaveLength(senders.length);
    const [first] = senders;
    const mine = rows.find(({ id }: { id: string }) => id === first?.id);
    const appSKey = first && wrapAes(first.session.keys.appSKey, kek.key).toString('hex');
    expect(mine.keys.appSKey).toEqual({ KEKLabel: 'town', AESKey: appSKey });
    expect(JSON.parse(only.stdout)).toEqual([mine]);
    expect(only).toMatchObject({ code: 1, stderr: 'fieldgate: nobody is no device with keys\n' });
    expect(village).toMatchObject({ code: 2, stdout: '' });
    const audit = await ask('/api/v1/audit?event=keys');
    expect(audit).toContain(`${senders.length} devices exported under the KEK town`);
    note('export', readFileSync(out, 'utf8'));
  }, 60_000);

  it('are nowhere to be read: not in the data, the logs, the answers or the exports', async () => {
    const paths = ['devices', 'uplinks?limit=1000', 'latest', 'snapshot', 'audit', 'openapi.json'];
    for (const path of paths) await ask(`/api/v1/${path}`);
    for (const path of ['/metrics', '/healthz/ready']) await ask(path);
    for (const { id } of senders) {
      await ask(`/api/v1/devices/${id}`);
      await ask(`/api/v1/devices/${id}/link`);
    }
    note('log of the second start', JSON.stringify(gateway.lines));
    const files = await filesBelow(dataDir);
    expect(files.map(({ name }) => name)).toContain(join(dataDir, 'device-keys.kek'));
    const hidden = [...keys, firstMasterKey, secret, kek.key];
    expect(hidden.length).toBeGreaterThan(30);
    expect(placesOf(hidden, [...files, ...said])).toEqual([]);
    expect(said.filter(({ bytes }) => bytes.includes(token.options.pin))).toEqual([]);
  }, 60_000);

  it('would be found, however they were written', () => {
    const [key = Buffer.alloc(0)] = keys;
    const written = [
      ...[key, key.toString('hex'), key.toString('hex').toUpperCase(), JSON.stringify(key)],
      ...[0, 1, 2, 3].flatMap((before) => {
        const all = Buffer.concat([Buffer.alloc(before, 7), key, Buffer.alloc(5, 9)]);
        return [all.toString('base64'), all.toString('base64url')];
      }),
    ];
    for (const text of written) {
      const place = { name: 'here', bytes: Buffer.concat([Buffer.from('x'), Buffer.from(text)]) };
      expect(placesOf([key], [place])).toEqual(['here']);
    }
    expect(placesOf([key], [{ name: 'here', bytes: Buffer.alloc(64, 7) }])).toEqual([]);
  });
});
