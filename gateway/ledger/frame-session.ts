/**
 * What the ledger remembers of one LoRaWAN session: the last accepted counter, and the frames whose
 * copies may still come. Written in the same transaction as the entry, so neither can be ahead.
 */
import type { FrameIdentity } from './identity.ts';

export interface FrameSession {
  /** The last accepted 32-bit uplink counter. */
  readonly fCnt: number;
  /** The frames of the last seconds, newest first. */
  readonly recent: readonly RecentFrame[];
}

interface RecentFrame {
  readonly fCnt: number;
  readonly digest: Buffer;
  /** The entry of the first reception, and when it came. */
  readonly seq: number;
  readonly receivedAt: number;
  readonly copies: number;
}

export interface FrameLimits {
  readonly copyWindowMs: number;
  readonly copiesMax: number;
  readonly recentFramesMax: number;
}

export type FrameVerdict =
  | { readonly outcome: 'accepted'; readonly session: (seq: number) => FrameSession }
  | { readonly outcome: 'copy'; readonly first: number; readonly session: FrameSession }
  | { readonly outcome: 'redelivery'; readonly first: number }
  | { readonly outcome: 'replayed'; readonly lastCounter: number };

/**
 * Heard before and within the copy window of its first reception: a copy, up to the bound. A new
 * counter: accepted, and any counter is new to a new session. All else is a replay: an old frame
 * that comes late, or an old counter with other content.
 */
export function judgeFrame(
  session: FrameSession | undefined,
  frame: FrameIdentity,
  receivedAt: number,
  limits: FrameLimits,
): FrameVerdict {
  const awaited = (session?.recent ?? []).filter(
    (each) => receivedAt - each.receivedAt <= limits.copyWindowMs,
  );
  const known = awaited.find(
    (each) => each.fCnt === frame.fCnt && each.digest.equals(frame.digest),
  );
  if (session && known) return judgeCopy({ ...session, recent: awaited }, known, limits);
  if (session && frame.fCnt <= session.fCnt) {
    return { outcome: 'replayed', lastCounter: session.fCnt };
  }
  const { fCnt, digest } = frame;
  return {
    outcome: 'accepted',
    session: (seq) => ({
      fCnt,
      recent: [{ fCnt, digest, seq, receivedAt, copies: 0 }, ...awaited].slice(
        0,
        limits.recentFramesMax,
      ),
    }),
  };
}

function judgeCopy(
  session: FrameSession,
  known: RecentFrame,
  { copiesMax }: FrameLimits,
): FrameVerdict {
  if (known.copies >= copiesMax) return { outcome: 'redelivery', first: known.seq };
  const recent = session.recent.map((each) =>
    each === known ? { ...each, copies: each.copies + 1 } : each,
  );
  return { outcome: 'copy', first: known.seq, session: { ...session, recent } };
}

// counter (32 bits), then for each recent frame: counter, digest, seq (48), receivedAt (48), copies (16)
const headBytes = 4;
const digestBytes = 16;
const frameBytes = 4 + digestBytes + 6 + 6 + 2;

export function encodeSession({ fCnt, recent }: FrameSession): Buffer {
  const bytes = Buffer.allocUnsafe(headBytes + recent.length * frameBytes);
  bytes.writeUInt32BE(fCnt, 0);
  recent.forEach((frame, place) => {
    const at = headBytes + place * frameBytes;
    bytes.writeUInt32BE(frame.fCnt, at);
    frame.digest.copy(bytes, at + 4);
    bytes.writeUIntBE(frame.seq, at + 20, 6);
    bytes.writeUIntBE(Math.max(0, Math.floor(frame.receivedAt)), at + 26, 6);
    bytes.writeUInt16BE(frame.copies, at + 32);
  });
  return bytes;
}

export function decodeSession(bytes: Buffer): FrameSession {
  const recent: RecentFrame[] = [];
  for (let at = headBytes; at < bytes.length; at += frameBytes) {
    recent.push({
      fCnt: bytes.readUInt32BE(at),
      digest: bytes.subarray(at + 4, at + 20),
      seq: bytes.readUIntBE(at + 20, 6),
      receivedAt: bytes.readUIntBE(at + 26, 6),
      copies: bytes.readUInt16BE(at + 32),
    });
  }
  return { fCnt: bytes.readUInt32BE(0), recent };
}
