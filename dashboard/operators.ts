/** What the HTTP side asks of the MQTT broker on behalf of administrators. */
import type { Ban, BanInput } from '../gateway/transports/mqtt/bans.ts';
import type { MqttClientView } from '../gateway/transports/mqtt/options.ts';

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
  readonly credentials: CredentialOperators;
  /** The newest first. */
  audit(query: AuditQuery): Promise<readonly AuditEntry[]>;
}

/** The credentials of single devices; what is done to them is written down. */
export interface CredentialOperators {
  /** In the order of their ids. */
  list(page: { readonly after: string; readonly limit: number }): readonly CredentialView[];
  /** One answer for each, in order; who has a credential keeps it. On disk when it resolves. */
  create(devices: readonly NewCredential[], by: string): Promise<readonly CreatedCredential[]>;
  /** The new secret; undefined when the device has no credential. */
  rotate(
    deviceId: string,
    how: { readonly until: number; readonly by: string },
  ): Promise<string | undefined>;
  /** False when there was none. */
  revoke(deviceId: string, by: string): Promise<boolean>;
}

interface NewCredential {
  readonly deviceId: string;
  readonly agency?: string | undefined;
  readonly application?: string | undefined;
}

export interface CredentialView extends NewCredential {
  readonly secrets: readonly { readonly validUntil?: number | undefined }[];
}

type CreatedCredential =
  | { readonly deviceId: string; readonly ok: true; readonly secret: string }
  | { readonly deviceId: string; readonly ok: false; readonly detail: string };

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
