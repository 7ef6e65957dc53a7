/** `fieldgate derive --from SEQ`: derives kept uplinks again, in the running gateway. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Command, InvalidArgumentError } from 'commander';
import type { DeriveJson } from '../../dashboard/protocol.ts';
import {
  type GatewayClient,
  type GatewayOptions,
  gatewayClient,
  withGatewayOptions,
} from './gateway-client.ts';

interface DeriveOptions extends GatewayOptions {
  readonly from: number;
  readonly device?: string;
  readonly codec?: string;
  readonly wait: boolean;
  readonly json?: boolean;
}

const askEveryMs = 500;

export function deriveCommand(): Command {
  const command = new Command('derive')
    .requiredOption('--from <seq>', 'the first ledger entry; 1 for all that is kept', parseSeq)
    .option('--device <id>', 'of this device only')
    .option('--codec <id>', 'of the devices that have this codec')
    .option('--no-wait', 'do not wait until it is done')
    .option('--json', 'print JSON');
  return withGatewayOptions(command).action(derive);
}

function parseSeq(text: string): number {
  const seq = Number(text);
  if (!Number.isSafeInteger(seq) || seq < 1) throw new InvalidArgumentError('a number from 1');
  return seq;
}

async function derive({ from, device, codec, wait, json, ...where }: DeriveOptions) {
  const client = await gatewayClient(where);
  if (client === undefined) return;
  const begun = stateIn(await client.ask('POST', '/derive', { from, device, codec }));
  const state = wait ? await follow(client, begun) : begun;
  if (json === true) process.stdout.write(`${JSON.stringify(state)}\n`);
  else process.stdout.write(`${sentenceOf(state)}\n`);
  if (state.state === 'stopped') process.exitCode = 1;
}

async function follow(client: GatewayClient, begun: DeriveJson): Promise<DeriveJson> {
  const isShown = process.stderr.isTTY === true;
  let state = begun;
  while (state.state === 'running') {
    if (isShown) process.stderr.write(`\r\u001b[K${sentenceOf(state)}`);
    await sleep(askEveryMs);
    state = stateIn(await client.ask('GET', '/derive'));
  }
  if (isShown) process.stderr.write('\r\u001b[K');
  return state;
}

/** The gateway's own answer, of its own version. */
function stateIn(answer: unknown): DeriveJson {
  const state: DeriveJson = { state: 'none' };
  return typeof answer === 'object' && answer !== null ? Object.assign(state, answer) : state;
}

function sentenceOf(state: DeriveJson): string {
  if (state.state === 'none') return 'nothing is derived again';
  const { from, to, at, entries, readings, faults } = state;
  const counts = `${entries} uplinks, ${readings} readings, ${faults} uplinks without any`;
  return `${state.state}: entry ${at} of ${from} to ${to}; ${counts}`;
}
