/**
 * Every session that a DevAddr may mean: those of the registry and those that were seen to be
 * joined. A device keeps its old session until it has heard the accept, which nobody knows before
 * it uses the new one; so both hold until then, and the old one no longer.
 */
import type { Session } from '../model/device.ts';
import type { JoinBook } from './join-book.ts';
import { keyCheck } from './key-check.ts';

type SessionsOf = (devAddr: string) => readonly Session[];

/** The same array for the same sessions, so that a frame costs no new one. */
export function createOverlap(registered: SessionsOf, book: JoinBook): SessionsOf {
  const checks = new WeakMap<Session, string>();

  function isRetired(session: Session): boolean {
    const retired = book.retiredOf(session.deviceId);
    if (retired === undefined) return false;
    const check = checks.get(session) ?? sessionCheck(session);
    checks.set(session, check);
    return check === retired;
  }

  return (devAddr) => {
    const fixed = registered(devAddr);
    const joined = book.sessionsOf(devAddr);
    const isAnyRetired = fixed.some(isRetired);
    if (joined.length === 0 && !isAnyRetired) return fixed;
    const kept = isAnyRetired ? fixed.filter((session) => !isRetired(session)) : fixed;
    return kept.length === 0 ? joined : [...joined, ...kept];
  };
}

/** A session that is registered anew under other keys or another address is another one. */
export function sessionCheck({ devAddr, keys }: Session): string {
  return `${devAddr}${keyCheck(keys.fNwkSIntKey)}`;
}
