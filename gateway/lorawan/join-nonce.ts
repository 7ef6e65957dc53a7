/**
 * Whether a join-accept may be a new one. The JoinNonce of LoRaWAN 1.1 counts up, and a device
 * takes no other; that of 1.0 (once AppNonce) is any number that the network has not used before,
 * so that those which were used have to be remembered. What decides is the version that the accept
 * speaks, not the device's: a 1.0 network may answer a 1.1 device.
 */

/**
 * Those of 1.0 kept for each device, the newest. More would refuse an honest network that draws one
 * of 16 million at random: with so many, once in 65,536 joins.
 */
export const joinNoncesMax = 256;

export interface JoinNonces {
  /** Of the accepts that spoke 1.1. */
  readonly highest?: number;
  /** Of those that spoke 1.0; the newest last. */
  readonly used: readonly number[];
}

interface Accept {
  readonly macVersion: '1.0' | '1.1';
  readonly joinNonce: number;
}

export function isUsedJoinNonce({ macVersion, joinNonce }: Accept, nonces: JoinNonces): boolean {
  if (macVersion === '1.1') return joinNonce <= (nonces.highest ?? -1);
  return nonces.used.includes(joinNonce);
}

export function withJoinNonce({ macVersion, joinNonce }: Accept, nonces: JoinNonces): JoinNonces {
  if (macVersion === '1.1') return { ...nonces, highest: joinNonce };
  return { ...nonces, used: [...nonces.used, joinNonce].slice(-joinNoncesMax) };
}

/** Of a row that was written before they were kept: those of its sessions. */
export function joinNoncesOf(sessions: readonly Accept[]): JoinNonces {
  let nonces: JoinNonces = { used: [] };
  for (const session of sessions) {
    if (!isUsedJoinNonce(session, nonces)) nonces = withJoinNonce(session, nonces);
  }
  return nonces;
}
