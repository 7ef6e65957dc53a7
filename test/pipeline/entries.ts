/** Ledger entries for the tests of what is derived from them. */
import type { LedgerEntry } from '../../gateway/ledger/ledger.ts';
import type { SourceEvent, VerifiedUplink } from '../../gateway/model/uplink.ts';

/** 2026-06-01T00:00:00Z */
export const receivedAt = 1_780_272_000_000;

export function entryOf(part: Partial<LedgerEntry> & Pick<LedgerEntry, 'item'>): LedgerEntry {
  return {
    seq: 7,
    outcome: 'accepted',
    receivedAt,
    transport: 'mqtt',
    route: 'up/meter-7',
    credential: 'network',
    body: Buffer.alloc(0),
    ...part,
  };
}

export function uplinkOf(part: Partial<VerifiedUplink> = {}): VerifiedUplink {
  return {
    kind: 'payload',
    adapter: 'modem-json',
    deviceId: 'meter-7',
    vouchedBy: 'credential',
    rxInfo: [],
    ...part,
  };
}

export function eventOf(part: Partial<SourceEvent> = {}): SourceEvent {
  return { kind: 'event', adapter: 'chirpstack-v4-json', type: 'status', ...part };
}
