/** The doors beside MQTT, on real sockets into the compiled gateway. */
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type GatewayProcess, startGatewayProcess, until } from '../setup/gateway-process.ts';
import { requestPacket } from '../transports/coap/wire.ts';
import { openUdpClient } from '../transports/udp-wire.ts';
import {
  config,
  devEui,
  frameOf,
  gatewayEui,
  joinAsStation,
  modemToken,
  portOf,
  postTo,
  pushOf,
  serverMessage,
  stationEui,
  temperature,
  tunnelKey,
  updfOf,
} from './field-senders.ts';
import { isAllStored, readingsOf, uplinksAfter } from './gateway-api.ts';

describe('The doors beside MQTT', () => {
  let gateway: GatewayProcess;

  beforeAll(async () => {
    gateway = await startGatewayProcess({ config });
  });
  afterAll(() => gateway.stop());

  it('take one frame by a packet forwarder and a station as an uplink and its copy', async () => {
    const frame = frameOf(1, temperature(215));
    const forwarder = openUdpClient(portOf(gateway, 'udp'));
    forwarder.send(pushOf(1, frame));
    expect(await forwarder.answers(1)).toEqual(['02000101']);
    const forged = Buffer.from(frame);
    forged[9] = (forged[9] ?? 0) ^ 1;
    forwarder.send(pushOf(2, forged));
    await forwarder.answers(2);
    forwarder.send(pushOf(3, frame, { stat: -1 }));
    await forwarder.answers(3);
    forwarder.close();
    const station = await joinAsStation(gateway);
    station.send(updfOf(frame));
    const entries = await until('five entries', async () => {
      const found = await uplinksAfter(gateway, 0);
      return found.length >= 5 && found;
    });
    station.socket.close();
    expect(entries.map(({ outcome, fault, event }) => fault?.code ?? event ?? outcome)).toEqual([
      'accepted',
      'MIC_MISMATCH',
      'bad-crc',
      'version',
      'copy',
    ]);
    expect(entries[0]).toMatchObject({
      transport: 'udp',
      device: devEui,
      vouchedBy: 'mic',
      fCnt: 1,
      frmPayload: temperature(215).toString('hex'),
      rxInfo: [
        { gatewayId: gatewayEui, rssi: -60, snr: 7 },
        { gatewayId: stationEui, rssi: -70, snr: 6 },
      ],
    });
    expect(entries[4]).toMatchObject({ copyOf: 1, rxInfo: [{ gatewayId: stationEui }] });
  });

  it('take a webhook and tell a resend from a new message', async () => {
    const { length } = await uplinksAfter(gateway, 0);
    const body = serverMessage(7, '02f1e1d5000000b1');
    for (let n = 0; n < 2; n += 1) expect(await postTo(gateway, body)).toBe(204);
    expect(await postTo(gateway, '{')).toBe(204);
    const entries = await uplinksAfter(gateway, length);
    expect(entries).toMatchObject([
      { outcome: 'accepted', transport: 'http', credential: 'tts', vouchedBy: 'network-server' },
      { outcome: 'quarantined', fault: { code: 'INBOUND_MALFORMED' } },
    ]);
    expect((await fetch(`${gateway.http}/ingest/tts`, { method: 'POST' })).status).toBe(401);
    expect((await fetch(`${gateway.http}/ingest/nobody`, { method: 'POST' })).status).toBe(404);
  });

  it('take a ThingPark with its token and open the payload with its wrapped key', async () => {
    const { length } = await uplinksAfter(gateway, 0);
    const uplink = {
      ...{ CustomerID: '100122002', DevEUI: '0024AEB3C02BE1C4', DevAddr: '05947ED0' },
      ...{ FPort: '1', FCntUp: '1', payload_hex: 'afac18845bbe3771708042' },
      AppSKey: '439d42627c5afe3d4d536340646621a2',
    };
    const body = JSON.stringify({ DevEUI_uplink: uplink });
    const fields = '1001220020024AEB3C02BE1C411afac18845bbe3771708042';
    const post = async (asId: string, time: number, secret = tunnelKey) => {
      const query = `LrnFPort=1&AS_ID=${asId}&Time=${new Date(time).toISOString()}`;
      const token = createHash('sha256').update(`${fields}${query}${secret}`).digest('hex');
      const address = `${gateway.http}/ingest/thingpark?${query}&Token=${token}`;
      return (await fetch(address, { method: 'POST', body })).status;
    };
    expect(await post('sink', Date.now() - 3_600_000)).toBe(401);
    expect(await post('sank', Date.now())).toBe(401);
    expect(await post('sink', Date.now(), 'ab'.repeat(16))).toBe(401);
    expect(await post('sink', Date.now())).toBe(204);
    expect(await uplinksAfter(gateway, length)).toMatchObject([
      {
        ...{ outcome: 'accepted', transport: 'http', device: '0024aeb3c02be1c4', fCnt: 1 },
        ...{ vouchedBy: 'network-server', frmPayload: Buffer.from('32.5C/90.5F').toString('hex') },
      },
    ]);
  });

  it('take a modem by CoAP, for its own device alone', async () => {
    const { length } = await uplinksAfter(gateway, 0);
    const client = openUdpClient(portOf(gateway, 'coap'));
    const query = [`token=${modemToken}`];
    const payload = JSON.stringify({ temperature: 21.5 });
    const send = (messageId: number, path: string) =>
      client.send(requestPacket({ path, query, payload, messageId, format: 50 }));
    send(1, 'up/field-7');
    expect(await client.answers(1)).toEqual(['62440001cafe']);
    send(2, 'up/field-8');
    expect((await client.answers(2))[1]).toBe('62830002cafe');
    client.close();
    expect(await uplinksAfter(gateway, length)).toMatchObject([
      { outcome: 'accepted', transport: 'coap', device: 'field-7', vouchedBy: 'credential' },
      { outcome: 'quarantined', fault: { code: 'TOPIC_FORBIDDEN' } },
    ]);
  });

  it('become readings like those of any other door', async () => {
    await until('all is stored', () => isAllStored(gateway));
    const values = async (device: string) =>
      (await readingsOf(gateway, device)).map(({ quantity, value }) => [quantity, value]);
    expect(await values(devEui)).toContainEqual([expect.stringContaining('temperature'), 21.5]);
    expect(await values('field-7')).toContainEqual([expect.stringContaining('temperature'), 21.5]);
  });

  it('count what they turn away', async () => {
    const client = openUdpClient(portOf(gateway, 'udp'));
    client.send(Buffer.from('nonsense'));
    await until('it is counted', async () => {
      const labels = 'transport="udp",reason="malformed"';
      return (await gateway.metric('fieldgate_turned_away_total', labels)) === 1;
    });
    client.close();
  });
});
