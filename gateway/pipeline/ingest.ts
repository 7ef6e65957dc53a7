/**
 * Before the acknowledgement: bytes become an uplink, are proven and written down. The table of
 * contents of everything that runs on the ingest thread.
 */
import type { Adapter } from '../adapters/adapter.ts';
import {
  type Delivery,
  type Item,
  type Ledger,
  LedgerUnavailable,
  type QuarantinedItem,
  type Receipt,
} from '../ledger/ledger.ts';
import { type Fault, type FaultCode, fault } from '../model/fault.ts';
import type { Inbound, Sender, VouchedBy } from '../model/inbound.ts';
import type { FrameUplink, PayloadUplink, SourceEvent, Uplink } from '../model/uplink.ts';
import { hintOf, unreadable } from './format-hint.ts';

export interface IngestParts {
  readonly adapterFor: (inbound: Pick<Inbound, 'route' | 'adapter'>) => Adapter | undefined;
  /** An item is what a frame was proven to be; a request to join is an event. */
  readonly verify: (frame: FrameUplink) => Item | Fault;
  /** Told of each event that holds a downlink frame; says whose it is, where that is proven. */
  readonly hear?: (event: SourceEvent) => SourceEvent | QuarantinedItem;
  /** Resolves when what `verify` and `hear` have noted is on disk; undefined when it is already. */
  readonly unwritten?: () => Promise<unknown> | undefined;
  readonly ledger: Pick<Ledger, 'accept'>;
  readonly observe: IngestObserver;
}

/** Told of every item after it is on disk. */
export interface IngestObserver {
  item(source: string, receipt: Receipt, fault?: Fault): void;
  /** The same once for the whole message. */
  written(source: string, delivery: Delivery, receipts: readonly Receipt[]): void;
  acknowledged(seconds: number): void;
  /** The ledger could not write: the sender was given no acknowledgement. */
  unavailable(reason: string): void;
}

export interface Ingest {
  /** Resolves when everything in the message is on disk; rejects only with LedgerUnavailable. */
  receive(inbound: Inbound): Promise<void>;
  /** Writes down a message that was refused at the door, with the reason. */
  refuse(inbound: Inbound, code: FaultCode, detail: string): Promise<void>;
}

const noAdapter = 'unrouted';

export function createIngest(parts: IngestParts): Ingest {
  async function write(delivery: Delivery, source: string): Promise<void> {
    const started = performance.now();
    const receipts = await accept(delivery);
    parts.observe.acknowledged((performance.now() - started) / 1_000);
    parts.observe.written(source, delivery, receipts);
    receipts.forEach((receipt, index) => {
      const item = delivery.items[index];
      parts.observe.item(source, receipt, item?.kind === 'quarantined' ? item.fault : undefined);
    });
  }

  async function accept(delivery: Delivery): Promise<readonly Receipt[]> {
    try {
      const receipts = await parts.ledger.accept(delivery);
      const unwritten = parts.unwritten?.();
      if (unwritten !== undefined) await written(unwritten);
      return receipts;
    } catch (error) {
      if (error instanceof LedgerUnavailable) parts.observe.unavailable(error.message);
      throw error;
    }
  }

  return {
    receive: (inbound) => {
      const adapter = parts.adapterFor(inbound);
      const items = adapter === undefined ? unrouted(inbound) : itemsOf(inbound, adapter, parts);
      return write({ inbound, items }, adapter?.name ?? noAdapter);
    },
    refuse: (inbound, code, detail) => {
      const refused: Item = { kind: 'quarantined', fault: fault(code, detail) };
      return write({ inbound, items: [refused] }, noAdapter);
    },
  };
}

async function written(note: Promise<unknown>): Promise<void> {
  await note.catch((error: unknown) => {
    throw new LedgerUnavailable('what was noted of a join could not be written', { cause: error });
  });
}

function unrouted(inbound: Inbound): Item[] {
  const detail = `no adapter reads ${inbound.route.slice(0, 200)}`;
  const hint = hintOf(inbound.body);
  const sentence = hint === undefined ? detail : `${detail}; ${hint}`;
  return [{ kind: 'quarantined', fault: fault('INBOUND_UNRECOGNISED', sentence) }];
}

type Prover = Pick<IngestParts, 'verify' | 'hear'>;

/** Parse, check who speaks for whom, prove. Every way out is an item: nothing is dropped. */
function itemsOf(inbound: Inbound, adapter: Adapter, prover: Prover): Item[] {
  const parsed = adapter.parse(inbound);
  if ('code' in parsed) {
    const reason = unreadable(parsed, adapter.name, inbound.body);
    return [quarantined(reason, adapter.name, inbound.sender.deviceId)];
  }
  return parsed.map((part) => itemOf(part, inbound.sender, adapter, prover));
}

function itemOf(
  part: Uplink | SourceEvent,
  sender: Sender,
  adapter: Adapter,
  prover: Prover,
): Item {
  switch (part.kind) {
    case 'event':
      return eventItem(part, sender, adapter, prover.hear);
    case 'payload':
      return payloadItem(part, sender, adapter);
    case 'frame':
      return frameItem(part, prover.verify);
  }
}

/** An event may carry measurements, so it is no freer than an uplink in whom it speaks for. */
function eventItem(
  event: SourceEvent,
  sender: Sender,
  adapter: Adapter,
  hear: IngestParts['hear'],
): Item {
  const { deviceId } = event;
  if (deviceId !== undefined && !maySpeakFor(deviceId, sender)) {
    return forbidden(sender, adapter.name, deviceId);
  }
  const heard = event.phyPayload === undefined || hear === undefined ? event : hear(event);
  if (heard.kind === 'quarantined') return heard;
  return { ...heard, vouchedBy: heard.vouchedBy ?? vouchedBy(sender, adapter) };
}

function payloadItem(uplink: PayloadUplink, sender: Sender, adapter: Adapter): Item {
  const { deviceId } = uplink;
  if (!maySpeakFor(deviceId, sender)) return forbidden(sender, uplink.adapter, deviceId);
  if (uplink.simulated === true) {
    const detail = 'the network server marks it as simulated';
    return quarantined(fault('PAYLOAD_SIMULATED', detail), uplink.adapter, deviceId);
  }
  // The adapter has just made it for us: a copy of it would cost a tenth of reading it.
  return Object.assign(uplink, { vouchedBy: vouchedBy(sender, adapter) });
}

/** The account of one device speaks for that device alone. */
function maySpeakFor(deviceId: string, sender: Sender): boolean {
  return sender.deviceId === undefined || sender.deviceId === deviceId;
}

function forbidden(sender: Sender, adapter: string, deviceId: string): Item {
  const detail = `the account of ${sender.deviceId} may not speak for another device`;
  return quarantined(fault('TOPIC_FORBIDDEN', detail), adapter, deviceId);
}

function frameItem(frame: FrameUplink, verify: IngestParts['verify']): Item {
  const verified = verify(frame);
  return 'code' in verified ? quarantined(verified, frame.adapter) : verified;
}

function quarantined(reason: Fault, adapter: string, deviceId?: string): Item {
  return deviceId === undefined
    ? { kind: 'quarantined', fault: reason, adapter }
    : { kind: 'quarantined', fault: reason, adapter, deviceId };
}

/** A network server's word counts only from an account that is set up as one. */
function vouchedBy(sender: Sender, adapter: Adapter): VouchedBy {
  if (sender.vouches !== 'network-server') return sender.vouches;
  return adapter.isNetworkServer ? 'network-server' : 'credential';
}
