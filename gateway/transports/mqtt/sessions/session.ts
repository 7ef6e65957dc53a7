/** One client's session: what the broker remembers of it, and for whom. */
import type { GrantedFilters } from '../granted-filters.ts';
import { createGrantedFilters } from '../granted-filters.ts';
import type { SessionQueue } from './session-queue.ts';
import { createSessionQueue, type QueueLimits } from './session-queue.ts';
import { clientKeyOf } from './session-records.ts';

export interface MqttSession {
  /** The account it belongs to. */
  readonly owner: string;
  readonly clientId: string;
  /** Its place in the store. */
  readonly key: string;
  /** False for clean session 1: it ends with its connection. */
  isLasting: boolean;
  isStored: boolean;
  /** The connection that holds it now; undefined while the client is away. */
  connection: string | undefined;
  readonly granted: GrantedFilters;
  readonly queue: SessionQueue;
  /** Packet identifiers between PUBLISH and PUBREL [MQTT-4.3.3-2]. */
  readonly incoming: Set<number>;
  goneAtMs: number;
}

/** A client that a message is for, with the QoS that its subscriptions allow. */
export interface Match {
  readonly clientId: string;
  readonly qos: number;
}

/** A message whose receipt is written, before its sender is told. */
export interface ReceivedMessage {
  readonly topic: string;
  readonly payload: Buffer;
  readonly qos: number;
  readonly retain: boolean;
  readonly messageId?: number | undefined;
}

export function createSession(
  clientId: string,
  { owner, limits }: { readonly owner: string; readonly limits: QueueLimits },
): MqttSession {
  return {
    owner,
    clientId,
    key: clientKeyOf(clientId),
    isLasting: false,
    isStored: false,
    connection: undefined,
    granted: createGrantedFilters(),
    queue: createSessionQueue(limits),
    incoming: new Set(),
    goneAtMs: 0,
  };
}
