/**
 * What SIGHUP does: the configuration is read again and checked whole; accounts, token keys and
 * certificates are taken over while the gateway runs, and what waits for a restart is named.
 */
import { isDeepStrictEqual } from 'node:util';
import { reloadable } from '../config/reloadable.ts';
import type { Config } from '../config/schema.ts';
import type { AdapterChoice } from './doors/adapter-choice.ts';
import { readRenewed, withoutRenewed } from './doors/door-certificates.ts';
import type { Doors } from './doors/doors.ts';
import { accountRulesOf, readCertificates } from './doors/mqtt-setup.ts';
import type { AuditLog } from './holdings/audit-log.ts';
import type { Log } from './log.ts';
import type { MqttBroker } from './transports/mqtt/broker.ts';

/** What the file says now, or every problem in a line of its own. */
export type ReadAgain = () =>
  | { readonly ok: true; readonly config: Config }
  | { readonly ok: false; readonly problems: readonly string[] };

export interface ReloadParts {
  /** As the gateway was started with it. */
  readonly config: Config;
  readonly broker: Pick<MqttBroker, 'setSecureContext' | 'setAccounts'>;
  readonly doors: Pick<Doors, 'setAccounts' | 'setCertificates'>;
  readonly choice: Pick<AdapterChoice, 'setSources'>;
  readonly audit: Pick<AuditLog, 'append'>;
  readonly log: Log;
}

/** Names in one log line. */
const namesMax = 20;

/** The function never throws: what cannot be taken over leaves everything as it was. */
export function createReload(parts: ReloadParts) {
  const { config: started, broker, doors, audit, log } = parts;
  let current = started;

  function fail(problems: readonly string[]): void {
    const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`;
    log.error({ event: 'reload-failed', problems }, 'accounts, certificates and keys stay in use');
    audit.append({ event: 'reload-failed', detail: `${count}: ${problems[0]}` });
  }

  return (readAgain: ReadAgain): void => {
    const read = readAgain();
    if (!read.ok) {
      fail(read.problems);
      return;
    }
    const { config: next } = read;
    try {
      const rules = accountRulesOf(next.mqtt);
      const certificates = readRenewed(started.ingest, next.ingest);
      if (started.mqtt.tls !== undefined && next.mqtt.tls !== undefined) {
        broker.setSecureContext(readCertificates(next.mqtt.tls, log));
      }
      doors.setCertificates(certificates);
      const connections = broker.setAccounts(rules);
      const waiting = takeSources(parts, next);
      const changes = changesOf(current, next, { hasCoap: started.ingest.coap !== undefined });
      current = next;
      const needRestart = waitingPaths(started, next);
      log[needRestart.length === 0 ? 'info' : 'warn'](
        { event: 'reloaded', ...changes, connections, waiting, needRestart },
        'accounts, certificates and token keys are read again',
      );
      audit.append({ event: 'reload', detail: wordsOf(changes, connections) });
    } catch (error) {
      fail([error instanceof Error ? error.message : String(error)]);
    }
  };
}

/** Gives the sources whose adapter comes with a restart; new ones are refused until then. */
function takeSources({ doors, choice }: ReloadParts, { ingest }: Config) {
  const waiting = choice.setSources(ingest);
  doors.setAccounts(ingest, waiting);
  return { count: waiting.length, names: waiting.map(({ name }) => name).slice(0, namesMax) };
}

type Accounts = ReadonlyMap<string, unknown>;
type Changes = ReturnType<typeof changesOf>;

/** Accounts of a CoAP door that comes with a restart are not in force yet. */
function changesOf(before: Config, after: Config, { hasCoap }: { readonly hasCoap: boolean }) {
  const clients = ({ mqtt }: Config) => new Map(mqtt.clients.map((one) => [one.username, one]));
  const webhooks = ({ ingest }: Config) =>
    new Map(ingest.webhooks.sources.map((one) => [one.name, one]));
  const coap = ({ ingest }: Config) =>
    new Map((hasCoap ? (ingest.coap?.accounts ?? []) : []).map((one) => [one.name, one]));
  return {
    accounts: accountChange(clients(before), clients(after)),
    webhooks: accountChange(webhooks(before), webhooks(after)),
    coap: accountChange(coap(before), coap(after)),
  };
}

function accountChange(before: Accounts, after: Accounts) {
  const listed = (all: readonly string[]) => ({
    count: all.length,
    names: all.slice(0, namesMax),
  });
  const isChanged = (name: string) => !isDeepStrictEqual(before.get(name), after.get(name));
  const names = [...after.keys()];
  return {
    added: listed(names.filter((name) => !before.has(name))),
    removed: listed([...before.keys()].filter((name) => !after.has(name))),
    changed: listed(names.filter((name) => before.has(name) && isChanged(name))),
  };
}

function wordsOf(
  { accounts, webhooks, coap }: Changes,
  { cut, changed: underNewRule }: ReturnType<MqttBroker['setAccounts']>,
): string {
  const counts = ({ added, removed, changed }: Changes['accounts']) =>
    `${added.count} new, ${removed.count} gone, ${changed.count} changed`;
  return [
    `accounts: ${counts(accounts)}`,
    `webhooks: ${counts(webhooks)}`,
    `CoAP: ${counts(coap)}`,
    `connections: ${cut} ended, ${underNewRule} under another rule`,
  ].join('; ');
}

/** What has changed against the start, but for what is in force already. */
function waitingPaths(started: Config, next: Config): readonly string[] {
  const compared = (config: Config, other: Config) => ({
    ...config,
    ingest: { ...config.ingest, remoteBrokers: withoutRenewed(config.ingest, other.ingest) },
  });
  const paths = changedPaths(compared(started, next), compared(next, started));
  return paths.filter((path) => !isReloadable(path));
}

function isReloadable(path: string): boolean {
  return reloadable.some((key) => path === key || path.startsWith(`${key}.`));
}

/** Lists are compared as a whole; values stay out, since many are secret. */
export function changedPaths(before: unknown, after: unknown, path = ''): readonly string[] {
  if (!isSection(before) || !isSection(after)) {
    return isDeepStrictEqual(before, after) ? [] : [path];
  }
  const left = new Map<string, unknown>(Object.entries(before));
  const right = new Map<string, unknown>(Object.entries(after));
  return [...new Set([...left.keys(), ...right.keys()])].flatMap((key) =>
    changedPaths(left.get(key), right.get(key), path === '' ? key : `${path}.${key}`),
  );
}

function isSection(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
