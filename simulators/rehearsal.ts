/**
 * What a gateway and a simulation must agree on, as files: the gateway's configuration, the
 * accounts of the senders, a token to look at it. A rehearsal on one's own machine needs no more.
 */

import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { stringify } from 'yaml';
import { createDemoConfig } from './demo-config.ts';
import { loadApplicationId } from './load/load-message.ts';
import { accountsBySender } from './run.ts';
import type { Scenario } from './scenario.ts';

const httpPort = 8080;
const mqttPort = 1883;
const coapPort = 5683;

/** Rejects when a file is there already: accounts in use are not written over. */
export async function writeRehearsal(directory: string, scenario: Scenario): Promise<string[]> {
  const load = { username: 'load', password: randomBytes(24).toString('base64url') };
  const topics = { publish: [`application/${loadApplicationId}/#`], subscribe: [] };
  const { yaml, accounts, token } = createDemoConfig(scenario, {
    ...{ dataDir: resolve(directory, 'data'), httpPort, mqttPort, coapPort },
    clients: [{ ...load, vouches: 'network-server', ...topics }],
  });
  return writeSecrets(directory, {
    'gateway.yaml': yaml,
    'accounts.yaml': stringify({ ...accountsBySender(accounts), load }),
    'viewer.token': `${token}\n`,
  });
}

/** Files that their owner alone reads. Rejects when one is there already. */
export async function writeSecrets(
  directory: string,
  files: Readonly<Record<string, string>>,
): Promise<string[]> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const paths: string[] = [];
  for (const [name, text] of Object.entries(files)) {
    const path = join(directory, name);
    await writeFile(path, text, { mode: 0o600, flag: 'wx' });
    paths.push(path);
  }
  return paths;
}
