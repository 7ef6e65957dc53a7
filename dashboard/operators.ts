/** What the HTTP side asks of the MQTT broker on behalf of administrators. */
import type { Ban, BanInput } from '../gateway/transports/mqtt-bans.ts';
import type { MqttClientView } from '../gateway/transports/mqtt-options.ts';

/** What the MQTT side lets operators see and do; it writes down what they do. */
export interface MqttOperators {
  clients(): readonly MqttClientView[];
  /** False when no such client is connected. */
  disconnect(clientId: string, by: string): boolean;
  bans(): readonly Ban[];
  /** Resolves when it is on disk; undefined when there are too many. */
  ban(input: BanInput): Promise<Ban | undefined>;
  /** False when there is no such ban. */
  lift(id: string, by: string): Promise<boolean>;
  /** The newest first. */
  audit(query: AuditQuery): Promise<readonly AuditEntry[]>;
}

export interface AuditQuery {
  readonly before?: number;
  readonly limit: number;
  readonly event?: string;
}

export interface AuditEntry {
  readonly seq: number;
  /** Epoch milliseconds. */
  readonly at: number;
  readonly event: string;
}
