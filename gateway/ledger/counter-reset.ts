/**
 * Devices that begin to count anew under the same keys: those activated by personalisation that
 * keep no counter over a power cut. To whoever recorded their frames this opens the door, since
 * every one of them has a valid MIC and, after the reset, a counter that is ahead again. Only bytes
 * that were never taken before tell a new frame from a recorded one. So every frame of such a
 * session is remembered, and both a reset and what follows it must be none of them.
 */
import { hash } from 'node:crypto';
import type { FrameIdentity } from './identity.ts';
import type { LedgerFiles } from './lmdb-files.ts';

export interface ResetRule {
  /**
   * `after-silence`: only when the session was silent, and all of its frames are remembered, from
   * the first that was ever accepted. `always`: as far as they are remembered.
   */
  readonly mode: 'after-silence' | 'always';
  /** The first frame that is heard after a reset has at most this counter. */
  readonly fCntMax: number;
  readonly silenceMs: number;
  /** Frames remembered of one session; when there are more, no reset is taken any longer. */
  readonly framesMax: number;
}

/** Undefined for a device whose counter never goes back. */
export type ResetRuleOf = (deviceId: string) => ResetRule | undefined;

/** A frame whose session has a rule. */
export interface RuledFrame {
  readonly frame: FrameIdentity;
  readonly phyPayload: Buffer;
  readonly receivedAt: number;
  /** The session's key among the counters. */
  readonly key: string;
  readonly rule: ResetRule;
}

/** What is kept of a session beside its counter. */
interface Life {
  /** The highest counter ever accepted, before any reset. */
  readonly highest: number;
  /** The counter of the newest frame: another one is not remembered. */
  readonly last: number;
  /** Epoch milliseconds. */
  readonly lastAt: number;
  readonly frames: number;
  /** No accepted frame of the session is missing from the memory. */
  readonly isWhole: boolean;
}

type Sessions = Pick<LedgerFiles, 'sessions'>;

/** Whether these bytes were accepted before, in this life of the session or an earlier one. */
export function wasTaken({ sessions }: Sessions, ruled: RuledFrame): boolean {
  return sessions.doesExist(seenKey(ruled));
}

/** For a frame that was never taken, and whose counter is not ahead of the last one. */
export function isReset(files: Sessions, ruled: RuledFrame, last: number): boolean {
  const { frame, rule, receivedAt } = ruled;
  if (frame.fCnt > rule.fCntMax) return false;
  const life = readLife(files, ruled.key);
  if (life === undefined || life.frames >= rule.framesMax) return false;
  if (rule.mode === 'always') return true;
  return life.isWhole && life.last === last && receivedAt - life.lastAt >= rule.silenceMs;
}

/** Only inside a write transaction, with the counter before this frame. */
export function rememberFrame(
  files: Sessions,
  ruled: RuledFrame,
  before: number | undefined,
): void {
  const { frame, key, rule, receivedAt } = ruled;
  const life = readLife(files, key);
  const isWholeBefore = life === undefined ? before === undefined : life.isWhole;
  const isRoomLeft = (life?.frames ?? 0) < rule.framesMax;
  if (isRoomLeft) files.sessions.putSync(seenKey(ruled), present);
  writeLife(files, key, {
    highest: Math.max(life?.highest ?? -1, before ?? -1, frame.fCnt),
    last: frame.fCnt,
    lastAt: receivedAt,
    frames: (life?.frames ?? 0) + (isRoomLeft ? 1 : 0),
    isWhole: isWholeBefore && isRoomLeft && (life === undefined || life.last === before),
  });
}

/** The highest counter ever accepted of a session that is remembered. */
export function highestCounter(files: Sessions, key: string): number | undefined {
  return readLife(files, key)?.highest;
}

/** Only inside a write transaction: for a session that has other keys now. */
export function forgetFrames({ sessions }: Sessions, key: string): void {
  sessions.removeSync(lifeKey(key));
  const start = seenPrefix(key);
  // The space that ends the prefix is followed by the digest, whose characters stand above it.
  for (const seen of [...sessions.getKeys({ start, end: `${start}~` })]) sessions.removeSync(seen);
}

/** Beside the counters of sessions, whose keys hold no space. */
const lifeKey = (key: string): string => `life ${key}`;
const seenPrefix = (key: string): string => `seen ${key} `;

/** Two frames of a session share these in one of 2^72 pairs. */
const digestChars = 12;

function seenKey({ key, phyPayload }: RuledFrame): string {
  return seenPrefix(key) + hash('sha256', phyPayload, 'base64url').slice(0, digestChars);
}

const present = Buffer.from([1]);

const lifeBytes = 19;

function readLife({ sessions }: Sessions, key: string): Life | undefined {
  const bytes = sessions.get(lifeKey(key));
  if (bytes === undefined) return undefined;
  return {
    highest: bytes.readUInt32BE(0),
    last: bytes.readUInt32BE(4),
    lastAt: bytes.readUIntBE(8, 6),
    frames: bytes.readUInt32BE(14),
    isWhole: bytes[18] === 1,
  };
}

function writeLife({ sessions }: Sessions, key: string, life: Life): void {
  const bytes = Buffer.alloc(lifeBytes);
  bytes.writeUInt32BE(life.highest, 0);
  bytes.writeUInt32BE(life.last, 4);
  bytes.writeUIntBE(Math.max(0, Math.floor(life.lastAt)), 8, 6);
  bytes.writeUInt32BE(life.frames, 14);
  bytes[18] = life.isWhole ? 1 : 0;
  sessions.putSync(lifeKey(key), bytes);
}
