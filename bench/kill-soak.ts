/**
 * The long form of the kill test: fifty kills, 3 to 10 s apart, under 500 messages a second at QoS
 * 1 and 2 from fifty clients. What they know to be acknowledged is looked for in the ledger:
 * nothing may be missing, nothing there twice. Takes about seven minutes; `--kills 10` for fewer.
 */
import { rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { mqttClients } from '../test/end-to-end/accounts.ts';
import { isAllStored, uplinksAfter } from '../test/end-to-end/gateway-api.ts';
import { differenceOf, startHistory } from '../test/end-to-end/kill-history.ts';
import { startGatewayProcess, until } from '../test/setup/gateway-process.ts';

const clients = 50;
const everyMs = 100;
const aliveMsMin = 3_000;
const aliveMsMax = 10_000;
const storedWithinMs = 300_000;

const at = process.argv.indexOf('--kills');
const kills = at < 0 ? 50 : Number(process.argv[at + 1]);

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

const config = { mqtt: { clients: mqttClients } };
let gateway = await startGatewayProcess({ config });
const { directory } = gateway;
const history = startHistory({ gateway: () => gateway, clients, everyMs });
const startMs: number[] = [];
const began = performance.now();
for (let kill = 1; kill <= kills; kill += 1) {
  // Spread evenly over the range, in an order that repeats.
  const share = ((kill * 7) % 10) / 9;
  await sleep(aliveMsMin + share * (aliveMsMax - aliveMsMin));
  await gateway.kill('SIGKILL');
  const started = performance.now();
  gateway = await startGatewayProcess({ config, directory });
  startMs.push(performance.now() - started);
  say(`kill ${kill} of ${kills}: ${history.acknowledged().length} acknowledged`);
}
await history.finish();
const seconds = (performance.now() - began) / 1_000;
await until('everything is stored', () => isAllStored(gateway), storedWithinMs);
const entries = await uplinksAfter(gateway, 0);
const written = entries.map(({ object }) => Number(object?.['luminosity']));
const { missing, tooMany } = differenceOf(written, history.acknowledged());
const others = entries.filter(({ outcome }) => outcome !== 'accepted');
const gaps = entries.filter(({ seq }, index) => seq !== index + 1);
const acknowledged = history.acknowledged().length;
await gateway.kill('SIGTERM');
await rm(directory, { recursive: true, force: true });

const slowest = Math.max(...startMs).toFixed(0);
say(
  `${kills} kills in ${seconds.toFixed(0)} s; ${history.sent()} sent, ${history.resent()} of them ` +
    `again, ${acknowledged} acknowledged (${(acknowledged / seconds).toFixed(0)}/s); slowest ` +
    `start ${slowest} ms\n` +
    `missing ${missing.length}, twice or unknown ${tooMany.length}, not accepted ` +
    `${others.length}, gaps ${gaps.length}`,
);
const isSound =
  missing.length + tooMany.length + others.length + gaps.length === 0 &&
  acknowledged === history.sent();
process.exitCode = isSound ? 0 : 1;
