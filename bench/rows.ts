/** The rows of the benchmark's table, and how they are printed. */

export interface Row {
  readonly what: string;
  readonly measured: string;
  readonly atLeast: string;
  readonly aim: string;
}

export function perSecond(value: number): string {
  return `${Math.round(value).toLocaleString('en')}/s`;
}

/** As a table of Markdown. */
export function tableOf(rows: readonly Row[]): string {
  const head: Row = { what: 'what', measured: 'measured', atLeast: 'at least', aim: 'aim' };
  const columns = ['what', 'measured', 'atLeast', 'aim'] as const;
  const widths = columns.map((key) => Math.max(...[head, ...rows].map((row) => row[key].length)));
  const line = (row: Row) =>
    `| ${columns.map((key, at) => row[key].padEnd(widths[at] ?? 0)).join(' | ')} |\n`;
  const rule = `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|\n`;
  return `${line(head)}${rule}${rows.map(line).join('')}`;
}
