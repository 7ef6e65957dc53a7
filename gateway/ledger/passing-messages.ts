/**
 * Bodies without a time, counter or key of their own: is an equal one a resend or a new message?
 *
 * A sender resends what was not acknowledged on an earlier connection, so each new connection may
 * bring, within the window, as many equal bodies as were stored from the one before. One more is a
 * new message: to store a message twice is a nuisance, to lose one breaks the promise.
 */
import type { Inbound } from '../model/inbound.ts';
import { connectionDigest } from './identity.ts';

export interface PassingRecord {
  /** The newest entry with this body. */
  readonly seq: number;
  /** When that one came. */
  readonly receivedAt: number;
  /** The MQTT packet identifier of that one; 0 when it had none. */
  readonly messageId: number;
  /** The connection the stored ones came on, and how many it has brought within the window. */
  readonly connection: Buffer;
  readonly stored: number;
  /** The later connection that has resent some, and how many. */
  readonly resentOn: Buffer;
  readonly resent: number;
}

export type PassingVerdict =
  | { readonly isNew: false; readonly record: PassingRecord }
  | { readonly isNew: true; readonly record: (seq: number) => PassingRecord };

const noConnection = Buffer.alloc(8);
const countMax = 0xffff;

export function judgePassing(
  known: PassingRecord | undefined,
  inbound: Inbound,
  { redeliveryWindowMs }: { readonly redeliveryWindowMs: number },
): PassingVerdict {
  const connection = connectionDigest(inbound);
  const messageId = inbound.messageId ?? 0;
  const stores = (stored: number): PassingVerdict => ({
    isNew: true,
    record: (seq) => ({
      ...{ seq, receivedAt: inbound.receivedAt, messageId, connection },
      ...{ stored: Math.min(stored, countMax), resentOn: noConnection, resent: 0 },
    }),
  });
  if (known === undefined) return stores(1);
  // DUP with the same packet identifier is the sender's own word for it, however late it comes.
  if (inbound.dup && known.messageId === messageId) return { isNew: false, record: known };
  // A clock that was set back must not make every later message a resend.
  if (Math.abs(inbound.receivedAt - known.receivedAt) > redeliveryWindowMs) return stores(1);
  if (inbound.dup && !isNamedAnew(known, inbound, connection))
    return { isNew: false, record: known };
  if (inbound.dup) return stores(1);
  if (known.connection.equals(connection)) return stores(known.stored + 1);
  const resent = known.resentOn.equals(connection) ? known.resent + 1 : 1;
  if (resent > known.stored) return stores(resent);
  return { isNew: false, record: { ...known, resentOn: connection, resent } };
}

/**
 * A resend on a later connection keeps its packet identifier [MQTT-4.4.0-1]: under another one than
 * that of the only message stored, it is a message that has not come through before.
 */
function isNamedAnew(
  known: PassingRecord,
  { messageId = 0 }: Inbound,
  connection: Buffer,
): boolean {
  const isOther = known.messageId !== 0 && messageId !== 0 && known.messageId !== messageId;
  return isOther && known.stored === 1 && !known.connection.equals(connection);
}

const recordBytes = 34;

export function encodePassing(record: PassingRecord): Buffer {
  const bytes = Buffer.allocUnsafe(recordBytes);
  bytes.writeUIntBE(record.seq, 0, 6);
  bytes.writeUIntBE(Math.max(0, Math.floor(record.receivedAt)), 6, 6);
  bytes.writeUInt16BE(record.messageId, 12);
  record.connection.copy(bytes, 14);
  bytes.writeUInt16BE(record.stored, 22);
  record.resentOn.copy(bytes, 24);
  bytes.writeUInt16BE(record.resent, 32);
  return bytes;
}

export function decodePassing(bytes: Buffer): PassingRecord {
  return {
    seq: bytes.readUIntBE(0, 6),
    receivedAt: bytes.readUIntBE(6, 6),
    messageId: bytes.readUInt16BE(12),
    connection: bytes.subarray(14, 22),
    stored: bytes.readUInt16BE(22),
    resentOn: bytes.subarray(24, 32),
    resent: bytes.readUInt16BE(32),
  };
}
