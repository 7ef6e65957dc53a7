/**
 * LoRa gateways that run the Semtech UDP packet forwarder. The protocol proves nobody and encrypts
 * nothing: whoever reaches the port may name any EUI. So a frame counts only by its MIC, and the
 * list of gateways keeps out mistakes, not attackers.
 */
import { randomUUID } from 'node:crypto';
import type { RemoteInfo } from 'node:dgram';
import type { Inbound } from '../../model/inbound.ts';
import { createInFlight, type InFlight } from '../in-flight.ts';
import { createLogThrottle } from '../log-throttle.ts';
import type { Receive, Transport } from '../transport.ts';
import type { TransportHooks } from '../transport-hooks.ts';
import { openUdpSocket, type UdpSocket } from '../udp-socket.ts';
import {
  acknowledgementOf,
  isPullResp,
  readUdpHeader,
  type UdpHeader,
  udpTypes,
} from './packet-forwarder.ts';

export interface UdpSemtechOptions {
  readonly host: string;
  readonly port: number;
  /** 16 lower-case hex digits each; undefined lets any gateway in. */
  readonly gateways: ReadonlySet<string> | undefined;
  /**
   * Datagrams of one gateway between their arrival and their receipt; above it they are dropped.
   */
  readonly inFlightPerGatewayMax: number;
  readonly inFlightMax: number;
  readonly stopTimeoutMs: number;
}

/** Why a datagram went no further: a closed list, since it becomes a label. */
type Reason = 'malformed' | 'unknown-gateway' | 'busy';

interface Listening extends UdpSemtechOptions {
  readonly receive: Receive;
  readonly hooks: TransportHooks;
  readonly inFlight: InFlight;
  /** By gateway; only those with a datagram in flight stand here. */
  readonly underWay: Map<string, number>;
  readonly turnAway: (reason: Reason, from: RemoteInfo) => void;
  /** The gateway that was last heard from an address; see `headerOf`. */
  readonly byAddress: Map<string, string>;
}

/** Addresses remembered, the oldest forgotten first. */
const addressesMax = 10_000;

export function createUdpSemtech(
  options: UdpSemtechOptions,
  receive: Receive,
  hooks: TransportHooks,
): Transport {
  const throttle = createLogThrottle(hooks.monotonicMs);
  const listening: Listening = {
    ...options,
    receive,
    hooks,
    inFlight: createInFlight(),
    underWay: new Map(),
    byAddress: new Map(),
    turnAway: (reason, { address }) => {
      hooks.onTurnedAway('udp', reason);
      const heldBack = throttle(`${reason} ${address}`);
      if (heldBack === undefined) return;
      hooks.log.warn({ event: 'udp-turned-away', reason, address, heldBack }, 'datagram dropped');
    },
  };
  let socket: UdpSocket | undefined;
  let isStopping = false;
  return {
    start: async () => {
      socket = await openUdpSocket(options, (datagram, from) => {
        if (isStopping) return;
        const answer = (type: number) => socket?.send(acknowledgementOf(datagram, type), from);
        take(listening, { datagram, from, answer });
      });
      return [{ name: 'udp', host: options.host, port: socket.port }];
    },
    stop: async () => {
      isStopping = true;
      await listening.inFlight.settle(options.stopTimeoutMs);
      await socket?.close();
      socket = undefined;
    },
  };
}

interface Arrival {
  readonly datagram: Buffer;
  readonly from: RemoteInfo;
  readonly answer: (type: number) => void;
}

function take(listening: Listening, { datagram, from, answer }: Arrival): void {
  const header = headerOf(listening, datagram, from);
  const reason = whyNot(listening, header);
  if (header === undefined || reason !== undefined) {
    listening.turnAway(reason ?? 'malformed', from);
  } else if (header.type === udpTypes.pullData) {
    answer(udpTypes.pullAck);
  } else {
    const done = enter(listening.underWay, header.gateway);
    const receipt = listening.receive(inboundOf(datagram, header, listening.hooks)).then(() => {
      // The only way to PUSH_ACK. A TX_ACK is itself an answer and gets none.
      if (header.type === udpTypes.pushData) answer(udpTypes.pushAck);
    });
    listening.inFlight.track(receipt).then(done, done);
  }
}

/**
 * A multiplexer on the gateway's host may let the server's downlinks be heard, which name no
 * gateway: they are of the one that speaks from this address, and of none before it has spoken.
 */
function headerOf(
  { byAddress, gateways }: Listening,
  datagram: Buffer,
  { address }: RemoteInfo,
): UdpHeader | undefined {
  if (isPullResp(datagram)) {
    const gateway = byAddress.get(address);
    return gateway === undefined ? undefined : { type: udpTypes.pullResp, gateway };
  }
  const header = readUdpHeader(datagram);
  if (header === undefined || gateways?.has(header.gateway) === false) return header;
  byAddress.delete(address);
  byAddress.set(address, header.gateway);
  const [oldest] = byAddress.keys();
  if (byAddress.size > addressesMax && oldest !== undefined) byAddress.delete(oldest);
  return header;
}

function whyNot(listening: Listening, header: UdpHeader | undefined): Reason | undefined {
  if (header === undefined) return 'malformed';
  const { gateways, inFlight, underWay } = listening;
  if (gateways?.has(header.gateway) === false) return 'unknown-gateway';
  if (header.type === udpTypes.pullData) return undefined;
  const isFull =
    inFlight.count() >= listening.inFlightMax ||
    (underWay.get(header.gateway) ?? 0) >= listening.inFlightPerGatewayMax;
  return isFull ? 'busy' : undefined;
}

/** Counts one datagram of this gateway until the function it returns is called. */
function enter(underWay: Map<string, number>, gateway: string): () => void {
  underWay.set(gateway, (underWay.get(gateway) ?? 0) + 1);
  return () => {
    const left = (underWay.get(gateway) ?? 1) - 1;
    if (left === 0) underWay.delete(gateway);
    else underWay.set(gateway, left);
  };
}

function inboundOf(datagram: Buffer, { gateway }: UdpHeader, { clock }: TransportHooks): Inbound {
  return {
    transport: 'udp',
    route: `semtech-udp/${gateway}`,
    body: datagram,
    receivedAt: clock.now(),
    // Each datagram stands alone; one that the network doubles has the same token and bytes.
    sender: { credential: gateway, connection: randomUUID(), vouches: 'credential' },
    dup: false,
  };
}
