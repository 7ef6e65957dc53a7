/** The doors beside MQTT, as the configuration opens them: webhooks, LoRa gateways, modems. */
import type { Router } from 'express';
import type { Config } from '../config/schema.ts';
import { parseEui64 } from './model/eui.ts';
import { createHttpPush } from './transports/http-push.ts';
import { isLoopback } from './transports/private-address.ts';
import type { ListeningAddress, Receive, Transport } from './transports/transport.ts';
import type { TransportHooks } from './transports/transport-hooks.ts';
import { createUdpSemtech } from './transports/udp-semtech.ts';

export interface Doors extends Transport {
  /** The webhooks, to be mounted on the HTTP server. */
  readonly router: Router;
}

export function createDoors({ ingest }: Config, receive: Receive, hooks: TransportHooks): Doors {
  const { sources, ...limits } = ingest.webhooks;
  const push = createHttpPush({ sources, limits }, receive, hooks);
  const transports: Transport[] = [push];
  if (ingest.udp !== undefined) {
    const gateways = allowListOf(ingest.udp.host, ingest.udp.gateways);
    transports.push(createUdpSemtech({ ...ingest.udp, gateways }, receive, hooks));
  }
  return {
    router: push.router,
    start: async () => {
      const addresses: ListeningAddress[] = [];
      for (const transport of transports) addresses.push(...(await transport.start()));
      return addresses;
    },
    stop: async () => {
      await Promise.all(transports.map((transport) => transport.stop()));
    },
  };
}

/** Undefined, for any gateway at all, only where nobody but this machine can reach the port. */
function allowListOf(host: string, listed: readonly string[]): ReadonlySet<string> | undefined {
  if (listed.length === 0 && isLoopback(host)) return undefined;
  return new Set(listed.flatMap((text) => parseEui64(text) ?? []));
}
