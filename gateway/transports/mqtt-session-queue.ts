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
}

export interface SessionQueue {
  /** False when the queue is full: the message is not kept. */
  add(packet: QueuedPacket): boolean;
  /** Notes the packet identifier that a message was sent with. */
  markSent(brokerCounter: number, messageId: number): void;
  /** The client has a QoS 2 message; from here on only its PUBREL is repeated. */
  release(messageId: number): void;
  remove(messageId: number): QueuedPacket | undefined;
  /** In the order of publication; what was sent before carries DUP [MQTT-3.3.1-1]. */
  list(): readonly QueuedPacket[];
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

  return {
    add: (packet) => {
      const size = sizeOf(packet);
      const isFull =
        byCounter.size >= limits.offlineMessagesMax || bytes + size > limits.offlineBytesMax;
      if (isFull) return false;
      byCounter.set(packet.brokerCounter, packet);
      bytes += size;
      return true;
    },
    markSent: (brokerCounter, messageId) => {
      const packet = byCounter.get(brokerCounter);
      if (packet === undefined) return;
      if (packet.messageId !== undefined) counterOf.delete(packet.messageId);
      byCounter.set(brokerCounter, { ...packet, messageId });
      counterOf.set(messageId, brokerCounter);
    },
    release: (messageId) => {
      const packet = find(messageId);
      if (packet === undefined || packet.cmd === 'pubrel') return;
      bytes -= sizeOf(packet);
      const pubrel = { ...packet, cmd: 'pubrel', topic: '', payload: empty } as const;
      byCounter.set(packet.brokerCounter, pubrel);
      bytes += sizeOf(pubrel);
    },
    remove: (messageId) => {
      const packet = find(messageId);
      if (packet === undefined) return undefined;
      counterOf.delete(messageId);
      byCounter.delete(packet.brokerCounter);
      bytes -= sizeOf(packet);
      return packet;
    },
    list: () =>
      [...byCounter.values()].map((packet) => ({
        ...packet,
        dup: packet.cmd === 'publish' && packet.messageId !== undefined,
      })),
    clear: () => {
      byCounter.clear();
      counterOf.clear();
      bytes = 0;
    },
  };
}

const empty = Buffer.alloc(0);

function sizeOf(packet: QueuedPacket): number {
  return packet.topic.length + packet.payload.length;
}
