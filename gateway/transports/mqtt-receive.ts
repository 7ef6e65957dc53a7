/** A PUBLISH from a client on its way to the receiver: checked, slowed down, and acknowledged in order. */
import { setTimeout as wait } from 'node:timers/promises';
import type { Inbound } from '../model/inbound.ts';
import { isSystemTopic } from './mqtt-connect.ts';
import type { MqttConnection, MqttPrincipal } from './mqtt-connection.ts';
import type { MqttHooks, MqttLimits } from './mqtt-options.ts';
import { isTopicName, isWithinLimits } from './topic-filter.ts';
import type { Receive } from './transport.ts';

export interface PublishFields {
  readonly topic: string;
  readonly payload: Buffer | string;
  readonly qos: number;
  readonly dup: boolean;
  readonly messageId?: number | undefined;
}

/** What the broker does with a message after its receipt: hand it to subscribers, or to nobody. */
export type Routing = 'route' | 'withhold';

export interface MqttReceiver {
  /**
   * Resolves when the message may be acknowledged, and in the order of the calls for one connection
   * [MQTT-4.6.0-2]. Rejects when it must not be: the connection has to be closed.
   */
  take(
    connection: MqttConnection,
    packet: PublishFields,
    options: { readonly isWill: boolean },
  ): Promise<Routing>;
  /** Resolves when no receipt is in flight, or at the time-out; true when none is left. */
  settle(timeoutMs: number): Promise<boolean>;
}

/** What a waiting message costs beside its bytes: its packet, its promises, perhaps a timer. */
const overheadBytes = 512;

export function createMqttReceiver(
  receive: Receive,
  { limits, hooks }: { readonly limits: MqttLimits; readonly hooks: MqttHooks },
): MqttReceiver {
  let inFlight = 0;
  const whenSettled = new Set<() => void>();

  function announceSettled(): void {
    for (const resolve of whenSettled) resolve();
    whenSettled.clear();
  }

  async function deliver(connection: MqttConnection, inbound: Inbound, acl: MqttPrincipal['acl']) {
    const size = inbound.body.length + inbound.route.length + overheadBytes;
    connection.waitingBytes += size;
    inFlight += 1;
    try {
      const delayMs = Math.max(
        connection.messageRate.delayMs(1),
        connection.byteRate.delayMs(inbound.body.length),
      );
      if (delayMs >= 1) await wait(delayMs);
      const isAllowed = acl.mayPublish(inbound.route) && isWithinLimits(inbound.route, limits);
      await (isAllowed ? receive(inbound) : hooks.onForbidden(inbound));
      return isAllowed ? 'route' : 'withhold';
    } finally {
      connection.waitingBytes -= size;
      inFlight -= 1;
      if (inFlight === 0) announceSettled();
    }
  }

  return {
    take: async (connection, packet, { isWill }) => {
      const { principal } = connection;
      const problem = principal === undefined ? 'nobody' : findPublishFault(packet, isWill);
      if (principal === undefined || problem !== undefined) throw new Error(problem);
      const inbound = toInbound(packet, principal.sender, hooks.clock.now());
      const before = connection.turn;
      const receipt = deliver(connection, inbound, principal.acl);
      const inTurn = afterBoth(receipt, before);
      connection.turn = inTurn.then(ignore, ignore);
      return inTurn;
    },
    settle: async (timeoutMs) => {
      if (inFlight === 0) return true;
      const abort = new AbortController();
      const settled = new Promise<void>((resolve) => whenSettled.add(resolve));
      const expired = wait(timeoutMs, undefined, { signal: abort.signal }).catch(ignore);
      await Promise.race([settled, expired]);
      abort.abort();
      return inFlight === 0;
    },
  };
}

async function afterBoth(receipt: Promise<Routing>, before: Promise<void>): Promise<Routing> {
  const routing = await receipt;
  await before;
  return routing;
}

function ignore(): void {}

/** What closes the connection instead of being written down: it is no message at all. */
function findPublishFault(packet: PublishFields, isWill: boolean): string | undefined {
  if (!isTopicName(packet.topic)) return 'a topic that nobody can publish to';
  if (isSystemTopic(packet.topic)) return '$SYS belongs to the broker';
  if (isWill || packet.qos === 0) return undefined;
  // [MQTT-2.3.1-1]; the parser gives -1 when the packet ends before the identifier.
  return (packet.messageId ?? 0) > 0 ? undefined : 'a packet identifier of 0, or none';
}

function toInbound(
  { topic, payload, qos, dup, messageId }: PublishFields,
  sender: Inbound['sender'],
  receivedAt: number,
): Inbound {
  const body = typeof payload === 'string' ? Buffer.from(payload) : payload;
  const base = { transport: 'mqtt', route: topic, body, receivedAt, sender } as const;
  // DUP means nothing at QoS 0 [MQTT-3.3.1-2].
  if (qos === 0 || messageId === undefined) return { ...base, dup: false };
  return { ...base, dup, messageId };
}
