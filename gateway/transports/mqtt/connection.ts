/** What the broker knows of one connection, from its first byte to its last. */
import { randomUUID } from 'node:crypto';
import type { Duplex } from 'node:stream';
import type { Sender } from '../../model/inbound.ts';
import type { MqttAcl } from '../acl.ts';
import type { ClientCertificate } from '../client-certificate.ts';
import type { GrantedFilters } from './granted-filters.ts';
import { createGrantedFilters } from './granted-filters.ts';
import type { MqttLimitName } from './limit-count.ts';
import type { KnownLogin } from './login.ts';
import type { MqttLimits } from './options.ts';
import type { RateLimit } from './rate-limit.ts';
import { createRateLimit } from './rate-limit.ts';

/** A connection as a listener hands it over. */
export interface AcceptedConnection {
  readonly conn: Duplex;
  readonly address: string;
  readonly listener: 'mqtt' | 'mqtts' | 'mqtt-websocket';
  /** One that a trusted authority has signed. */
  readonly certificate?: ClientCertificate | undefined;
}

/** Who is at the other end, once that is proven. */
export interface MqttPrincipal {
  readonly clientId: string;
  readonly acl: MqttAcl;
  readonly sender: Sender;
  readonly login: KnownLogin;
}

/** The part of aedes' client that is used from outside of its hooks. */
export interface ProtocolClient {
  unsubscribe(
    packet: { readonly cmd: 'unsubscribe'; unsubscriptions: string[] },
    done: (error?: Error) => void,
  ): void;
}

export interface TrafficLook {
  readonly atMs: number;
  readonly messages: number;
  readonly bytes: number;
}

export interface MqttConnection extends AcceptedConnection {
  /** Random, so unlike for every connection, across restarts too. */
  readonly id: string;
  /** Epoch milliseconds. */
  readonly since: number;
  /** The same on the monotonic clock. */
  readonly acceptedMs: number;
  readonly granted: GrantedFilters;
  readonly messageRate: RateLimit;
  readonly byteRate: RateLimit;
  /** As the client asked; an empty client id is replaced by a made-up one later. */
  requested: { readonly clientId: string; readonly clean: boolean };
  principal: MqttPrincipal | undefined;
  /** Undefined until aedes has taken the connection. */
  client: ProtocolClient | undefined;
  /**
   * From its CONNECT to its CONNACK. Aedes would take a packet that comes in between, in a segment
   * of its own, before it knows who sends it [MQTT-3.1.4-5]: nothing is read meanwhile.
   */
  isEntering: boolean;
  /** Received in all, and as it was at the last two looks. */
  messages: number;
  bytes: number;
  looks: readonly TrafficLook[];
  /** Bytes waiting for their receipt. */
  waitingBytes: number;
  /** Messages without a receipt yet, and those whose receipt came before that of an earlier one. */
  readonly receipts: PendingReceipt[];
  /** A device publishes to one topic over and over: the topic asked for last, and the answer. */
  lastTopic: {
    readonly topic: string;
    readonly isAllowed: boolean;
    readonly limit?: MqttLimitName | undefined;
  };
}

/** What the broker does with a message after its receipt: hand it to subscribers, or to nobody. */
export type Routing = 'route' | 'withhold';

export interface PendingReceipt {
  /** Undefined until the receiver has resolved or rejected. */
  outcome: Routing | Error | undefined;
  readonly done: (outcome: Routing | Error) => void;
}

export const noTopic: MqttConnection['lastTopic'] = { topic: '', isAllowed: false };

export function createMqttConnection(
  accepted: AcceptedConnection,
  context: {
    readonly limits: MqttLimits;
    readonly since: number;
    readonly monotonicMs: () => number;
  },
): MqttConnection {
  const { limits, since, monotonicMs } = context;
  const { conn, address, listener, certificate } = accepted;
  // Each by its name: objects spread into one of so many members take V8 forty microseconds.
  return {
    conn,
    address,
    listener,
    certificate,
    id: randomUUID(),
    since,
    acceptedMs: monotonicMs(),
    granted: createGrantedFilters(),
    messageRate: createRateLimit(limits.messagesPerSecondMax, monotonicMs),
    byteRate: createRateLimit(limits.bytesPerSecondMax, monotonicMs),
    requested: { clientId: '', clean: true },
    principal: undefined,
    client: undefined,
    isEntering: false,
    messages: 0,
    bytes: 0,
    looks: [],
    waitingBytes: 0,
    receipts: [],
    lastTopic: noTopic,
  };
}
