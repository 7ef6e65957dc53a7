/**
 * One broker as a process of its own, for the benchmark: bare aedes, or the gateway's broker with
 * what is to be measured around it. Prints its port; ends when its standard input does.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer as createTlsServer } from 'node:tls';
import { Aedes } from 'aedes';
import { openLedger } from '../gateway/ledger/lmdb-ledger.ts';
import { systemClock } from '../gateway/model/clock.ts';
import type { Inbound } from '../gateway/model/inbound.ts';
import type { VerifiedUplink } from '../gateway/model/uplink.ts';
import { createMqttBroker } from '../gateway/transports/mqtt/broker.ts';
import type { MqttAccount } from '../gateway/transports/mqtt/options.ts';
import type { BrokerPlan } from './mqtt-load.ts';

const local = { host: '127.0.0.1', port: 0 };

/** As many filters as an account of a network server may well have; the last one covers. */
const otherFilters = Array.from({ length: 20 }, (_, index) => `area-${index}/+/{clientId}/#`);

async function startBare({ tls }: BrokerPlan): Promise<number> {
  const broker = await Aedes.createBroker();
  const server =
    tls === undefined
      ? createServer({ noDelay: true }, broker.handle)
      : createTlsServer({ ...filesOf(tls), noDelay: true }, broker.handle);
  await new Promise<void>((resolve) => server.listen(local, resolve));
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

async function startOurs({ tls, isDurable, hasAcl }: BrokerPlan): Promise<number> {
  const write = isDurable ? await openWriter() : async () => {};
  const account: MqttAccount = {
    ...{ username: 'load', password: 'load-password' },
    vouches: 'credential',
    publish: hasAcl ? [...otherFilters, 'up/+'] : ['#'],
    subscribe: [],
  };
  const silent = () => {};
  const broker = createMqttBroker(
    {
      ...(tls === undefined ? { tcp: local } : { tls: { ...local, ...filesOf(tls) } }),
      clients: [account],
    },
    write,
    {
      onForbidden: () => Promise.reject(new Error('the load may publish')),
      onTooLarge: silent,
      log: { info: silent, warn: silent, error: silent },
      clock: systemClock,
    },
  );
  const [address] = await broker.start();
  return address?.port ?? 0;
}

/** The ledger alone: what the adapters cost is measured elsewhere. */
async function openWriter(): Promise<(inbound: Inbound) => Promise<void>> {
  const directory = mkdtempSync(join(tmpdir(), 'fieldgate-bench-'));
  process.once('exit', () => rmSync(directory, { recursive: true, force: true }));
  const ledger = await openLedger({ directory });
  let count = 0;
  return async (inbound) => {
    count += 1;
    // Written out as adapters do: a copy of another item has a slower form.
    const item: VerifiedUplink = {
      kind: 'payload',
      adapter: 'bench',
      messageKey: String(count),
      deviceId: 'bench',
      vouchedBy: 'credential',
      rxInfo: [],
    };
    await ledger.accept({ inbound, items: [item] });
  };
}

function filesOf({ cert, key }: { readonly cert: string; readonly key: string }) {
  return { cert: readFileSync(cert), key: readFileSync(key) };
}

const plan: BrokerPlan = JSON.parse(process.argv[2] ?? '');
const port = await (plan.kind === 'bare' ? startBare(plan) : startOurs(plan));
process.stdout.write(`${port}\n`);
process.stdin.resume();
process.stdin.once('end', () => process.exit(0));
