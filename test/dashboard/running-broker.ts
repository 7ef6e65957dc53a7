/** The MQTT side of the running dashboard: a broker that lets anybody in, and its audit log. */
import type { RootDatabase } from 'lmdb';
import type { MqttOperators } from '../../dashboard/operators.ts';
import { openAuditLog } from '../../gateway/holdings/audit-log.ts';
import { openDeviceCredentials } from '../../gateway/holdings/device-credentials.ts';
import { openStateJournal } from '../../gateway/holdings/state-journal.ts';
import { systemClock } from '../../gateway/model/clock.ts';
import { createMqttOperators } from '../../gateway/operation/mqtt-operators.ts';
import { createBanBook } from '../../gateway/transports/mqtt/bans.ts';
import { createMqttBroker } from '../../gateway/transports/mqtt/broker.ts';

export interface RunningBroker {
  readonly port: number;
  readonly operators: MqttOperators;
  stop(): Promise<void>;
}

export async function startBroker(
  state: RootDatabase<unknown, string>,
  note: (fields: object) => void,
): Promise<RunningBroker> {
  const now = () => systemClock.now();
  const log = { info: note, warn: note, error: note };
  const audit = openAuditLog(state, { entriesMax: 1_000, now, log });
  const deviceCredentials = openDeviceCredentials(state, now);
  const store = openStateJournal(state, 'mqtt-bans', log);
  const broker = createMqttBroker(
    {
      ...{ tcp: { host: '127.0.0.1', port: 0 }, anonymous: true },
      clients: [{ username: 'configured', vouches: 'credential', publish: [], subscribe: [] }],
      limits: { connectsPerMinuteMax: 1_000 },
      deviceAccounts: deviceCredentials,
      bans: createBanBook({ store, bansMax: 5, now }),
    },
    async () => {},
    {
      ...{ log, clock: systemClock, onAudit: audit.append },
      onForbidden: async () => {},
      onTooLarge: () => {},
    },
  );
  const [address] = await broker.start();
  return {
    port: address?.port ?? 0,
    operators: createMqttOperators(broker, { audit, deviceCredentials }),
    async stop() {
      await broker.stop();
      await audit.flushed();
    },
  };
}
