/**
 * What operators see of the MQTT clients and do to them; what is done goes into the audit log. The
 * kinds of bans are named as the log's fields.
 */
import type { MqttOperators } from '../../dashboard/operators.ts';
import type { AuditLog } from '../holdings/audit-log.ts';
import type { DeviceCredentials } from '../holdings/device-credentials.ts';
import type { MqttBroker } from '../transports/mqtt/broker.ts';
import { createCredentialOperators } from './credential-operators.ts';

export interface OperatorParts {
  readonly audit: AuditLog;
  readonly deviceCredentials: DeviceCredentials;
}

export function createMqttOperators(
  broker: Pick<MqttBroker, 'clients' | 'disconnect' | 'ban' | 'bans' | 'isConfigured'>,
  parts: OperatorParts,
): MqttOperators {
  const { audit } = parts;
  return {
    clients: broker.clients,
    disconnect: (clientId, by) => {
      const isDone = broker.disconnect(clientId);
      if (isDone) audit.append({ event: 'kick', clientId, by });
      return isDone;
    },
    bans: broker.bans.list,
    ban: async (input) => {
      const ban = broker.ban(input);
      if (ban === undefined) return undefined;
      const { kind, value, by, reason, until } = ban;
      const detail = `${kind} until ${new Date(until).toISOString()}: ${reason}`;
      audit.append({ event: 'ban', [kind]: value, by, detail });
      await broker.bans.flushed();
      return ban;
    },
    lift: async (id, by) => {
      const ban = broker.bans.lift(id);
      if (ban === undefined) return false;
      audit.append({ event: 'lift', [ban.kind]: ban.value, by, detail: ban.reason });
      await broker.bans.flushed();
      return true;
    },
    credentials: createCredentialOperators(parts, broker.isConfigured),
    audit: async (query) => {
      await audit.flushed();
      return audit.read(query);
    },
  };
}
