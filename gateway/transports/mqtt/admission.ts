/**
 * The door of the broker: each CONNECT packet is looked at, held against identity, bans and limits,
 * and answered; what is turned away is written down.
 */
import assert from 'node:assert/strict';
import type { AdmissionContext, ConnectFields } from './connect.ts';
import { admit, clampKeepalive, findConnectFault } from './connect.ts';
import { enterClient, type MqttCore, monotonicMs } from './core.ts';
import { createFlappingWatch } from './flapping.ts';
import type { MqttIdentity } from './identity.ts';

/** A CONNACK other than 0 [MQTT 3.1.1, table 3.1]. */
type Refusal = Error & { readonly returnCode: 2 | 3 | 4 | 5 };

/** In the form of aedes' hooks of the same names. */
export interface MqttAdmission {
  preConnect(
    client: object,
    packet: ConnectFields,
    callback: (error: Error | null, isSound: boolean) => void,
  ): void;
  authenticate(
    client: { readonly id: string },
    username: string | undefined,
    password: Buffer | undefined,
    callback: (refusal: Refusal | null, isAdmitted: boolean) => void,
  ): void;
}

/** Called by aedes for every CONNECT packet, in this order. */
export function createMqttAdmission(core: MqttCore, identity: MqttIdentity): MqttAdmission {
  const context = admissionContext(core, identity);
  return {
    preConnect: (client, packet, callback) => {
      const connection = core.connections.get(client);
      const fault = connection === undefined ? 'no connection' : findConnectFault(packet);
      if (connection === undefined || fault !== undefined) {
        // Only an error closes; `false` alone would leave the connection open without a time-out.
        callback(new Error(fault), false);
        return;
      }
      connection.requested = { clientId: packet.clientId, clean: packet.clean !== false };
      const isClamped = clampKeepalive(packet, core.limits.keepaliveSecondsMax);
      if (isClamped) core.limitCount.hit('keepaliveSecondsMax');
      connection.isEntering = true;
      callback(null, true);
    },
    authenticate: (client, username, password, callback) => {
      const connection = core.connections.get(client);
      assert.ok(connection);
      const login = { username, password };
      admit(connection, login, { clientId: client.id, context }).then(
        (admission) => {
          if (admission.kind === 'admitted') {
            enterClient(core, connection);
            callback(null, true);
            return;
          }
          const { returnCode, reason } = admission;
          const { address, requested } = connection;
          core.note('mqtt-refused', { address, username, returnCode, reason });
          const who = { clientId: requested.clientId, credential: username, address };
          core.auditRefusal({ ...who, detail: reason });
          callback(Object.assign(new Error(reason), { returnCode }), false);
        },
        (error: unknown) => {
          core.hooks.log.error({ event: 'mqtt-login-failed', error }, 'mqtt-login-failed');
          callback(Object.assign(new Error('login failed'), { returnCode: 3 as const }), false);
        },
      );
    },
  };
}

function admissionContext(core: MqttCore, identity: MqttIdentity): AdmissionContext {
  const { hooks, limits, sessions, bans } = core;
  const onLimit = core.limitCount.hit;
  const connectionsOf = (account: string, besides: string): number => {
    const isOwn = core.live.get(besides)?.principal?.sender.credential === account;
    return (core.liveOf.get(account) ?? 0) - (isOwn ? 1 : 0);
  };
  const flapping = createFlappingWatch({
    ...{ limits, bans, monotonicMs, onLimit, now: () => hooks.clock.now() },
    onBan: ({ value, credential, reason }) =>
      core.audit({ event: 'ban', clientId: value, credential, detail: reason }),
  });
  const { log, clock } = hooks;
  return { identity, limits, sessions, bans, flapping, onLimit, connectionsOf, log, clock };
}
