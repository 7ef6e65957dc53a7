/**
 * The messages on their way to one client with a lasting session: sent but not acknowledged, or not
 * sent.
 */

/** A PUBLISH or, once the client has answered PUBREC, the PUBREL that took its place. */
export interface QueuedPacket {
  readonly cmd: 'publish' | 'pubrel';
  readonly brokerId: string;
  /** Unlike for every message the broker routes. */
  readonly brokerCounter: number;
  readonly topic: string;
  readonly payload: Buffer;
  readonly qos: number;
  readonly retain: boolean;
  readonly dup: boolean;
  /** Set when it has been sent. */
  readonly messageId: number | undefined;
  /** Epoch milliseconds of its receipt. */
  readonly keptAt: number;
  /** Its number in the store; undefined when it is not there. */
  readonly stored: number | undefined;
}

export interface SessionQueue {
  /** False when the queue is full: the message is not kept. */
  add(packet: QueuedPacket): boolean;
  /** The limit that keeps it out; undefined when there is room. */
  fullFor(message: Pick<QueuedPacket, 'topic' | 'payload'>): keyof QueueLimits | undefined;
  /** Notes the packet identifier that a message is sent with, and returns the message. */
  markSent(brokerCounter: number, messageId: number): QueuedPacket | undefined;
  /** The client has a QoS 2 message; from here on only its PUBREL is repeated. */
  release(messageId: number): QueuedPacket | undefined;
  remove(messageId: number): QueuedPacket | undefined;
  /** Takes out, from the oldest on, what was kept before this time and never sent. */
  takeOlder(keptAt: number): readonly QueuedPacket[];
  /** In the order of publication; what was sent before carries DUP [MQTT-3.3.1-1]. */
  list(): readonly QueuedPacket[];
  size(): number;
  bytes(): number;
  /** Epoch milliseconds of the receipt of the one that has waited for longest. */
  oldestAt(): number | undefined;
  clear(): void;
}

export interface QueueLimits {
  readonly offlineMessagesMax: number;
  readonly offlineBytesMax: number;
}

export function createSessionQueue(limits: QueueLimits): SessionQueue {
  const byCounter = new Map<number, QueuedPacket>();
  const counterOf = new Map<number, number>();
  let bytes = 0;

  function find(messageId: number): QueuedPacket | undefined {
    const counter = counterOf.get(messageId);
    return counter === undefined ? undefined : byCounter.get(counter);
  }

  function fullFor(
    message: Pick<QueuedPacket, 'topic' | 'payload'>,
  ): keyof QueueLimits | undefined {
    if (byCounter.size >= limits.offlineMessagesMax) return 'offlineMessagesMax';
    return bytes + sizeOf(message) > limits.offlineBytesMax ? 'offlineBytesMax' : undefined;
  }

  function takeOut(packet: QueuedPacket): void {
    if (packet.messageId !== undefined) counterOf.delete(packet.messageId);
    byCounter.delete(packet.brokerCounter);
    bytes -= sizeOf(packet);
  }

  return {
    add: (packet) => {
      if (fullFor(packet) !== undefined) return false;
      byCounter.set(packet.brokerCounter, packet);
      if (packet.messageId !== undefined) counterOf.set(packet.messageId, packet.brokerCounter);
      bytes += sizeOf(packet);
      return true;
    },
    fullFor,
    markSent: (brokerCounter, messageId) => {
      const packet = byCounter.get(brokerCounter);
      if (packet === undefined) return undefined;
      if (packet.messageId !== undefined) counterOf.delete(packet.messageId);
      const sent = { ...packet, messageId };
      byCounter.set(brokerCounter, sent);
      counterOf.set(messageId, brokerCounter);
      return sent;
    },
    release: (messageId) => {
      const packet = find(messageId);
      if (packet === undefined || packet.cmd === 'pubrel') return undefined;
      const pubrel = releasedOf(packet);
      byCounter.set(packet.brokerCounter, pubrel);
      bytes += sizeOf(pubrel) - sizeOf(packet);
      return pubrel;
    },
    remove: (messageId) => {
      const packet = find(messageId);
      if (packet !== undefined) takeOut(packet);
      return packet;
    },
    takeOlder: (keptAt) => {
      const taken: QueuedPacket[] = [];
      for (const packet of byCounter.values()) {
        if (packet.keptAt >= keptAt) break;
        if (packet.messageId === undefined) taken.push(packet);
      }
      for (const packet of taken) takeOut(packet);
      return taken;
    },
    list: () =>
      [...byCounter.values()].map((packet) => ({
        ...packet,
        dup: packet.cmd === 'publish' && packet.messageId !== undefined,
      })),
    size: () => byCounter.size,
    bytes: () => bytes,
    oldestAt: () => byCounter.values().next().value?.keptAt,
    clear: () => {
      byCounter.clear();
      counterOf.clear();
      bytes = 0;
    },
  };
}

const empty = Buffer.alloc(0);

/** What is left of a QoS 2 message once its client has it. */
export function releasedOf(packet: QueuedPacket): QueuedPacket {
  return { ...packet, cmd: 'pubrel', topic: '', payload: empty };
}

function sizeOf({ topic, payload }: Pick<QueuedPacket, 'topic' | 'payload'>): number {
  return topic.length + payload.length;
}
