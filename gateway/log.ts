/** One JSON object a line on stdout; plain text for a person at a terminal. */
import { type Logger, pino } from 'pino';
import pretty from 'pino-pretty';

export type Log = Logger;

/** `event` names are stable: tests and operators match on them. */
export function createLog(level: string): Log {
  const base = { level, base: null, timestamp: pino.stdTimeFunctions.isoTime };
  return process.stdout.isTTY ? pino(base, pretty({ sync: true })) : pino(base);
}

/** Lets one line through a key and minute, and says how many it held back. */
export function createSampledWarning(
  log: Pick<Log, 'warn'>,
  now: () => number,
  keysMax = 10_000,
): (key: string, fields: Readonly<Record<string, unknown>>, message: string) => void {
  const seen = new Map<string, { since: number; held: number }>();
  return (key, fields, message) => {
    const last = seen.get(key);
    if (last !== undefined && now() - last.since < 60_000) {
      last.held += 1;
      return;
    }
    if (seen.size >= keysMax) seen.clear();
    seen.set(key, { since: now(), held: 0 });
    log.warn({ ...fields, heldBack: last?.held ?? 0 }, message);
  };
}
