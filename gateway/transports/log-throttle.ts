/**
 * Lets one line of a kind and source through a minute, and says with the next how many it held
 * back.
 */

/**
 * The number of lines held back since the last one that passed; undefined when this one must wait.
 */
export type LogThrottle = (key: string) => number | undefined;

const intervalMs = 60_000;
/** Sources remembered; above it all are forgotten, so a flood of addresses costs no memory. */
const keysMax = 1_000;

export function createLogThrottle(monotonicMs: () => number): LogThrottle {
  const byKey = new Map<string, { readonly nextMs: number; held: number }>();
  return (key) => {
    const nowMs = monotonicMs();
    const last = byKey.get(key);
    if (last !== undefined && nowMs < last.nextMs) {
      last.held += 1;
      return undefined;
    }
    if (byKey.size >= keysMax) byKey.clear();
    byKey.set(key, { nextMs: nowMs + intervalMs, held: 0 });
    return last?.held ?? 0;
  };
}
