/** Reads a gateway's Prometheus page and tells what became of the uplinks. */

export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Metrics pages are small; a larger answer is not one. */
const pageBytesMax = 4_000_000;

/** Prometheus text format; comments and lines it cannot read are left out. */
export function parseMetrics(page: string): Sample[] {
  return page.slice(0, pageBytesMax).split('\n').flatMap(parseLine);
}

function parseLine(line: string): Sample[] {
  const match = /^([A-Za-z_:][\w:]*)(?:\{(.*)\})? ([^ ]+)/.exec(line);
  if (match === null) return [];
  const [, name = '', labelText = '', number = ''] = match;
  const labels = [...labelText.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)];
  const entries = labels.map(([, key = '', value = '']) => [key, value] as const);
  return [{ name, labels: Object.fromEntries(entries), value: Number(number) }];
}

export interface Stored {
  /** By outcome: accepted, copy, redelivery, replayed, quarantined. */
  readonly uplinks: Readonly<Record<string, number>>;
  /** By code. */
  readonly faults: Readonly<Record<string, number>>;
  readonly points: number;
  /** Every reader of the ledger has reached its end. */
  readonly isCaughtUp: boolean;
}

export function readStored(samples: readonly Sample[]): Stored {
  const ledgerSeq = Math.max(0, ...valuesOf(samples, 'fieldgate_ledger_seq'));
  const cursors = valuesOf(samples, 'fieldgate_cursor_seq');
  return {
    uplinks: sumBy(samples, 'fieldgate_uplinks_total', 'outcome'),
    faults: sumBy(samples, 'fieldgate_faults_total', 'code'),
    points: valuesOf(samples, 'fieldgate_store_points_total').reduce((sum, one) => sum + one, 0),
    isCaughtUp: cursors.every((seq) => seq >= ledgerSeq),
  };
}

function valuesOf(samples: readonly Sample[], name: string): number[] {
  return samples.filter((sample) => sample.name === name).map(({ value }) => value);
}

function sumBy(samples: readonly Sample[], name: string, label: string): Record<string, number> {
  const sums = new Map<string, number>();
  for (const sample of samples) {
    if (sample.name !== name || sample.value === 0) continue;
    const key = sample.labels[label] ?? '';
    sums.set(key, (sums.get(key) ?? 0) + sample.value);
  }
  return Object.fromEntries(sums);
}

/**
 * Why the uplinks that were acknowledged are not all stored; empty when they are. Each of them must
 * be accepted in the ledger, read by every reader, and have left at least one point.
 */
export function missingFrom(stored: Stored, uplinksAcknowledged: number): string[] {
  const accepted = stored.uplinks['accepted'] ?? 0;
  const reasons: string[] = [];
  if (accepted < uplinksAcknowledged) {
    reasons.push(`${uplinksAcknowledged - accepted} acknowledged uplinks were not accepted`);
  }
  if (!stored.isCaughtUp) reasons.push('the store has not read the ledger to its end');
  if (stored.points < uplinksAcknowledged) {
    reasons.push(`only ${stored.points} points were stored for ${uplinksAcknowledged} uplinks`);
  }
  return reasons;
}

/** Throws when the gateway does not answer with 200. */
export async function fetchStored(baseUrl: string, token: string): Promise<Stored> {
  return readStored(await fetchSamples(baseUrl, token));
}

/** Likewise. */
export async function fetchSamples(baseUrl: string, token: string): Promise<Sample[]> {
  const response = await fetch(`${baseUrl}/metrics`, {
    headers: { authorization: `Bearer ${token}` },
    signal: AbortSignal.timeout(5_000),
  });
  if (!response.ok) throw new Error(`GET /metrics answers ${response.status}`);
  return parseMetrics(await response.text());
}
