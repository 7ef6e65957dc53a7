/**
 * Gateways with the Semtech UDP packet forwarder, version 2 of its protocol [PROTOCOL.TXT of
 * Lora-net/packet_forwarder]: each with a socket of its own that pulls, pushes what it hears, and
 * acknowledges what it sends. A multiplexer on its host lets the server's PULL_RESP be heard.
 */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import type { FleetDownlink, FleetUplink } from '../lorawan/fleet-event.ts';
import type { FleetGateway } from '../lorawan/fleet-plan.ts';
import { bandwidth } from '../lorawan/propagation.ts';
import type { Reception } from '../lorawan/radio.ts';
import { concentratorTime, type GatewayDoor, type Taken, txPowerDbm } from './door.ts';

export interface ForwarderDoorOptions {
  readonly host: string;
  readonly port: number;
  readonly gateways: readonly FleetGateway[];
}

const version = 2;
const types = {
  ...{ pushData: 0, pushAck: 1, pullData: 2, pullResp: 3, pullAck: 4, txAck: 5 },
} as const;
/** A forwarder keeps its way through firewalls open. */
const pullPeriodMs = 10_000;
/** Fewer than a server takes at once from one forwarder, since one too many is dropped. */
const inFlightMax = 16;
/** Forwarders wait 100 ms and do not send again; a busy machine is given longer. */
const ackTimeoutMs = 10_000;

interface Forwarder {
  push(body: object): Promise<boolean>;
  send(type: number, body: Buffer): void;
  /** Of a server, which names no gateway. */
  sendDown(body: Buffer): void;
  readonly counts: { received: number; pushed: number; acknowledged: number; sent: number };
  close(): Promise<void>;
}

/** Resolves once every gateway has pulled and was answered. */
export async function openForwarderDoor(options: ForwarderDoorOptions): Promise<GatewayDoor> {
  const { gateways } = options;
  const opened = await Promise.all(gateways.map((gateway) => openForwarder(gateway.id, options)));
  const forwarders = new Map(gateways.map(({ id }, index) => [id, opened[index]]));
  const of = (id: string): Forwarder => {
    const forwarder = forwarders.get(id);
    if (forwarder === undefined) throw new RangeError(`${id} is no gateway of this door`);
    return forwarder;
  };
  return {
    async up(uplink, reception) {
      const forwarder = of(reception.gateway.id);
      forwarder.counts.received += 1;
      return taken(await forwarder.push({ rxpk: [rxpk(uplink, reception)] }));
    },
    async down(downlink) {
      const forwarder = of(downlink.answers.gateway.id);
      forwarder.counts.sent += 1;
      forwarder.sendDown(Buffer.from(JSON.stringify({ txpk: txpk(downlink) })));
      forwarder.send(types.txAck, Buffer.from('{"txpk_ack":{"error":"NONE"}}'));
      // Datagrams have an order on one machine: what came before this report was read before it.
      return taken(await forwarder.push({ stat: statOf(forwarder, downlink.time) }));
    },
    unacknowledged: () => 0,
    close: async () => {
      await Promise.all(opened.map((forwarder) => forwarder.close()));
    },
  };
}

const taken = (isAcknowledged: boolean): Taken => (isAcknowledged ? 'acknowledged' : 'refused');

async function openForwarder(
  gatewayId: string,
  { host, port }: ForwarderDoorOptions,
): Promise<Forwarder> {
  const socket: Socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
  socket.connect(port, host);
  await once(socket, 'connect');
  const eui = Buffer.from(gatewayId, 'hex');
  const awaited = new Map<number, (isAcknowledged: boolean) => void>();
  const waiting: (() => void)[] = [];
  const counts = { received: 0, pushed: 0, acknowledged: 0, sent: 0 };
  let token = 0;
  socket.on('message', (answer) => {
    const isAck = answer[3] === types.pushAck || answer[3] === types.pullAck;
    if (answer.length >= 4 && isAck) awaited.get(answer.readUInt16BE(1))?.(true);
  });
  const giveUp = (): void => {
    for (const settle of awaited.values()) settle(false);
  };
  // Nobody listens there, and the host says so.
  socket.on('error', giveUp);

  const nextToken = () => {
    token = (token + 1) & 0xffff;
    return token;
  };
  const header = (type: number, own: number) => {
    const bytes = Buffer.from([version, 0, 0, type]);
    bytes.writeUInt16BE(own, 1);
    return bytes;
  };

  async function exchange(type: number, body: Buffer): Promise<boolean> {
    while (awaited.size >= inFlightMax) await new Promise<void>((go) => waiting.push(go));
    const own = nextToken();
    const isAcknowledged = await new Promise<boolean>((resolve) => {
      const timer = setTimeout(() => resolve(false), ackTimeoutMs);
      awaited.set(own, (isSo) => {
        clearTimeout(timer);
        resolve(isSo);
      });
      socket.send(Buffer.concat([header(type, own), eui, body]));
    });
    awaited.delete(own);
    waiting.shift()?.();
    return isAcknowledged;
  }

  const isThere = await exchange(types.pullData, Buffer.alloc(0));
  if (!isThere) {
    socket.close();
    throw new Error(`nobody answers ${gatewayId} at ${host}:${port}`);
  }
  const timer = setInterval(() => exchange(types.pullData, Buffer.alloc(0)), pullPeriodMs);
  timer.unref();
  return {
    counts,
    async push(body) {
      counts.pushed += 1;
      const isAcknowledged = await exchange(types.pushData, Buffer.from(JSON.stringify(body)));
      if (isAcknowledged) counts.acknowledged += 1;
      return isAcknowledged;
    },
    send: (type, body) => socket.send(Buffer.concat([header(type, nextToken()), eui, body])),
    sendDown: (body) => socket.send(Buffer.concat([header(types.pullResp, nextToken()), body])),
    async close() {
      clearInterval(timer);
      giveUp();
      socket.close();
      await once(socket, 'close');
    },
  };
}

function rxpk(uplink: FleetUplink, reception: Reception) {
  const { phyPayload, transmission } = uplink;
  const { frequency, spreadingFactor } = transmission;
  return {
    time: new Date(reception.rxTime).toISOString(),
    tmst: concentratorTime(reception.rxTime),
    ...{
      chan: reception.channel,
      rfch: frequency < 868_000_000 ? 0 : 1,
      freq: megahertz(frequency),
    },
    ...{ stat: 1, modu: 'LORA', datr: dataRateText(spreadingFactor), codr: '4/5' },
    ...{ rssi: reception.rssi, lsnr: reception.snr, size: phyPayload.length },
    data: phyPayload.toString('base64'),
  };
}

function txpk({ phyPayload, frequency, spreadingFactor, delayMs, answers }: FleetDownlink) {
  return {
    ...{
      imme: false,
      tmst: concentratorTime(answers.rxTime + delayMs),
      freq: megahertz(frequency),
    },
    ...{ rfch: 0, powe: txPowerDbm, modu: 'LORA', datr: dataRateText(spreadingFactor) },
    ...{ codr: '4/5', ipol: true, size: phyPayload.length, ncrc: true },
    data: phyPayload.toString('base64'),
  };
}

function statOf({ counts }: Forwarder, time: number) {
  const { received, pushed, acknowledged, sent } = counts;
  const ackr = pushed === 0 ? 100 : Math.round((1_000 * acknowledged) / pushed) / 10;
  const text = new Date(time).toISOString();
  return {
    time: `${text.slice(0, 10)} ${text.slice(11, 19)} GMT`,
    ...{ rxnb: received, rxok: received, rxfw: received, ackr, dwnb: sent, txnb: sent },
  };
}

const megahertz = (frequency: number): number => frequency / 1e6;
const dataRateText = (spreadingFactor: number): string =>
  `SF${spreadingFactor}BW${bandwidth / 1_000}`;
