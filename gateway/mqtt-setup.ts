/**
 * From the configuration to the broker's options and hooks: what it refuses is written down, too.
 */
import { readFileSync } from 'node:fs';
import type { Config } from '../config/schema.ts';
import type { Holdings } from './holdings.ts';
import type { Log } from './log.ts';
import type { Clock } from './model/clock.ts';
import type { Inbound } from './model/inbound.ts';
import { outLevel } from './out-topics.ts';
import type { Ingest } from './pipeline/ingest.ts';
import type { MqttHooks, TooLargePacket } from './transports/mqtt-options.ts';

export function mqttOptionsOf({ mqtt }: Config, holdings: Pick<Holdings, 'mqttSessions'>) {
  const { tcp, tls, clients, anonymous, limits } = mqtt;
  return {
    ...{ clients, anonymous, limits, store: holdings.mqttSessions, ownLevel: outLevel },
    ...(tcp === null ? {} : { tcp }),
    ...(tls === undefined
      ? {}
      : {
          tls: {
            host: tls.host,
            port: tls.port,
            requestCert: tls.requestCert,
            proxyFrom: tls.proxyFrom,
            cert: readFileSync(tls.certFile),
            key: readFileSync(tls.keyFile),
            ca: tls.caFile === undefined ? undefined : readFileSync(tls.caFile),
          },
        }),
  };
}

/** A message its sender may not publish: kept with the reason, then acknowledged. */
export function refuseForbidden(ingest: Pick<Ingest, 'refuse'>) {
  return (inbound: Inbound) =>
    ingest.refuse(inbound, 'TOPIC_FORBIDDEN', `${inbound.sender.credential} may not publish here`);
}

export function mqttHooks(ingest: Pick<Ingest, 'refuse'>, log: Log, clock: Clock): MqttHooks {
  return {
    onForbidden: refuseForbidden(ingest),
    onTooLarge(packet) {
      const detail = `a packet of ${packet.declaredBytes} bytes from ${packet.address}`;
      const inbound = refusedPacket(packet, clock.now());
      ingest.refuse(inbound, 'INBOUND_TOO_LARGE', detail).catch(() => {});
    },
    log,
    clock,
  };
}

/** Its bytes were never read: what is known of it is written down. */
function refusedPacket(
  { credential, clientId, address }: TooLargePacket,
  receivedAt: number,
): Inbound {
  return {
    transport: 'mqtt',
    route: '',
    body: Buffer.alloc(0),
    receivedAt,
    sender: {
      credential: credential ?? clientId ?? address,
      connection: `refused:${address}:${receivedAt}`,
      vouches: 'credential',
    },
    dup: false,
  };
}
