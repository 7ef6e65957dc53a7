/** What the broker tells of its clients, for the log that operators read when something went wrong. */

export type MqttAuditEvent = 'connect' | 'disconnect' | 'refuse' | 'takeover' | 'ban';

export interface MqttAuditEntry {
  readonly event: MqttAuditEvent;
  readonly clientId?: string | undefined;
  readonly credential?: string | undefined;
  readonly address?: string | undefined;
  readonly detail?: string | undefined;
  /** Entries of the same kind and source that were held back since the last one. */
  readonly heldBack?: number | undefined;
}
