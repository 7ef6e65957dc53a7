/**
 * What the schema cannot see of the doors beside MQTT: names that must exist, addresses that fit.
 */
import { readFileSync } from 'node:fs';
import type { Config } from '../../config/schema.ts';
import { planWith } from '../model/channel-plan.ts';
import { isDeviceId } from '../model/device.ts';
import { channelsOf, placeRadios } from '../transports/lora/router-config.ts';
import { isLoopback, isPrivate } from '../transports/private-address.ts';
import { isTopicFilter } from '../transports/topic-filter.ts';

/** Of one poll: its devices are not asked all at once. */
export const pollRequestsPerSecond = 50;

export interface DoorProblem {
  readonly path: string;
  readonly detail: string;
}

/** `knownAdapters` are those of the registry and of the configured mappings. */
export function doorProblems({ ingest }: Config, knownAdapters: readonly string[]): DoorProblem[] {
  return [
    ...sourceProblems(ingest, knownAdapters),
    ...coapProblems(ingest),
    ...gatewayProblems(ingest),
    ...stationProblems(ingest),
    ...remoteProblems(ingest),
    ...wrapProblems(ingest),
    ...pollProblems(ingest),
  ];
}

type Ingest = Config['ingest'];

/** Webhooks and CoAP accounts share one list of paths, `/ingest/<name>`. */
function sourceProblems({ webhooks, coap }: Ingest, known: readonly string[]): DoorProblem[] {
  const sources = [
    ...webhooks.sources.map((source, index) => ({ ...source, at: `webhooks.sources.${index}` })),
    ...(coap?.accounts ?? []).map((account, index) => ({
      ...account,
      at: `coap.accounts.${index}`,
    })),
  ];
  const names = sources.map(({ name }) => name);
  return sources.flatMap(({ name, adapter, deviceId, at }, index) => [
    ...(adapter === undefined || known.includes(adapter)
      ? []
      : [problem(`${at}.adapter`, `no adapter is named ${adapter}; known: ${known.join(', ')}`)]),
    ...(names.indexOf(name) === index ? [] : [problem(`${at}.name`, `${name} is taken already`)]),
    ...(deviceId === undefined || isDeviceId(deviceId)
      ? []
      : [problem(`${at}.deviceId`, `${deviceId} is not the id of a device`)]),
  ]);
}

function coapProblems({ coap }: Ingest): DoorProblem[] {
  if (coap === undefined) return [];
  const tokens = coap.accounts.map(({ token }) => token);
  return [
    ...(isPrivate(coap.host) || coap.allowUnencryptedPublic
      ? []
      : [
          problem(
            'coap.host',
            `${coap.host} is not a private address and CoAP is not encrypted: ` +
              'listen on a private one, or set allowUnencryptedPublic: true',
          ),
        ]),
    ...coap.accounts.flatMap(({ token, publish }, index) => [
      ...(tokens.indexOf(token) === index
        ? []
        : [problem(`coap.accounts.${index}.token`, 'another account has the same token')]),
      ...publish
        .filter((filter) => !isTopicFilter(filter))
        .map((filter) =>
          problem(`coap.accounts.${index}.publish`, `${filter} is not an MQTT topic filter`),
        ),
    ]),
  ];
}

function gatewayProblems({ udp }: Ingest): DoorProblem[] {
  if (udp === undefined || udp.gateways.length > 0 || isLoopback(udp.host)) return [];
  const detail = `name the gateways, since anybody can reach ${udp.host} and claim to be one`;
  return [problem('udp.gateways', detail)];
}

function stationProblems({ basicStation }: Ingest): DoorProblem[] {
  if (basicStation === undefined) return [];
  const { host, stations, tls } = basicStation;
  return [
    ...(stations.length > 0 || isLoopback(host)
      ? []
      : [problem('basicStation.stations', `name the stations, since anybody can reach ${host}`)]),
    ...(placeRadios(channelsOf(planWith(basicStation.plan, basicStation.frequencies))) === undefined
      ? [
          problem(
            'basicStation.frequencies',
            'they lie too far apart for the two radios of a gateway',
          ),
        ]
      : []),
    ...(tls?.requestCert === true && tls.caFile === undefined
      ? [problem('basicStation.tls.caFile', 'is needed to check the certificates of stations')]
      : []),
    ...fileProblems('basicStation.tls', tls),
  ];
}

function remoteProblems({ remoteBrokers }: Ingest): DoorProblem[] {
  const names = remoteBrokers.map(({ name }) => name);
  return remoteBrokers.flatMap(({ name, subscribe, deviceId, tls }, index) => {
    const at = `remoteBrokers.${index}`;
    return [
      ...(names.indexOf(name) === index ? [] : [problem(`${at}.name`, `${name} is taken already`)]),
      ...(deviceId === undefined || isDeviceId(deviceId)
        ? []
        : [problem(`${at}.deviceId`, `${deviceId} is not the id of a device`)]),
      ...subscribe
        .filter((filter) => !isTopicFilter(filter.replace(/^\$share\/[^/+#]+\//, '')))
        .map((filter) => problem(`${at}.subscribe`, `${filter} is not an MQTT topic filter`)),
      ...fileProblems(`${at}.tls`, tls),
    ];
  });
}

function wrapProblems({ appSKeyWraps }: Ingest): DoorProblem[] {
  const labels = appSKeyWraps.map(({ label }) => label);
  return labels.flatMap((label, index) =>
    labels.indexOf(label) === index
      ? []
      : [problem(`appSKeyWraps.${index}.label`, `${label} is taken already`)],
  );
}

function pollProblems({ polls, remoteBrokers }: Ingest): DoorProblem[] {
  const names = polls.map(({ name }) => name);
  return polls.flatMap(({ name, topic, devices, ask, intervalSeconds, broker }, index) => {
    const at = `polls.${index}`;
    const roundSeconds = Math.ceil((devices.length * ask.length) / pollRequestsPerSecond);
    return [
      ...(names.indexOf(name) === index ? [] : [problem(`${at}.name`, `${name} is taken already`)]),
      ...(devices.length === 1 || topic.includes('{device}')
        ? []
        : [problem(`${at}.topic`, 'has no {device}, and there are several')]),
      ...(roundSeconds <= intervalSeconds
        ? []
        : [
            problem(`${at}.intervalSeconds`, `is too short: a round takes ${roundSeconds} seconds`),
          ]),
      ...(broker === undefined || remoteBrokers.some((remote) => remote.name === broker)
        ? []
        : [problem(`${at}.broker`, `no remote broker is named ${broker}`)]),
    ];
  });
}

function fileProblems(at: string, tls: object | undefined): DoorProblem[] {
  return Object.entries(tls ?? {}).flatMap(([key, file]) =>
    typeof file !== 'string' || isReadable(file)
      ? []
      : [problem(`${at}.${key}`, `cannot read ${file}`)],
  );
}

function isReadable(file: string): boolean {
  try {
    readFileSync(file);
    return true;
  } catch {
    return false;
  }
}

function problem(path: string, detail: string): DoorProblem {
  return { path: `ingest.${path}`, detail };
}
