/** What a schema cannot see: names in the configuration that must exist elsewhere. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '../config/schema.ts';
import { codecs, findCodec } from '../decoders/registry.ts';
import { checkMappings } from './adapters/mapping/mappings.ts';
import { adapters } from './adapters/registry.ts';
import { sparkplugName } from './adapters/sparkplug/host.ts';
import { isTopicFilter } from './adapters/topic-filter.ts';
import { readModel } from './codecs/models/model-input.ts';
import { parseReference } from './codecs/script.ts';
import { doorProblems } from './doors/door-check.ts';
import { parseDeviceInput } from './lorawan/device-input.ts';
import { readRevocationLists } from './transports/mqtt/revocation-list.ts';
import { createTokenCheck } from './transports/mqtt/token.ts';

export interface CrossProblem {
  readonly path: string;
  readonly detail: string;
  /** A bad device stops only itself; everything else stops the start. */
  readonly isFatal: boolean;
}

export function crossCheck(config: Config): CrossProblem[] {
  return [
    ...mappingProblems(config),
    ...routeProblems(config),
    ...doorProblems(config, knownAdapters(config)).map(({ path, detail }) => fatal(path, detail)),
    ...fileProblems(config),
    ...tokenProblems(config),
    ...keyProblems(config),
    ...modelProblems(config),
    ...deviceProblems(config),
  ];
}

function mappingProblems({ ingest }: Config): CrossProblem[] {
  const taken = [...adapters.map(({ name }) => name), sparkplugName];
  return checkMappings(ingest.mappings, taken).map(({ path, detail }) =>
    fatal(`ingest.mappings.${path}`, detail),
  );
}

/** The built-in ones, and what the mappings are called. */
function knownAdapters({ ingest }: Config): string[] {
  const mapped = ingest.mappings.flatMap(({ name, profile }) => name ?? profile ?? []);
  return [...adapters.map(({ name }) => name), ...mapped, sparkplugName];
}

function routeProblems(config: Config): CrossProblem[] {
  const known = knownAdapters(config);
  const names = known.join(', ');
  return config.ingest.routes.flatMap(({ adapter, topic }, index) => [
    ...(known.includes(adapter)
      ? []
      : [
          fatal(
            `ingest.routes.${index}.adapter`,
            `no adapter is named ${adapter}; known: ${names}`,
          ),
        ]),
    ...(isTopicFilter(topic)
      ? []
      : [fatal(`ingest.routes.${index}.topic`, `${topic} is not an MQTT topic filter`)]),
  ]);
}

function fileProblems({ mqtt }: Config): CrossProblem[] {
  const { certFile, keyFile, caFile, crlFile } = mqtt.tls ?? {};
  const files = Object.entries({ certFile, keyFile, caFile, crlFile });
  const unreadable = files.flatMap(([key, file]) =>
    file === undefined || isReadable(file) ? [] : [fatal(`mqtt.tls.${key}`, `cannot read ${file}`)],
  );
  return unreadable.length > 0 ? unreadable : revocationProblems(crlFile);
}

function revocationProblems(crlFile: string | undefined): CrossProblem[] {
  if (crlFile === undefined) return [];
  try {
    readRevocationLists(readFileSync(crlFile));
    return [];
  } catch (error) {
    return [fatal('mqtt.tls.crlFile', error instanceof Error ? error.message : String(error))];
  }
}

/** Each key is tried, so that a wrong one does not show at the first login. */
function tokenProblems({ mqtt }: Config): CrossProblem[] {
  return mqtt.tokenIssuers.flatMap(({ keys, ...issuer }, at) =>
    keys.flatMap(({ publicKey, publicKeyFile, ...key }, index) => {
      const path = `mqtt.tokenIssuers.${at}.keys.${index}`;
      if ((publicKey === undefined) === (publicKeyFile === undefined)) {
        return [fatal(path, 'give either publicKey or publicKeyFile')];
      }
      try {
        const pem = publicKeyFile === undefined ? publicKey : readFileSync(publicKeyFile);
        createTokenCheck([{ ...issuer, keys: [{ ...key, publicKey: pem ?? '' }] }], Date.now);
        return [];
      } catch (error) {
        return [fatal(path, error instanceof Error ? error.message : String(error))];
      }
    }),
  );
}

/** A label says which key: one of two would open nothing. */
function keyProblems({ keys: { keks, protection }, ingest }: Config): CrossProblem[] {
  const labels = keks.map(({ label }) => label);
  const elsewhere = new Set(ingest.appSKeyWraps.map(({ label }) => label));
  const isMissing = protection.kind === 'pkcs11' && !isReadable(protection.module);
  return [
    ...labels.flatMap((label, index) =>
      labels.indexOf(label) === index && !elsewhere.has(label)
        ? []
        : [fatal(`keys.keks.${index}.label`, `${label} is taken already`)],
    ),
    ...(isMissing ? [fatal('keys.protection.module', `cannot read ${protection.module}`)] : []),
  ];
}

function isReadable(file: string): boolean {
  try {
    readFileSync(file);
    return true;
  } catch {
    return false;
  }
}

function modelProblems({ models }: Config): CrossProblem[] {
  return models.flatMap((input, index) => {
    const read = readModel(input);
    if (!('problems' in read)) return [];
    const at = `models.${index} (${input.id})`;
    return read.problems.map(({ path, detail }) =>
      mild(`${at}${path === '' ? '' : `.${path}`}`, detail),
    );
  });
}

function deviceProblems({ devices, dataDir, codecs: { directory } }: Config): CrossProblem[] {
  const names = codecs.map(({ name }) => name).join(', ');
  return devices.flatMap((input, index) => {
    const parsed = parseDeviceInput(input);
    const at = `devices.${index} (${input.id})`;
    if ('problems' in parsed) {
      return parsed.problems.map(({ path, message, remedy }) =>
        mild(`${at}${path === '' ? '' : `.${path}`}`, `${message} ${remedy}`.trim()),
      );
    }
    const { codec } = parsed.device;
    if (codec === undefined || findCodec(codec) !== undefined) return [];
    const { id } = parseReference(codec);
    if (directory !== undefined && isReadable(join(directory, `${id}.js`))) return [];
    if (isReadable(join(dataDir, 'codecs', `${id}.json`))) return [];
    return [mild(`${at}.codec`, `no codec is named ${codec}; known: ${names}`)];
  });
}

function fatal(path: string, detail: string): CrossProblem {
  return { path, detail, isFatal: true };
}

function mild(path: string, detail: string): CrossProblem {
  return { path, detail, isFatal: false };
}
