/** The doors beside MQTT, as the configuration opens them: webhooks, LoRa gateways, modems. */
import type { Router } from 'express';
import type { Config } from '../../config/schema.ts';
import { isGenuineRequest } from '../adapters/thingpark-security.ts';
import { planWith } from '../model/channel-plan.ts';
import { parseEui64 } from '../model/eui.ts';
import { type Coap, createCoap } from '../transports/coap/coap.ts';
import { createHttpPush } from '../transports/http/http-push.ts';
import type { HttpAuth } from '../transports/http/http-source.ts';
import { type BasicStation, createBasicStation } from '../transports/lora/basic-station.ts';
import { createUdpSemtech } from '../transports/lora/udp-semtech.ts';
import { isLoopback } from '../transports/private-address.ts';
import { createRemoteBrokers, type RemoteBrokers } from '../transports/remote/remote-broker.ts';
import type { ListeningAddress, Receive, Transport } from '../transports/transport.ts';
import type { TransportHooks } from '../transports/transport-hooks.ts';
import type { WaitingSource } from './adapter-choice.ts';
import {
  type DoorCertificates,
  readBrokerCertificates,
  readStationCertificates,
} from './door-certificates.ts';

export interface Doors extends Transport {
  /** The webhooks, to be mounted on the HTTP server. */
  readonly router: Router;
  readonly remoteBrokers: Pick<RemoteBrokers, 'states' | 'publish' | 'answer'>;
  /** For new handshakes and for the next connections to remote brokers; open connections stay. */
  setCertificates(certificates: DoorCertificates): void;
  /**
   * Webhooks and CoAP accounts from the next request on, those whose adapter waits for a restart as
   * `waiting` has it. A section that is gone has no accounts; one that is new waits for a restart.
   */
  setAccounts(ingest: Pick<Ingest, 'webhooks' | 'coap'>, waiting: readonly WaitingSource[]): void;
}

type Ingest = Config['ingest'];

export function createDoors({ ingest }: Config, receive: Receive, hooks: TransportHooks): Doors {
  const { sources: configured, ...limits } = ingest.webhooks;
  const sourcesOf = (list: Ingest['webhooks']['sources']) =>
    list.map((source) => ({ ...source, auth: authOf(source.auth, hooks) }));
  const sources = sourcesOf(configured);
  const push = createHttpPush({ sources, limits }, receive, hooks);
  const remote = createRemoteBrokers(
    {
      brokers: ingest.remoteBrokers.map(remoteBrokerOf),
      limits: ingest.remoteBrokerLimits,
      random: Math.random,
    },
    receive,
    hooks,
  );
  const transports: Transport[] = [push, remote];
  if (ingest.udp !== undefined) {
    const gateways = allowListOf(ingest.udp.host, ingest.udp.gateways);
    transports.push(createUdpSemtech({ ...ingest.udp, gateways }, receive, hooks));
  }
  let station: BasicStation | undefined;
  if (ingest.basicStation !== undefined) {
    station = createBasicStation(stationOptionsOf(ingest.basicStation), receive, hooks);
    transports.push(station);
  }
  let coap: Coap | undefined;
  if (ingest.coap !== undefined) {
    coap = createCoap(ingest.coap, receive, hooks);
    transports.push(coap);
  }
  return {
    router: push.router,
    remoteBrokers: remote,
    setCertificates: (next) => {
      if (next.station !== undefined) station?.setSecureContext(next.station);
      remote.setCertificates(next.brokers);
    },
    setAccounts: (next, waiting) => {
      const until = new Map(waiting.map(({ name, adapter }) => [name, adapter]));
      const adapterOf = ({ name, adapter }: { name: string; adapter?: string | undefined }) =>
        until.has(name) ? until.get(name) : adapter;
      const readable = next.webhooks.sources.flatMap((source) => {
        const adapter = adapterOf(source);
        return adapter === undefined ? [] : { ...source, adapter };
      });
      push.setSources(sourcesOf(readable));
      const accounts = next.coap?.accounts ?? [];
      coap?.setAccounts(accounts.map((each) => ({ ...each, adapter: adapterOf(each) })));
    },
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

type AuthConfig = Ingest['webhooks']['sources'][number]['auth'];

/** ThingPark's proof is a matter of its format, so that the door is handed a function for it. */
function authOf(auth: AuthConfig, { clock }: Pick<TransportHooks, 'clock'>): HttpAuth {
  if (auth.kind !== 'thingpark') return auth;
  const { asId, key, timeWindowSeconds } = auth;
  const tunnel = { asId, key, timeWindowMs: timeWindowSeconds * 1_000 };
  return {
    kind: 'request',
    isGenuine: (request) => isGenuineRequest({ ...request, now: clock.now() }, tunnel),
  };
}

/** Undefined, for any gateway at all, only where nobody but this machine can reach the port. */
function allowListOf(host: string, listed: readonly string[]): ReadonlySet<string> | undefined {
  if (listed.length === 0 && isLoopback(host)) return undefined;
  return new Set(listed.flatMap((text) => parseEui64(text) ?? []));
}

type BasicStationConfig = NonNullable<Config['ingest']['basicStation']>;

function stationOptionsOf(config: BasicStationConfig) {
  const { plan, tls, stations, ...rest } = config;
  const isOpen = stations.length === 0 && isLoopback(config.host);
  const listed = stations.flatMap(({ eui, token }): [string, string | undefined][] => {
    const parsed = parseEui64(eui);
    return parsed === undefined ? [] : [[parsed, token]];
  });
  return {
    ...rest,
    planName: plan,
    plan: planWith(plan, config.frequencies),
    stations: isOpen ? undefined : new Map(listed),
    requestCert: tls?.requestCert ?? false,
    ...(tls === undefined ? {} : { tls: readStationCertificates(tls) }),
  };
}

function remoteBrokerOf({ tls, ...broker }: Config['ingest']['remoteBrokers'][number]) {
  return { ...broker, ...readBrokerCertificates(tls) };
}
