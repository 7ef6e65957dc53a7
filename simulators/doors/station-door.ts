/**
 * Gateways with Basics Station, version 2 of its LNS protocol: each asks `/router-info` where to go
 * and then speaks over its WebSocket, in the messages and fields of src/lora.c and src/s2e.c of
 * lorabasics/basicstation. A proxy between station and server lets `dnmsg` be heard. The protocol
 * has no acknowledgement.
 */
import { once } from 'node:events';
import { WebSocket } from 'ws';
import type { FleetDownlink, FleetUplink } from '../lorawan/fleet-event.ts';
import type { FleetGateway } from '../lorawan/fleet-plan.ts';
import type { Reception } from '../lorawan/radio.ts';
import type { GatewayDoor, Taken } from './door.ts';

export interface StationDoorOptions {
  /** `ws://host:port` or `wss://host:port`. */
  readonly url: string;
  readonly gateways: readonly FleetGateway[];
  /** What stands in the station's key file; none where every station may come. */
  readonly token?: string;
}

interface Station {
  /** False when the connection is gone and does not come back. */
  send(message: object): Promise<boolean>;
  close(): Promise<void>;
}

const answerTimeoutMs = 30_000;
/** Between two tries to come back. */
const comeBackMs = 2_000;
/** The second window of EU868, SF12, and no priority over other downlinks. */
const rx2 = { RX2DR: 0, RX2Freq: 869_525_000, priority: 0 } as const;
const frameEnds = { header: 8, mic: -4 } as const;

/** Resolves once every station was told its channels; rejects when one is turned away. */
export async function openStationDoor(options: StationDoorOptions): Promise<GatewayDoor> {
  const { gateways } = options;
  let handedIn = 0;
  const onVersion = (): void => {
    handedIn += 1;
  };
  const opened = await Promise.all(
    gateways.map((gateway) => openStation(gateway.id, { ...options, onVersion })),
  );
  const stations = new Map(gateways.map(({ id }, index) => [id, opened[index]]));
  let downlinks = 0;
  const send = async (gatewayId: string, message: object): Promise<Taken> => {
    // Counted before: it may be written down before it is known to have been sent.
    handedIn += 1;
    const isSent = (await stations.get(gatewayId)?.send(message)) === true;
    if (!isSent) handedIn -= 1;
    return isSent ? 'unknown' : 'refused';
  };
  return {
    up: (uplink, reception) => send(reception.gateway.id, uplinkMessage(uplink, reception)),
    async down(downlink) {
      downlinks += 1;
      const { id } = downlink.answers.gateway;
      const taken = await send(id, dnmsg(downlink, downlinks));
      await send(id, dntxed(downlink, downlinks));
      return taken;
    },
    unacknowledged: () => handedIn,
    close: async () => {
      await Promise.all(opened.map((station) => station.close()));
    },
  };
}

interface StationOptions extends StationDoorOptions {
  /** What it says of itself on each connection is handed in, too. */
  readonly onVersion: () => void;
}

/** A station that has lost its server comes back with its next message, but not at once. */
async function openStation(gatewayId: string, options: StationOptions): Promise<Station> {
  let socket = await attach(gatewayId, options);
  let coming: Promise<void> | undefined;
  let nextTryAt = 0;
  const comeBack = async (): Promise<void> => {
    try {
      socket = await attach(gatewayId, options);
    } catch {
      nextTryAt = performance.now() + comeBackMs;
    }
  };
  return {
    async send(message) {
      if (socket.readyState !== WebSocket.OPEN && performance.now() >= nextTryAt) {
        coming ??= comeBack().finally(() => {
          coming = undefined;
        });
        await coming;
      }
      return new Promise((resolve) => {
        socket.send(JSON.stringify(message), (error) => resolve(!error));
      });
    },
    async close() {
      await coming;
      if (socket.readyState === WebSocket.CLOSED) return;
      socket.close();
      await once(socket, 'close');
    },
  };
}

async function attach(gatewayId: string, options: StationOptions): Promise<WebSocket> {
  const { url, token, onVersion } = options;
  const headers = token === undefined ? {} : { Authorization: `Bearer ${token}` };
  const discovery = await connect(`${url}/router-info`, headers);
  discovery.send(JSON.stringify({ router: id6(gatewayId) }));
  const uri = uriOf(await nextMessage(discovery));
  discovery.close();
  if (uri === undefined) throw new Error(`the station ${gatewayId} was turned away`);
  const socket = await connect(uri, headers);
  const version = { station: '2.0.6(linux/std)', firmware: null, package: null };
  const about = { model: 'simulated', protocol: 2, features: '' };
  socket.send(JSON.stringify({ msgtype: 'version', ...version, ...about }));
  onVersion();
  await nextMessage(socket);
  // Time and what else it is told concern no station that only plays one.
  socket.on('message', () => undefined);
  return socket;
}

async function connect(url: string, headers: Record<string, string>): Promise<WebSocket> {
  const socket = new WebSocket(url, { headers });
  await once(socket, 'open');
  // From here on a lost connection shows in what cannot be sent.
  socket.on('error', () => undefined);
  return socket;
}

/** Rejects when none comes in time, or none can come any more. */
async function nextMessage(socket: WebSocket): Promise<unknown> {
  const closed = new AbortController();
  socket.once('close', () => closed.abort());
  const signal = AbortSignal.any([closed.signal, AbortSignal.timeout(answerTimeoutMs)]);
  const [data] = await once(socket, 'message', { signal });
  return JSON.parse(String(data));
}

function uriOf(answer: unknown): string | undefined {
  if (typeof answer !== 'object' || answer === null || !('uri' in answer)) return undefined;
  return typeof answer.uri === 'string' ? answer.uri : undefined;
}

function uplinkMessage({ what, phyPayload, transmission }: FleetUplink, reception: Reception) {
  const parts = what === 'data' ? dataParts(phyPayload) : requestParts(phyPayload);
  return {
    ...parts,
    ...{ RefTime: reception.rxTime / 1_000, DR: transmission.dataRate },
    ...{ Freq: transmission.frequency, upinfo: upinfo(reception) },
  };
}

/** A station takes a frame apart; numbers are signed, and -1 is no port. */
function dataParts(frame: Buffer) {
  const portAt = frameEnds.header + (frame.readUInt8(5) & 0x0f);
  const hasPort = portAt < frame.length + frameEnds.mic;
  return {
    ...{ msgtype: 'updf', MHdr: frame.readUInt8(0), DevAddr: frame.readInt32LE(1) },
    ...{ FCtrl: frame.readUInt8(5), FCnt: frame.readUInt16LE(6) },
    FOpts: frame.toString('hex', frameEnds.header, portAt),
    FPort: hasPort ? frame.readUInt8(portAt) : -1,
    FRMPayload: frame
      .subarray(portAt + 1, frameEnds.mic)
      .toString('hex')
      .toUpperCase(),
    MIC: frame.readInt32LE(frame.length + frameEnds.mic),
  };
}

function requestParts(frame: Buffer) {
  const euiAt = (from: number) => dashed(Buffer.from(frame.subarray(from, from + 8)).reverse());
  return {
    ...{ msgtype: 'jreq', MHdr: frame.readUInt8(0), JoinEui: euiAt(1), DevEui: euiAt(9) },
    ...{ DevNonce: frame.readUInt16LE(17), MIC: frame.readInt32LE(19) },
  };
}

function upinfo({ rssi, snr, rxTime }: Reception) {
  return { rctx: 0, xtime: rxTime * 1_000, gpstime: 0, rssi, snr, rxtime: rxTime / 1_000 };
}

function dnmsg(downlink: FleetDownlink, diid: number) {
  const { devEui, phyPayload, spreadingFactor, frequency, delayMs, answers } = downlink;
  return {
    ...{ msgtype: 'dnmsg', DevEui: dashed(Buffer.from(devEui, 'hex')), dC: 0, diid },
    ...{ pdu: phyPayload.toString('hex'), RxDelay: Math.floor(delayMs / 1_000) },
    ...{ RX1DR: 12 - spreadingFactor, RX1Freq: frequency, ...rx2 },
    ...{ xtime: answers.rxTime * 1_000, rctx: 0 },
  };
}

function dntxed({ devEui, answers, delayMs }: FleetDownlink, diid: number) {
  const sentAt = answers.rxTime + delayMs;
  return {
    ...{ msgtype: 'dntxed', diid, DevEui: dashed(Buffer.from(devEui, 'hex')), rctx: 0 },
    ...{ xtime: sentAt * 1_000, txtime: sentAt / 1_000, gpstime: 0 },
  };
}

/** As stations write EUIs in messages, and in ID6 who they are. */
const dashed = (eui: Buffer): string =>
  Array.from(eui, (byte) => byte.toString(16).padStart(2, '0').toUpperCase()).join('-');

function id6(eui: string): string {
  const groups = eui.match(/.{4}/g) ?? [];
  return groups.map((group) => Number.parseInt(group, 16).toString(16)).join(':');
}
