/** How many in the last minute and hour: two rings of counters that never grow. */

const slotsPerRing = 60;

interface Ring {
  readonly slotMs: number;
  readonly counts: Uint32Array;
  /** The number of the slot that was counted in last. */
  newest: number;
}

export class RecentCount {
  #total = 0;
  readonly #minute = emptyRing(1_000);
  readonly #hour = emptyRing(60_000);

  add(count: number, now: number): void {
    this.#total += count;
    addTo(this.#minute, count, now);
    addTo(this.#hour, count, now);
  }

  total(): number {
    return this.#total;
  }

  lastMinute(now: number): number {
    return sumOf(this.#minute, now);
  }

  lastHour(now: number): number {
    return sumOf(this.#hour, now);
  }
}

function emptyRing(slotMs: number): Ring {
  return { slotMs, counts: new Uint32Array(slotsPerRing), newest: 0 };
}

function addTo(ring: Ring, count: number, now: number): void {
  turnTo(ring, now);
  const at = ring.newest % slotsPerRing;
  ring.counts[at] = (ring.counts[at] ?? 0) + count;
}

function sumOf(ring: Ring, now: number): number {
  turnTo(ring, now);
  return ring.counts.reduce((sum, count) => sum + count, 0);
}

/** Empties the slots that time has passed over. A clock that was set back begins anew. */
function turnTo(ring: Ring, now: number): void {
  const slot = Math.max(0, Math.floor(now / ring.slotMs));
  const passed = slot - ring.newest;
  if (passed < 0 || passed >= slotsPerRing) ring.counts.fill(0);
  else for (let at = 1; at <= passed; at += 1) ring.counts[(ring.newest + at) % slotsPerRing] = 0;
  ring.newest = slot;
}
