/** What the ledger costs: uplinks of about 1 kB accepted to disk, with concurrent senders. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import type { Delivery } from '../gateway/ledger/ledger.ts';
import { openLedger } from '../gateway/ledger/lmdb-ledger.ts';

export interface LedgerAcceptOptions {
  readonly uplinks?: number;
  readonly senders?: number;
  /** Deliveries that each sender has under way. */
  readonly windowLength?: number;
  /** Uplinks stored before the measurement, so that the trees have a size. */
  readonly prefilled?: number;
  readonly kind?: LoadKind;
}

/**
 * `keyed` network-server JSON with a message key and a time; `untimed` the same without a time, so
 * that identities land all over their tree; `frame` raw frames of 5,000 sessions; `bare` modem
 * bodies that only the sender tells apart.
 */
export type LoadKind = 'keyed' | 'untimed' | 'frame' | 'bare';

export interface LedgerAcceptFigures {
  readonly kind: LoadKind;
  readonly acceptedPerSecond: number;
  /** Of the whole process, with LMDB's writing thread. */
  readonly cpuMicrosecondsEach: number;
  /** Of the ingest thread, as the kernel counts it, on Linux only; the load is made on it, too. */
  readonly threadMicrosecondsEach: number;
  /** What making the load costs by itself; not taken off the figures above. */
  readonly loadMicrosecondsEach: number;
  readonly longestBlockMs: number;
}

export async function ledgerAccept(
  options: LedgerAcceptOptions = {},
): Promise<LedgerAcceptFigures> {
  const { uplinks = 100_000, senders = 20, windowLength = 50, prefilled = 0 } = options;
  const kind = options.kind ?? 'keyed';
  const directory = await mkdtemp(join(tmpdir(), 'fieldgate-bench-'));
  const ledger = await openLedger({ directory });
  const send = async (deliveries: Iterator<Delivery>) => {
    for (let next = deliveries.next(); !next.done; next = deliveries.next()) {
      const [receipt] = await ledger.accept(next.value);
      if (receipt?.outcome !== 'accepted') throw new Error(`Not accepted: ${receipt?.outcome}`);
    }
  };
  const load = (deliveries: Iterator<Delivery>) =>
    Promise.all(Array.from({ length: senders * windowLength }, () => send(deliveries)));
  try {
    const warmUp = prefilled + 20_000;
    await load(makeDeliveries(0, warmUp, kind));
    const delay = monitorEventLoopDelay({ resolution: 1 });
    delay.enable();
    const startedAt = performance.now();
    const cpu = process.cpuUsage();
    const thread = await threadMicroseconds();
    await load(makeDeliveries(warmUp, uplinks, kind));
    const seconds = (performance.now() - startedAt) / 1000;
    const { user, system } = process.cpuUsage(cpu);
    const threadEnd = await threadMicroseconds();
    delay.disable();
    return {
      kind,
      acceptedPerSecond: Math.round(uplinks / seconds),
      cpuMicrosecondsEach: (user + system) / uplinks,
      threadMicrosecondsEach: (threadEnd - thread) / uplinks,
      loadMicrosecondsEach: await measureLoad(kind),
      longestBlockMs: delay.max / 1e6,
    };
  } finally {
    await ledger.close();
    await rm(directory, { recursive: true, force: true });
  }
}

/** CPU time of this process's first thread, which runs the event loop; not a number elsewhere. */
async function threadMicroseconds(): Promise<number> {
  const path = `/proc/self/task/${process.pid}/schedstat`;
  const text = await readFile(path, 'utf8').catch(() => '');
  return Number(text.split(' ')[0] || Number.NaN) / 1000;
}

async function measureLoad(kind: LoadKind): Promise<number> {
  const count = 50_000;
  const startedAt = await threadMicroseconds();
  let bytes = 0;
  for (const { inbound } of makeDeliveries(0, count, kind)) bytes += inbound.body.length;
  return bytes === 0 ? 0 : ((await threadMicroseconds()) - startedAt) / count;
}

function* makeDeliveries(first: number, count: number, kind: LoadKind): Generator<Delivery> {
  for (let number = first; number < first + count; number += 1) yield makeDelivery(number, kind);
}

const deviceCount = 5_000;
const startTime = 1_700_000_000_000;
const template = Buffer.from(`{"number":"0123456789abcdef","data":"${'0123456789'.repeat(100)}"}`);
const numberAt = 11;

function makeDelivery(number: number, kind: LoadKind): Delivery {
  const device = number % deviceCount;
  const fCnt = Math.floor(number / deviceCount);
  const deviceId = device.toString(16).padStart(16, '0');
  const body = Buffer.allocUnsafe(template.length);
  template.copy(body);
  body.writeDoubleBE(number, numberAt);
  const rxTime = startTime + Math.floor(number / 12);
  const timed = kind === 'keyed' || kind === 'frame' ? { rxTime } : {};
  const counted = kind === 'bare' ? {} : { fPort: 2, fCnt, devAddr: deviceId.slice(8) };
  const keyed = kind === 'keyed' || kind === 'untimed' ? { messageKey: `key-${number}` } : {};
  const framed = kind === 'frame' ? { phyPayload: body.subarray(0, 30) } : {};
  return {
    inbound: {
      transport: 'mqtt',
      route: `application/1/device/${deviceId}/event/up`,
      body,
      receivedAt: rxTime,
      sender: { credential: 'chirpstack', connection: 'c1', vouches: 'network-server' },
      dup: false,
      messageId: (number % 65_535) + 1,
    },
    items: [
      {
        kind: 'payload',
        adapter: 'chirpstack-v4',
        vouchedBy: 'network-server',
        deviceId,
        ...{ ...timed, ...counted, ...keyed, ...framed },
        frmPayload: body.subarray(0, 12),
        rxInfo: [{ gatewayId: '0016c001f153a14c', rssi: -57, snr: 10.2, rxTime }],
        txInfo: { frequency: 868_100_000, bandwidth: 125_000, spreadingFactor: 7 },
      },
    ],
  };
}
