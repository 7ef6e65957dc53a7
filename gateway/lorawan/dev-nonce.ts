/**
 * Whether a join-request may be a new one. A device never uses a DevNonce twice under one root key:
 * LoRaWAN 1.0.4 and 1.1 count it up from 0, earlier versions draw it at random, so that all that
 * were used have to be remembered.
 */

/** Random ones kept for each device, the newest: a device that joins daily fills them in years. */
export const devNoncesMax = 1_024;

export type NoncePolicy = 'counter' | 'set';

export interface UsedNonces {
  /** The newest last. */
  readonly used: readonly number[];
}

/** Without a version, a device that holds an NwkKey is one of 1.1. */
export function noncePolicyOf(macVersion: string | undefined, hasNwkKey: boolean): NoncePolicy {
  if (macVersion === undefined) return hasNwkKey ? 'counter' : 'set';
  return macVersion === '1.0.4' || macVersion.startsWith('1.1') ? 'counter' : 'set';
}

export function isUsed(devNonce: number, { used }: UsedNonces, policy: NoncePolicy): boolean {
  return policy === 'counter' ? devNonce <= Math.max(-1, ...used) : used.includes(devNonce);
}

/** A counter needs only its highest, but a device's version may be corrected later. */
export function withNonce(devNonce: number, { used }: UsedNonces): UsedNonces {
  return { used: [...used, devNonce].slice(-devNoncesMax) };
}
