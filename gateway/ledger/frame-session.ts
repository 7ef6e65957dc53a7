/**
 * What the ledger remembers of one LoRaWAN session: the last accepted 32-bit uplink counter.
 * Written in the same transaction as the entry, so neither can be ahead.
 */
import type { LedgerFiles } from './lmdb-files.ts';

interface SessionName {
  readonly deviceId: string;
  readonly devAddr: string;
  readonly session?: string;
}

/** An identifier holds no slash. */
export function sessionKey({ deviceId, devAddr, session }: SessionName): string {
  const key = `${deviceId}/${devAddr}`;
  return session === undefined ? key : `${key}/${session}`;
}

type Sessions = Pick<LedgerFiles, 'sessions'>;

/** A record may be longer: earlier versions kept the awaited frames behind the counter. */
export function readCounter({ sessions }: Sessions, key: string): number | undefined {
  return sessions.get(key)?.readUInt32BE(0);
}

const spareValue = Buffer.alloc(4);

/** Only inside a write transaction; LMDB copies the value at once. */
export function writeCounter({ sessions }: Sessions, key: string, fCnt: number): void {
  spareValue.writeUInt32BE(fCnt);
  sessions.putSync(key, spareValue);
}
