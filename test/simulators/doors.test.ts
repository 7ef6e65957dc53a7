/** The doors of simulated gateways where nobody lets them in, or leaves in the middle. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { afterEach, describe, expect, it } from '@jest/globals';
import { WebSocketServer } from 'ws';
import { openForwarderDoor } from '../../simulators/doors/forwarder-door.ts';
import { openStationDoor } from '../../simulators/doors/station-door.ts';
import { fleetEvents } from '../../simulators/lorawan/fleet.ts';
import type { FleetUplink } from '../../simulators/lorawan/fleet-event.ts';
import { createFleet } from '../../simulators/lorawan/fleet-plan.ts';

const fleet = createFleet({ seed: 'doors', devices: 20, gateways: 3 });
const from = Date.UTC(2026, 5, 1);
const span = { from, to: from + 3_600_000, intervalMs: 600_000 };
const events = [...fleetEvents(fleet, span)];
const gatewaysOf = (door: string) => fleet.gateways.filter((gateway) => gateway.door === door);

/** The first data frame, as if this gateway had heard it. */
function heardBy(door: string) {
  const uplink = events.find(
    (event): event is FleetUplink => event.kind === 'up' && event.what === 'data',
  );
  const [gateway] = gatewaysOf(door);
  if (uplink === undefined || gateway === undefined) throw new Error('nothing was heard');
  return { uplink, reception: { ...uplink.transmission.receptions[0], gateway } };
}

const endings: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0)) await end();
});

describe('The door of packet forwarders', () => {
  const gateways = gatewaysOf('semtech-udp');

  /** Answers as a server does, until it is told to be gone. */
  async function startServer() {
    const socket = createSocket('udp4');
    const datagrams: Buffer[] = [];
    socket.on('message', (datagram, { port, address }) => {
      datagrams.push(datagram);
      const answers = new Map([
        [0, 1],
        [2, 4],
      ]);
      const answer = answers.get(datagram[3] ?? -1);
      if (answer === undefined) return;
      const header = Buffer.from(datagram.subarray(0, 4));
      header[3] = answer;
      socket.send(header, port, address);
    });
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    return { datagrams, port: socket.address().port, close: () => socket.close() };
  }

  it('pulls before it pushes, and tells what its server has sent', async () => {
    const server = await startServer();
    endings.push(server.close);
    const door = await openForwarderDoor({ host: '127.0.0.1', port: server.port, gateways });
    endings.push(door.close);
    const { uplink, reception } = heardBy('semtech-udp');
    expect(await door.up(uplink, reception)).toBe('acknowledged');
    const downlink = { ...uplink, kind: 'down', what: 'data', answers: reception } as const;
    const radio = { frequency: 869_525_000, spreadingFactor: 12, delayMs: 2_000 };
    expect(await door.down({ ...downlink, ...radio })).toBe('acknowledged');
    expect(server.datagrams.map((datagram) => datagram[3])).toEqual([2, 0, 3, 5, 0]);
    const [, push = Buffer.alloc(0), pulled = Buffer.alloc(0)] = server.datagrams;
    expect(push.toString('hex', 4, 12)).toBe(gateways[0]?.id);
    expect(JSON.parse(push.subarray(12).toString())).toMatchObject({
      rxpk: [{ stat: 1, data: uplink.phyPayload.toString('base64'), modu: 'LORA' }],
    });
    expect(JSON.parse(pulled.subarray(4).toString())).toMatchObject({
      txpk: { datr: 'SF12BW125', freq: 869.525, data: uplink.phyPayload.toString('base64') },
    });
  });

  it('says that nobody answers', async () => {
    const server = await startServer();
    const { port } = server;
    server.close();
    const opening = openForwarderDoor({ host: '127.0.0.1', port, gateways });
    await expect(opening).rejects.toThrow('nobody answers');
  });

  it('says what was refused once nobody is there any more', async () => {
    const server = await startServer();
    const door = await openForwarderDoor({ host: '127.0.0.1', port: server.port, gateways });
    endings.push(door.close);
    server.close();
    const { uplink, reception } = heardBy('semtech-udp');
    expect(await door.up(uplink, reception)).toBe('refused');
  });
});

describe('The door of stations', () => {
  const gateways = gatewaysOf('basic-station');

  /** Tells at `/router-info` what it is told to tell; `/traffic` gives channels. */
  async function startServer(answer: (url: string) => object | undefined) {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    await once(server, 'listening');
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const url = `ws://127.0.0.1:${port}`;
    const messages: unknown[] = [];
    server.on('connection', (socket, { url: path }) => {
      socket.on('message', (data) => {
        messages.push(JSON.parse(String(data)));
        if (path !== '/router-info') return socket.send('{"msgtype":"router_config"}');
        const told = answer(url);
        if (told === undefined) return socket.close();
        return socket.send(JSON.stringify(told));
      });
    });
    endings.push(() => {
      for (const client of server.clients) client.terminate();
      server.close();
    });
    return { url, messages, server };
  }

  it('asks for its way, introduces itself and takes frames apart', async () => {
    const { url, messages } = await startServer((base) => ({ uri: `${base}/traffic` }));
    const door = await openStationDoor({ url, gateways });
    endings.push(door.close);
    const { uplink, reception } = heardBy('basic-station');
    expect(await door.up(uplink, reception)).toBe('unknown');
    expect(door.unacknowledged()).toBe(2);
    while (messages.length < 3) await new Promise((resolve) => setTimeout(resolve, 5));
    const frame = uplink.phyPayload;
    expect(messages).toMatchObject([
      { router: expect.stringMatching(/^2f1:e1d0:/) },
      { msgtype: 'version', protocol: 2 },
      {
        ...{ msgtype: 'updf', MHdr: frame[0], DevAddr: frame.readInt32LE(1) },
        ...{ FCnt: frame.readUInt16LE(6), MIC: frame.readInt32LE(frame.length - 4) },
      },
    ]);
  });

  it('says that a station was turned away, or that nobody has answered it', async () => {
    const refusing = await startServer(() => ({ error: 'not set up here' }));
    await expect(openStationDoor({ url: refusing.url, gateways })).rejects.toThrow('turned away');
    const silent = await startServer(() => undefined);
    await expect(openStationDoor({ url: silent.url, gateways })).rejects.toThrow('aborted');
  });

  it('comes back to a server that was away', async () => {
    const { url, server } = await startServer((base) => ({ uri: `${base}/traffic` }));
    const door = await openStationDoor({ url, gateways });
    endings.push(door.close);
    const gone = [...server.clients].map((client) => once(client, 'close'));
    for (const client of server.clients) client.terminate();
    await Promise.all(gone);
    const { uplink, reception } = heardBy('basic-station');
    const connected = once(server, 'connection');
    // The first ones may still go into the connection that is lost.
    let isBack = false;
    void connected.then(() => {
      isBack = true;
    });
    while (!isBack) await door.up(uplink, reception);
    expect(await door.up(uplink, reception)).toBe('unknown');
  });

  it('refuses what it cannot hand in any more', async () => {
    const { url, server } = await startServer((base) => ({ uri: `${base}/traffic` }));
    const door = await openStationDoor({ url, gateways });
    const gone = [...server.clients].map((client) => once(client, 'close'));
    for (const client of server.clients) client.terminate();
    server.close();
    await Promise.all(gone);
    const { uplink, reception } = heardBy('basic-station');
    let taken = await door.up(uplink, reception);
    while (taken === 'unknown') taken = await door.up(uplink, reception);
    expect(taken).toBe('refused');
    await door.close();
  });
});
