/** The opened ciphers of the sessions heard lately: opening one costs four times its use. */
import type { Cipher } from 'node:crypto';
import type { Session, SessionKeys } from '../model/device.ts';
import { type CmacKey, createCmacKey } from './cmac.ts';
import { createKeystreamKey } from './keystream.ts';

/** An open cipher holds about 1.1 kB outside the heap, and a session keeps two or three. */
export const sessionCiphersMax = 20_000;
/** The largest channel plan, CN470, has so many. */
const channelsMax = 96;

/** What a 1.1 device signs beside its frame, as learnt from one whose MIC fitted. */
export interface LearntChannel {
  readonly txCh: number;
  /** Data rate and spreading factor together, which a region keeps the same. */
  readonly rateSum?: number;
}

export interface ChannelMemory extends LearntChannel {
  /** Another channel that would have fitted, and the frame that it fitted. */
  readonly doubt?: LearntChannel & { readonly fCnt: number };
}

export interface SessionCiphers {
  readonly fNwkSIntKey: CmacKey;
  readonly sNwkSIntKey: CmacKey;
  readonly appSKey: Cipher;
  /** By frequency in Hz. */
  readonly channels: Map<number, ChannelMemory>;
}

/** Two generations: when the young one is full it becomes the old one, and the old one goes. */
export class SessionCipherCache {
  #young = new Map<SessionKeys, SessionCiphers>();
  #old = new Map<SessionKeys, SessionCiphers>();
  readonly #generationMax: number;

  constructor(sessionsMax: number) {
    this.#generationMax = Math.max(1, Math.floor(sessionsMax / 2));
  }

  get size(): number {
    return this.#young.size + this.#old.size;
  }

  of(session: Session): SessionCiphers {
    const young = this.#young.get(session.keys);
    if (young !== undefined) return young;
    const ciphers = this.#old.get(session.keys) ?? openCiphers(session);
    this.#old.delete(session.keys);
    if (this.#young.size >= this.#generationMax) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(session.keys, ciphers);
    return ciphers;
  }
}

export function rememberChannel(
  ciphers: SessionCiphers,
  frequency: number,
  channel: ChannelMemory,
): void {
  if (ciphers.channels.size >= channelsMax) ciphers.channels.clear();
  ciphers.channels.set(frequency, channel);
}

function openCiphers(session: Session): SessionCiphers {
  const { appSKey, fNwkSIntKey, sNwkSIntKey } = session.keys;
  const fCmac = createCmacKey(fNwkSIntKey);
  return {
    fNwkSIntKey: fCmac,
    sNwkSIntKey: session.macVersion === '1.0' ? fCmac : createCmacKey(sNwkSIntKey),
    appSKey: createKeystreamKey(appSKey),
    channels: new Map(),
  };
}
