/** Times as people write them on a command line: `500ms`, `30s`, `5m`, `1.5h`, `90d`. */

const unitMs = new Map([
  ['ms', 1],
  ['s', 1_000],
  ['m', 60_000],
  ['h', 3_600_000],
  ['d', 86_400_000],
]);

/** Milliseconds, below zero with a minus in front; undefined for anything else. */
export function parseDuration(text: string): number | undefined {
  const match = /^([+-]?\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text);
  const milliseconds = Number(match?.[1]) * (unitMs.get(match?.[2] ?? '') ?? Number.NaN);
  return Number.isFinite(milliseconds) ? milliseconds : undefined;
}
