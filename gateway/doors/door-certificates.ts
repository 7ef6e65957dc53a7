/**
 * Certificates of the Basics Station door and for remote brokers: read at the start, and again when
 * they have been renewed.
 */
import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import type { Config } from '../../config/schema.ts';
import type { StationCertificates } from '../transports/lora/basic-station.ts';
import type { RemoteCertificates } from '../transports/remote/remote-options.ts';

type Ingest = Pick<Config['ingest'], 'basicStation' | 'remoteBrokers'>;
type StationTls = NonNullable<NonNullable<Ingest['basicStation']>['tls']>;
type RemoteBrokerConfig = Ingest['remoteBrokers'][number];

export interface DoorCertificates {
  /** Undefined where the door has no TLS, before or after. */
  readonly station: StationCertificates | undefined;
  /** By name of the remote broker. */
  readonly brokers: ReadonlyMap<string, RemoteCertificates>;
}

/** Throws when a file is unreadable. */
export function readStationCertificates({ certFile, keyFile, caFile }: StationTls) {
  return { cert: readFileSync(certFile), key: readFileSync(keyFile), ca: read(caFile) };
}

/** Throws when a file is unreadable. */
export function readBrokerCertificates(tls: RemoteBrokerConfig['tls']) {
  return { ca: read(tls?.caFile), cert: read(tls?.certFile), key: read(tls?.keyFile) };
}

/**
 * Of those that run, by what the file says now. Throws when one cannot be used, as a certificate
 * beside the key of another: an operator who renews both may be between the two.
 */
export function readRenewed(running: Ingest, next: Ingest): DoorCertificates {
  const tls = next.basicStation?.tls;
  const isStation = running.basicStation?.tls !== undefined && tls !== undefined;
  const station = isStation ? readStationCertificates(tls) : undefined;
  const brokers = next.remoteBrokers
    .filter((broker) => hasTwin(broker, running.remoteBrokers))
    .map((broker): [string, RemoteCertificates] => [
      broker.name,
      readBrokerCertificates(broker.tls),
    ]);
  if (station !== undefined) check('ingest.basicStation.tls', station);
  for (const [name, each] of brokers) check(`ingest.remoteBrokers: tls of ${name}`, each);
  return { station, brokers: new Map(brokers) };
}

/** As `next`, but without the certificate files that are taken over: to compare the rest by. */
export function withoutRenewed(next: Ingest, running: Ingest) {
  return next.remoteBrokers.map((broker) => {
    if (!hasTwin(broker, running.remoteBrokers)) return broker;
    const { tls: _taken, ...rest } = broker;
    return rest;
  });
}

/** Its certificates are for whom they were meant: at another URL they wait for the restart. */
function hasTwin({ name, url }: RemoteBrokerConfig, brokers: readonly RemoteBrokerConfig[]) {
  return brokers.some((other) => other.name === name && other.url === url);
}

function check(at: string, { ca, cert, key }: RemoteCertificates): void {
  try {
    createSecureContext({
      ...(ca === undefined ? {} : { ca }),
      ...(cert === undefined ? {} : { cert }),
      ...(key === undefined ? {} : { key }),
    });
  } catch (error) {
    throw new Error(`${at}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function read(file: string | undefined): Buffer | undefined {
  return file === undefined ? undefined : readFileSync(file);
}
