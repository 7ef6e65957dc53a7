/**
 * Captured messages out of a ledger: from a data directory, which is only read and may be in use,
 * or from a running gateway through its API.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { CapturedMessage } from '../../simulators/capture/message.ts';
import type { LedgerEntry } from '../ledger/ledger.ts';
import { openLedgerReader } from '../ledger/lmdb-reader.ts';
import { answerOf, type GatewayAddress, GatewayRefused } from './gateway-answer.ts';

export interface LedgerRecording {
  /** Entries with a higher seq. */
  readonly after: number;
  /** Goes on with what is written later, until the signal. */
  readonly follow: boolean;
  readonly signal: AbortSignal;
}

/** Entries read at once. */
const pageSize = 1_000;
const followPeriodMs = 500;

/**
 * A message that held several items has an entry for each, and its bytes in the first. Redelivered
 * messages left no entry: they come once.
 */
export async function* dataDirectoryMessages(
  directory: string,
  { after, follow, signal }: LedgerRecording,
): AsyncGenerator<CapturedMessage, void> {
  const reader = openLedgerReader({ directory });
  try {
    let place = after;
    while (!signal.aborted) {
      const entries = reader.read(place, pageSize);
      for (const entry of entries) {
        place = entry.seq;
        const message = messageOf(entry);
        if (message !== undefined) yield message;
      }
      if (entries.length === 0 && !follow) return;
      if (entries.length === 0) await pause(signal);
    }
  } finally {
    await reader.close();
  }
}

function messageOf(entry: LedgerEntry): CapturedMessage | undefined {
  const { receivedAt, transport, route, credential, item, body } = entry;
  if (!(body instanceof Uint8Array)) return undefined;
  return {
    ...{ at: receivedAt, via: transport, route, body: Buffer.from(body), sender: credential },
    ...(item.deviceId === undefined ? {} : { device: item.deviceId }),
  };
}

async function pause(signal: AbortSignal): Promise<void> {
  await sleep(followPeriodMs, undefined, { signal }).catch(() => undefined);
}

/** The bytes are asked for one entry at a time, this many at once. */
const requestsMax = 8;
const requestTimeoutMs = 30_000;

/** Rejects with a sentence for the operator when the gateway does not answer with 200. */
export async function* apiMessages(
  source: GatewayAddress,
  { after, follow, signal }: LedgerRecording,
): AsyncGenerator<CapturedMessage, void> {
  let place = after;
  let last: CapturedMessage | undefined;
  while (!signal.aborted) {
    const seqs = await seqsAfter(source, place);
    for (let start = 0; start < seqs.length && !signal.aborted; start += requestsMax) {
      const some = seqs.slice(start, start + requestsMax);
      for (const message of await Promise.all(some.map((seq) => entryOf(source, seq)))) {
        if (message === undefined || isSameDelivery(last, message)) continue;
        last = message;
        yield message;
      }
    }
    place = seqs.at(-1) ?? place;
    if (seqs.length === 0 && !follow) return;
    if (seqs.length === 0) await pause(signal);
  }
}

/** The API shows each item of a message with all of its bytes. */
function isSameDelivery(last: CapturedMessage | undefined, next: CapturedMessage): boolean {
  return (
    last?.at === next.at &&
    last.route === next.route &&
    last.sender === next.sender &&
    last.body.equals(next.body)
  );
}

async function seqsAfter(source: GatewayAddress, after: number): Promise<number[]> {
  const page = await fieldsAt(source, `/uplinks?after=${after}&limit=${pageSize}`);
  const items: unknown = page?.['items'];
  if (!Array.isArray(items)) return [];
  return items.flatMap((item: unknown) => {
    const seq = fieldsOf(item)['seq'];
    return typeof seq === 'number' ? [seq] : [];
  });
}

const transports = ['mqtt', 'http', 'udp', 'coap'] as const;

/** Undefined for an entry that retention has removed meanwhile. */
async function entryOf(source: GatewayAddress, seq: number): Promise<CapturedMessage | undefined> {
  const entry = await fieldsAt(source, `/uplinks/${seq}`);
  if (entry === undefined) return undefined;
  const text = (name: string) => (typeof entry[name] === 'string' ? entry[name] : undefined);
  const via = transports.find((one) => one === entry['transport']);
  const at = Date.parse(text('receivedAt') ?? '');
  const [route, body, sender, device] = [
    text('route'),
    text('body'),
    text('credential'),
    text('device'),
  ];
  if (via === undefined || route === undefined || body === undefined || Number.isNaN(at)) {
    return undefined;
  }
  return {
    ...{ at, via, route, body: Buffer.from(body, 'base64') },
    ...(sender === undefined ? {} : { sender }),
    ...(device === undefined ? {} : { device }),
  };
}

async function fieldsAt(
  address: GatewayAddress,
  path: string,
): Promise<Readonly<Record<string, unknown>> | undefined> {
  const signal = AbortSignal.timeout(requestTimeoutMs);
  try {
    return fieldsOf(await answerOf(address, { method: 'GET', path, signal }));
  } catch (error) {
    if (error instanceof GatewayRefused && error.status === 404 && error.isOfGateway) return;
    throw error;
  }
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
    ? Object.fromEntries(Object.entries(value))
    : {};
}
