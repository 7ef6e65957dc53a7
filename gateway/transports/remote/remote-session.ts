/** One connection to a remote broker, from CONNECT to its end. */
import { setTimeout as wait } from 'node:timers/promises';
import { connect, type IClientOptions, type IPublishPacket, type MqttClient } from 'mqtt';
import type { Inbound } from '../../model/inbound.ts';
import { createPacketScanner } from '../packet-guard.ts';
import type { Receive } from '../transport.ts';
import type { TransportHooks } from '../transport-hooks.ts';
import type { RemoteBroker, RemoteBrokerLimits } from './remote-options.ts';

export interface RemoteSession {
  readonly broker: RemoteBroker;
  readonly limits: RemoteBrokerLimits;
  readonly receive: Receive;
  readonly hooks: TransportHooks;
  /** Ends the session once the receipts in flight are given. */
  readonly signal: AbortSignal;
  /** Unlike for every connection. */
  readonly connection: string;
  /** With what to publish by, from CONNACK to the end; then with undefined. */
  readonly onConnected: (publish: PublishRemote | undefined) => void;
  readonly onState: (isUp: boolean) => void;
}

/** At QoS 0: what is said to a node now is of no use to it later. */
export type PublishRemote = (topic: string, payload: Buffer) => Promise<void>;

export interface SessionEnd {
  /** Something was acknowledged, or it held for a while: the next attempt need not wait for long. */
  readonly wasUseful: boolean;
  readonly reason: string;
}

interface PendingMessage {
  /** Undefined where none is asked for. */
  readonly messageId: number | undefined;
  isWritten: boolean;
}

const usefulMs = 30_000;
const refusedQos = 128;

export function runRemoteSession(session: RemoteSession): Promise<SessionEnd> {
  const { broker, limits, hooks, signal, onConnected, onState } = session;
  const startedMs = hooks.monotonicMs();
  const client = connect(broker.url, clientOptionsOf(broker, limits));
  // A broker may also take the connection and never answer the subscription.
  const unanswered = setTimeout(
    () => end('the broker does not answer'),
    2 * limits.connectTimeoutMs,
  );
  const receipts = createReceipts(session, client, (reason) => end(reason));
  let end = (_reason: string): void => {};
  const ended = new Promise<SessionEnd>((resolve) => {
    end = (reason) => {
      end = () => {};
      clearTimeout(unanswered);
      onConnected(undefined);
      onState(false);
      receipts.close();
      const livedMs = hooks.monotonicMs() - startedMs;
      const wasUseful = receipts.acknowledged() > 0 || livedMs >= usefulMs;
      client.end(true, {}, () => resolve({ wasUseful, reason }));
    };
  });
  guard(client, limits, (reason) => end(reason));
  client.on('error', ({ message }) => end(message));
  client.on('close', () => end('the connection has ended'));
  client.on('connect', () => {
    onConnected(async (topic, payload) => {
      await client.publishAsync(topic, payload, { qos: 0 });
    });
    const filters = Object.fromEntries(
      broker.subscribe.map((filter) => [filter, { qos: 1 }] as const),
    );
    client.subscribe(filters, (error, granted = []) => {
      const refused = granted.find(({ qos }) => qos >= refusedQos);
      if (error !== null) end(error.message);
      else if (refused !== undefined) end(`it may not subscribe to ${refused.topic}`);
      else {
        clearTimeout(unanswered);
        onState(true);
      }
    });
  });
  const stop = async () => {
    await receipts.settle(limits.stopTimeoutMs);
    end('the gateway stops');
  };
  if (signal.aborted) stop();
  signal.addEventListener('abort', stop, { once: true });
  return ended.finally(() => signal.removeEventListener('abort', stop));
}

function clientOptionsOf(broker: RemoteBroker, limits: RemoteBrokerLimits): IClientOptions {
  const { clientId, username, password, protocolVersion, ca, cert, key } = broker;
  return {
    clientId,
    // The broker keeps what comes between two connections.
    clean: false,
    keepalive: limits.keepaliveSeconds,
    connectTimeout: limits.connectTimeoutMs,
    // One client, one connection: nothing of an old one can acknowledge on a new one.
    reconnectPeriod: 0,
    resubscribe: false,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(protocolVersion === '3.1.1'
      ? { protocolVersion: 4 }
      : {
          protocolVersion: 5,
          properties: {
            sessionExpiryInterval: limits.sessionExpirySeconds,
            receiveMaximum: Math.min(limits.inFlightMax, 65_535),
            maximumPacketSize: limits.packetBytesMax,
          },
        }),
  };
}

/** The parser would hold a packet of up to 256 MiB before anybody sees it. */
function guard(
  { stream }: MqttClient,
  { packetBytesMax }: RemoteBrokerLimits,
  end: (reason: string) => void,
): void {
  const scan = createPacketScanner({ firstPacketBytesMax: packetBytesMax, packetBytesMax });
  // The scanner knows the other side of a connection, which begins with a CONNECT.
  scan(Buffer.from([0x10, 0]));
  stream.on('data', (chunk: Buffer) => {
    const finding = scan(chunk);
    if (finding !== undefined) end(`a packet that is ${finding.kind}`);
  });
}

interface Receipts {
  acknowledged(): number;
  settle(timeoutMs: number): Promise<void>;
  close(): void;
}

/**
 * The library waits for one message before it shows the next. So it is told at once to go on
 * without an acknowledgement, and the four bytes of PUBACK are written here, in order
 * [MQTT-4.6.0-2]: many messages then share one flush of the disk. They are the same in MQTT 3.1.1
 * and, for success, in 5.
 */
function createReceipts(
  { broker, limits, receive, hooks, signal, connection }: RemoteSession,
  client: MqttClient,
  onRefused: (reason: string) => void,
): Receipts {
  const pending: PendingMessage[] = [];
  let goOn: (() => void) | undefined;
  let acknowledged = 0;
  let isOpen = true;

  function acknowledgeInOrder(): void {
    for (let first = pending[0]; first?.isWritten === true; first = pending[0]) {
      pending.shift();
      if (isOpen && first.messageId !== undefined) client.stream.write(pubackOf(first.messageId));
      acknowledged += 1;
    }
    if (pending.length >= limits.inFlightMax) return;
    const next = goOn;
    goOn = undefined;
    next?.();
  }

  client.handleMessage = (packet, callback) => {
    // What comes during a stop stays unacknowledged: it is for the next start.
    if (signal.aborted || !isOpen) return;
    const message: PendingMessage = {
      messageId: packet.qos === 1 ? packet.messageId : undefined,
      isWritten: false,
    };
    pending.push(message);
    receive(inboundOf(packet, { broker, hooks, connection })).then(
      () => {
        message.isWritten = true;
        acknowledgeInOrder();
      },
      () => onRefused('nothing can be written down'),
    );
    // Last, since the library may show the next message before this returns.
    const next = () => callback(new Error('it is acknowledged later'));
    if (pending.length < limits.inFlightMax) next();
    else goOn = next;
  };
  return {
    acknowledged: () => acknowledged,
    settle: async (timeoutMs) => {
      const stepMs = 10;
      for (let waitedMs = 0; pending.length > 0 && waitedMs < timeoutMs; waitedMs += stepMs) {
        await wait(stepMs);
      }
    },
    close: () => {
      isOpen = false;
    },
  };
}

function pubackOf(messageId: number): Buffer {
  return Buffer.from([0x40, 2, messageId >> 8, messageId & 0xff]);
}

function inboundOf(
  { topic, payload, dup, qos, messageId }: IPublishPacket,
  { broker, hooks, connection }: Pick<RemoteSession, 'broker' | 'hooks' | 'connection'>,
): Inbound {
  const { name, vouches, deviceId } = broker;
  return {
    transport: 'mqtt',
    route: topic,
    body: typeof payload === 'string' ? Buffer.from(payload) : payload,
    receivedAt: hooks.clock.now(),
    sender: {
      credential: name,
      connection,
      vouches,
      ...(deviceId === undefined ? {} : { deviceId }),
    },
    dup: qos > 0 && dup,
    ...(qos > 0 && messageId !== undefined ? { messageId } : {}),
  };
}
