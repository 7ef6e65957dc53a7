/**
 * Devices that join over the air, through the compiled gateway: by a gateway bridge with the
 * downlinks of its server on the same broker, and by a packet forwarder that lets its server be
 * heard.
 */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { connectAsync, type MqttClient } from 'mqtt';
import { uplinkFrame } from '../lorawan/simulated-frame.ts';
import {
  type Grant,
  joinAccept,
  joinedSession,
  joinRequest,
  type Roots,
} from '../lorawan/simulated-join.ts';
import { type GatewayProcess, startGatewayProcess, until } from '../setup/gateway-process.ts';
import { filesBelow, placesOf } from '../setup/key-spellings.ts';
import { datagramOf, openUdpClient, types, type UdpClient } from '../transports/udp-wire.ts';
import { isAllStored, readingsOf, uplinksAfter } from './gateway-api.ts';

const joinEui = '70b3d57ed0000000';
const netId = '000013';
const bridgeEui = '0016c001ff10a1b2';
const forwarderEui = '0016c001ff10a1b3';
const password = 'a-test-password';

interface Simulated {
  readonly devEui: string;
  readonly macVersion: '1.0.3' | '1.1';
  readonly roots: Roots;
  devNonce: number;
  joins: number;
}

const device = (index: number, macVersion: Simulated['macVersion']): Simulated => ({
  devEui: `02f1e1d50000010${index}`,
  macVersion,
  roots: {
    appKey: Buffer.alloc(16, 0x10 + index),
    ...(macVersion === '1.1' ? { nwkKey: Buffer.alloc(16, 0x20 + index) } : {}),
  },
  devNonce: 100 * index,
  joins: 0,
});
const devices = [device(1, '1.0.3'), device(2, '1.1'), device(3, '1.0.3'), device(4, '1.1')];

const config = {
  devices: devices.map(({ devEui, macVersion, roots }) => ({
    ...{ id: devEui, kind: 'lorawan', activation: 'otaa', macVersion, joinEui },
    codec: 'cayenne-lpp',
    keys: {
      appKey: roots.appKey.toString('hex'),
      ...(roots.nwkKey === undefined ? {} : { nwkKey: roots.nwkKey.toString('hex') }),
    },
  })),
  ingest: { udp: { port: 0, gateways: [forwarderEui] } },
  mqtt: {
    clients: [
      {
        username: 'bridge',
        password,
        publish: ['eu868/gateway/#'],
      },
    ],
  },
};

/** How a frame goes up, and what a server's answer goes down by. */
interface Way {
  up(frame: Buffer): Promise<unknown>;
  down(frame: Buffer): Promise<unknown>;
}

const startedAt = Date.now();
let transmissions = 0;

/** A time of its own for each: of two readings of one time a store keeps one. */
function nextTime(): string {
  transmissions += 1;
  return new Date(startedAt + transmissions * 10).toISOString();
}

function bridgeWay(client: MqttClient): Way {
  const topic = `eu868/gateway/${bridgeEui}`;
  return {
    up: (frame) =>
      client.publishAsync(
        `${topic}/event/up`,
        JSON.stringify({
          phyPayload: frame.toString('base64'),
          txInfo: {
            frequency: 868_100_000,
            modulation: { lora: { bandwidth: 125_000, spreadingFactor: 12, codeRate: 'CR_4_5' } },
          },
          rxInfo: { gatewayId: bridgeEui, nsTime: nextTime(), rssi: -60, crcStatus: 'CRC_OK' },
        }),
        { qos: 1 },
      ),
    down: (frame) =>
      client.publishAsync(
        `${topic}/command/down`,
        JSON.stringify({
          gatewayId: bridgeEui,
          downlinkId: 1,
          items: [{ phyPayload: frame.toString('base64') }],
        }),
        { qos: 1 },
      ),
  };
}

function forwarderWay(client: UdpClient): Way {
  let token = 0;
  return {
    async up(frame) {
      token += 1;
      const data = frame.toString('base64');
      const packet = { stat: 1, time: nextTime(), modu: 'LORA', datr: 'SF12BW125', freq: 868.1 };
      const json = { rxpk: [{ ...packet, size: frame.length, data }] };
      const gateway = forwarderEui;
      client.send(datagramOf({ type: types.pushData, token, gateway, json }));
      await client.answers(token);
    },
    async down(frame) {
      const json = { txpk: { imme: true, data: frame.toString('base64') } };
      const header = Buffer.from([2, 0, token, 3]);
      client.send(Buffer.concat([header, Buffer.from(JSON.stringify(json))]));
    },
  };
}

const sessionKeys: Buffer[] = [];

describe('Devices that join', () => {
  let gateway: GatewayProcess;
  let mqtt: MqttClient;
  let udp: UdpClient;

  async function open(directory?: string): Promise<void> {
    gateway = await startGatewayProcess({
      config,
      ...(directory === undefined ? {} : { directory }),
    });
    mqtt = await connectAsync(`mqtt://127.0.0.1:${gateway.mqttPort}`, {
      username: 'bridge',
      password,
    });
    const line = gateway.lines.find(({ event }) => event === 'listening');
    const addresses: unknown = line?.['addresses'];
    if (!Array.isArray(addresses)) throw new Error('no address');
    udp = openUdpClient(addresses.find(({ name }) => name === 'udp').port);
  }

  beforeAll(() => open());
  afterAll(async () => {
    await mqtt.endAsync();
    udp.close();
    await gateway.stop();
  });

  const ways = () => [bridgeWay(mqtt), forwarderWay(udp)];

  /** Joins by one way and sends these temperatures; the network gives the same address again. */
  async function joinAndSend(one: Simulated, way: Way, values: readonly number[]): Promise<void> {
    one.devNonce += 1;
    one.joins += 1;
    const { devEui, roots, devNonce, macVersion } = one;
    const names = { devEui, joinEui };
    const of11 = { ...names, joinReqType: 255, devNonce };
    const grant: Grant = {
      ...{ joinNonce: one.joins, netId, devAddr: `2601${devEui.slice(-4)}` },
      ...(macVersion === '1.1' ? { of11 } : {}),
    };
    await way.up(joinRequest(roots.nwkKey ?? roots.appKey, names, devNonce));
    await way.down(joinAccept(roots, grant));
    const accepted = async () => {
      const entries = await uplinksAfter(gateway, 0);
      const own = entries.filter(({ device: id }) => id === devEui);
      return own.filter(({ event }) => event === 'join-accept').length === one.joins;
    };
    await until('the accept is heard', accepted);
    const session = joinedSession(roots, grant, { ...names, devNonce });
    sessionKeys.push(...Object.values(session.keys));
    for (const [fCnt, value] of values.entries()) {
      const payload = Buffer.from([1, 0x67, (value * 10) >> 8, (value * 10) & 0xff]);
      await way.up(uplinkFrame(session, { fCnt, fPort: 1, payload }));
    }
  }

  async function valuesOf({ devEui }: Simulated) {
    await until('all is stored', () => isAllStored(gateway));
    const readings = await readingsOf(gateway, devEui);
    return readings
      .filter(({ quantity }) => String(quantity).includes('temperature'))
      .map(({ value, vouchedBy }) => [value, vouchedBy])
      .sort();
  }

  it('are proven from their first uplink on, whichever way they are heard', async () => {
    for (const [index, one] of devices.entries()) {
      const way = ways()[index % 2];
      if (way !== undefined) await joinAndSend(one, way, [11, 12, 13]);
    }
    for (const one of devices) {
      expect(await valuesOf(one)).toEqual([
        [11, 'mic'],
        [12, 'mic'],
        [13, 'mic'],
      ]);
    }
  });

  it('keep their session when the gateway is killed, and may join anew', async () => {
    const { directory } = gateway;
    await mqtt.endAsync();
    udp.close();
    await gateway.kill('SIGKILL');
    await open(directory);
    for (const [index, one] of devices.entries()) {
      const way = ways()[index % 2];
      if (way !== undefined) await joinAndSend(one, way, [21, 22]);
    }
    for (const one of devices) {
      expect((await valuesOf(one)).map(([value]) => value)).toEqual([11, 12, 13, 21, 22]);
    }
  });

  it('leave no key where it could be read: in the data, the log or an answer', async () => {
    const answers = await Promise.all(
      ['/api/v1/devices', '/api/v1/uplinks?limit=1000', '/api/v1/latest'].map((path) =>
        gateway.get(path),
      ),
    );
    const files = await filesBelow(join(gateway.directory, 'data'));
    const texts = [answers, gateway.lines].map((text, index) => ({
      name: `text ${index}`,
      bytes: Buffer.from(JSON.stringify(text)),
    }));
    const places = [...texts, ...files];
    expect(places.length).toBeGreaterThan(5);
    const roots = devices.flatMap(({ roots: own }) => [own.appKey, own.nwkKey ?? own.appKey]);
    expect(placesOf([...roots, ...sessionKeys], places)).toEqual([]);
  });
});
