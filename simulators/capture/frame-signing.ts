/**
 * Signs captured LoRaWAN 1.0 frames anew for a test network: the payload is opened with the keys of
 * the capture and closed with those of the test network, so that real traffic can be replayed where
 * the real keys must never be.
 */
import { type Cmac, createCmac } from '../lorawan/aes-cmac.ts';
import { createPayloadCrypt, dataMic, type Position } from '../lorawan/data-frame.ts';
import { bodyTextOf, isSemtech } from './body-text.ts';
import { changeJson } from './json-tokens.ts';
import type { CapturedMessage } from './message.ts';

export interface SigningSession {
  /** In the capture; 8 lower-case hex digits. */
  readonly devAddr: string;
  /** Tells the upper half of the counter, which is not in the frame. */
  readonly nwkSKey: Buffer;
  /** Opens the payload. */
  readonly appSKey: Buffer;
  readonly as: {
    readonly devAddr: string;
    readonly nwkSKey: Buffer;
    readonly appSKey: Buffer;
    /** The counter of the first frame; later ones keep their distance. As captured without it. */
    readonly fCnt?: number;
  };
}

export interface FrameSigning {
  /** The message with its frames signed anew. */
  sign(message: CapturedMessage): CapturedMessage;
  readonly counts: SigningCounts;
}

export interface SigningCounts {
  signed: number;
  /** No session of this DevAddr, or a MIC that fits none: sent as they are. */
  unknown: number;
}

interface Signer {
  readonly session: SigningSession;
  readonly oldMic: Cmac;
  readonly newMic: Cmac;
  /** Of the last frame that was opened; the upper half is looked for from there. */
  lastFCnt: number;
  /** What is added to the counter of the capture; known from the first frame on. */
  fCntShift: number | undefined;
}

/** How many turns of the lower 16 bits the counter may have made unheard. */
const turnsMax = 64;
const dataUplinks = [0x40, 0x80] as const;
const shortestFrame = 12;

export function createFrameSigning(sessions: readonly SigningSession[]): FrameSigning {
  const signers = sessions.map(signerOf);
  const byDevAddr = new Map(
    signers.map(({ session: { devAddr } }) => [
      devAddr,
      signers.filter(({ session }) => session.devAddr === devAddr),
    ]),
  );
  const counts: SigningCounts = { signed: 0, unknown: 0 };
  const signFrame = (frame: Buffer): Buffer | undefined => {
    if (!isDataUplink(frame)) return undefined;
    const devAddr = Buffer.from(frame.subarray(1, 5)).reverse().toString('hex');
    for (const signer of byDevAddr.get(devAddr) ?? []) {
      const fCnt = counterOf(frame, signer);
      if (fCnt === undefined) continue;
      counts.signed += 1;
      return signedAnew(frame, fCnt, signer);
    }
    counts.unknown += 1;
    return undefined;
  };
  return { counts, sign: (message) => changeFrames(message, signFrame) };
}

function signerOf(session: SigningSession): Signer {
  const [oldMic, newMic] = [createCmac(session.nwkSKey), createCmac(session.as.nwkSKey)];
  return { session, oldMic, newMic, lastFCnt: 0, fCntShift: undefined };
}

export function isDataUplink(frame: Buffer): boolean {
  return frame.length >= shortestFrame && dataUplinks.some((type) => type === frame[0]);
}

/** From a little before the last counter upwards: copies and retransmissions come later. */
function counterOf(frame: Buffer, { oldMic, lastFCnt }: Signer): number | undefined {
  const [message, mic] = [frame.subarray(0, -4), frame.subarray(-4)];
  const devAddr = frame.subarray(1, 5);
  const firstTurn = Math.max(0, (lastFCnt >>> 16) - 1);
  for (let turn = firstTurn; turn < firstTurn + turnsMax; turn += 1) {
    const fCnt = turn * 0x10000 + frame.readUInt16LE(6);
    if (fCnt > 0xffffffff) return undefined;
    if (dataMic(oldMic, uplinkAt(devAddr, fCnt), message).equals(mic)) return fCnt;
  }
  return undefined;
}

function signedAnew(frame: Buffer, fCnt: number, signer: Signer): Buffer {
  const { session, newMic } = signer;
  signer.lastFCnt = fCnt;
  signer.fCntShift ??= (session.as.fCnt ?? fCnt) - fCnt;
  const newFCnt = Math.max(0, fCnt + signer.fCntShift) % 0x100000000;
  const oldAddress = frame.subarray(1, 5);
  const address = Buffer.from(session.as.devAddr, 'hex').reverse();
  const message = Buffer.from(frame.subarray(0, -4));
  address.copy(message, 1);
  message.writeUInt16LE(newFCnt & 0xffff, 6);
  const portAt = 8 + (frame.readUInt8(5) & 0x0f);
  if (message.length > portAt + 1) {
    const isCommands = message[portAt] === 0;
    const oldKey = isCommands ? session.nwkSKey : session.appSKey;
    const newKey = isCommands ? session.as.nwkSKey : session.as.appSKey;
    const payload = message.subarray(portAt + 1);
    const clear = createPayloadCrypt(oldKey)(uplinkAt(oldAddress, fCnt), payload);
    createPayloadCrypt(newKey)(uplinkAt(address, newFCnt), clear).copy(payload);
  }
  return Buffer.concat([message, dataMic(newMic, uplinkAt(address, newFCnt), message)]);
}

/** `devAddr` is little-endian. */
function uplinkAt(devAddr: Buffer, fCnt: number): Position {
  return { direction: 'up', devAddr, fCnt };
}

/** Base64 with or without its padding, as both are sent; it stays as it was. */
const base64 = /^[A-Za-z0-9+/]+={0,2}$/;

/**
 * Puts other frames into a message: `phyPayload` of the gateway bridge (JSON), `data` of the
 * packets of Semtech UDP. Where `change` gives undefined, and in any other form, all stays.
 */
export function changeFrames(
  message: CapturedMessage,
  change: (frame: Buffer) => Buffer | undefined,
): CapturedMessage {
  const body = bodyTextOf(message);
  const wanted = isSemtech(message) ? 'data' : 'phyPayload';
  const text =
    body &&
    changeJson(body.text, ({ kind, key, text: packed }) => {
      if (kind !== 'text' || key !== wanted || !base64.test(packed)) return undefined;
      const changed = change(Buffer.from(packed, 'base64'))?.toString('base64');
      return packed.length % 4 === 0 ? changed : changed?.replace(/=+$/, '');
    });
  return body === undefined || text === undefined ? message : { ...message, body: body.with(text) };
}
