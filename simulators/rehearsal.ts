/**
 * What a gateway and a simulation must agree on, as files: the gateway's configuration, the
 * accounts of the senders, a token to look at it. A rehearsal on one's own machine needs no more.
 */

import { randomBytes } from 'node:crypto';
import { resolve } from 'node:path';
import { stringify } from 'yaml';
import { createDemoConfig } from './demo-config.ts';
import { loadApplicationId } from './load/load-message.ts';
import { accountsBySender } from './run.ts';
import type { Scenario } from './scenario.ts';
import { writeSecrets } from './secret-files.ts';

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
