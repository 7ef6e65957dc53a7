/**
 * From the published uplink to the viewer: the live stream of a running gateway over real sockets.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import mqtt, { type MqttClient } from 'mqtt';
import { closeCodes, liveSubprotocol } from '../../dashboard/protocol.ts';
import { type GatewayProcess, startGatewayProcess, until } from '../setup/gateway-process.ts';
import { modem, modemId, mqttClients } from './accounts.ts';
import { latestOf } from './gateway-api.ts';
import { openViewer, type Viewer, valuesOf } from './viewer.ts';

const rate = 100;

describe('The live stream', () => {
  let gateway: GatewayProcess;
  let client: MqttClient;
  let published = 0;

  beforeAll(async () => {
    gateway = await startGatewayProcess({ config: { mqtt: { clients: mqttClients } } });
    client = await mqtt.connectAsync(`mqtt://127.0.0.1:${gateway.mqttPort}`, { ...modem });
    await publish(20);
    await until('the first reading is live', async () => (await latestOf(gateway)).length === 1);
  }, 60_000);
  afterAll(async () => {
    await client.endAsync();
    await gateway.stop();
  });

  /** Resolves with the sample's time once it is acknowledged; each is a second after the last. */
  async function publish(temperature: number): Promise<number> {
    published += 1;
    const ts = Date.UTC(2026, 0, 1) + published * 1_000;
    const sample = JSON.stringify({ ts, values: { temperature } });
    await client.publishAsync(`up/${modemId}`, sample, { qos: 1 });
    return ts;
  }

  async function watch(view: 'latest' | 'series'): Promise<Viewer> {
    const viewer = await openViewer(gateway, { token: gateway.token });
    viewer.send({ t: 'sub', id: 1, view, filter: { device: modemId }, rate });
    await viewer.hear('snap');
    return viewer;
  }

  it('greets with its version, its epoch and its limits', async () => {
    const viewer = await openViewer(gateway, { token: gateway.token });
    const hello = await viewer.hear('hello');
    expect(viewer.subprotocol).toBe(liveSubprotocol);
    expect(hello).toMatchObject({ v: 1, hb: 15_000, limits: { rateMinMs: 100 } });
    expect(hello.epoch).toMatch(/^[0-9a-f-]{36}$/);
    viewer.close();
  });

  it('starts from a snapshot of the last values', async () => {
    const viewer = await watch('latest');
    const snapshot = await viewer.hear('snap');
    expect(snapshot).toMatchObject({ id: 1, part: 1, of: 1 });
    expect(snapshot.series).toEqual([[0, modemId, 'air_temperature', '', 'Cel']]);
    const [row] = snapshot.rows;
    expect(row?.slice(0, 5)).toEqual([0, Date.UTC(2026, 0, 1) + 1_000, 20, 1, 'credential']);
    viewer.close();
  });

  it('tells a viewer the reading of an uplink that was published', async () => {
    const viewer = await watch('latest');
    const snapshot = await viewer.hear('snap');
    const time = await publish(21.5);
    const delta = await until('the row', () =>
      viewer.messages.find((message) => message.t === 'd' && message.rows.length > 0),
    );
    const ledgerSeq = await gateway.metric('fieldgate_ledger_seq');
    const expected = [0, time, 21.5, 1, 'credential', expect.any(Number), ledgerSeq];
    expect(delta).toMatchObject({ t: 'd', id: 1, from: snapshot.seq + 1, rows: [expected] });
    viewer.close();
  });

  it('passes on every reading of a series in its order', async () => {
    const viewer = await watch('series');
    const values = Array.from({ length: 50 }, (_, index) => 22 + index / 100);
    for (const value of values) await publish(value);
    await until('all values', () => valuesOf(viewer.messages, 1).length >= values.length);
    expect(valuesOf(viewer.messages, 1)).toEqual(values);
    const deltas = viewer.messages.filter((message) => message.t === 'd');
    const borders = deltas.slice(1).map(({ from }, index) => from - (deltas[index]?.seq ?? 0));
    expect(borders.every((step) => step === 1)).toBe(true);
    viewer.close();
  });

  it('tells a viewer that comes back what it has missed', async () => {
    const before = await watch('series');
    const { epoch } = await before.hear('hello');
    const { seq } = await before.hear('snap');
    before.close();
    await before.closed();
    for (const value of [30, 31, 32]) await publish(value);
    const after = await openViewer(gateway, { token: gateway.token });
    const filter = { device: modemId };
    after.send({ t: 'sub', id: 1, view: 'series', filter, rate, resume: { epoch, seq } });
    expect(await after.hear('resume')).toMatchObject({ id: 1, ok: true });
    await until('all values', () => valuesOf(after.messages, 1).length >= 3);
    expect(valuesOf(after.messages, 1)).toEqual([30, 31, 32]);
    expect(after.messages.some(({ t }) => t === 'snap')).toBe(false);
    after.close();
  });

  it('starts anew for a viewer of another epoch', async () => {
    const viewer = await openViewer(gateway, { token: gateway.token });
    const resume = { epoch: 'before-the-restart', seq: 1 };
    viewer.send({ t: 'sub', id: 1, view: 'latest', rate, resume });
    expect(await viewer.hear('resume')).toMatchObject({ ok: false, why: 'restarted' });
    expect((await viewer.hear('snap')).rows).toHaveLength(1);
    viewer.close();
  });

  it('says nothing while a viewer pauses, and everything once it goes on', async () => {
    const pausing = await watch('series');
    const watching = await watch('series');
    pausing.send({ t: 'pause' });
    // Answered after the pause has been read, on the same connection.
    pausing.send({ t: 'sub', id: 2, view: 'latest', rate });
    await until('the answer', () =>
      pausing.messages.find((message) => message.t === 'snap' && message.id === 2),
    );
    for (const value of [40, 41]) await publish(value);
    await until('the others have heard', () => valuesOf(watching.messages, 1).length >= 2);
    expect(valuesOf(pausing.messages, 1)).toEqual([]);
    pausing.send({ t: 'go' });
    await until('it has caught up', () => valuesOf(pausing.messages, 1).length >= 2);
    expect(valuesOf(pausing.messages, 1)).toEqual([40, 41]);
    pausing.close();
    watching.close();
  });

  it('takes a token in the first message, as browsers of other programs need', async () => {
    const viewer = await openViewer(gateway, {});
    viewer.send({ t: 'auth', token: gateway.token });
    viewer.send({ t: 'sub', id: 1, view: 'latest', rate });
    expect((await viewer.hear('snap')).rows).toHaveLength(1);
    viewer.close();
  });

  it('tells nothing to whoever has not signed in, and sends a wrong token away', async () => {
    const viewer = await openViewer(gateway, {});
    viewer.send({ t: 'sub', id: 1, view: 'latest' });
    expect(await viewer.hear('err')).toMatchObject({ code: 'auth' });
    viewer.send({ t: 'auth', token: 'not-the-token' });
    expect(await viewer.closed()).toBe(closeCodes.auth);
    expect(viewer.messages.map(({ t }) => t)).toEqual(['hello', 'err']);
  });

  it('sends away whoever never signs in', async () => {
    const viewer = await openViewer(gateway, {});
    expect(await viewer.closed()).toBe(closeCodes.auth);
  });

  it.each(['{"t":"sub"}', 'not JSON', '{"t":"pause","more":1}', '[]'])(
    'closes on what is no message of the protocol: %s',
    async (text) => {
      const viewer = await openViewer(gateway, { token: gateway.token });
      viewer.sendText(text);
      expect(await viewer.closed()).toBe(closeCodes.badMessage);
    },
  );

  it('refuses a page of another origin', async () => {
    const { token } = gateway;
    const other = openViewer(gateway, { token, origin: 'https://elsewhere.example' });
    await expect(other).rejects.toThrow('403');
    const own = await openViewer(gateway, { token, origin: gateway.http });
    own.close();
  });
});
