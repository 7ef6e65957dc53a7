/**
 * Progress of long work on standard error: a table that stays in its place on a terminal, a line
 * every few seconds elsewhere. Results go to standard output, which stays free of it.
 */

export interface ProgressScreen {
  /** The first line says it all for whoever sees only one. */
  show(lines: readonly string[]): void;
  /** Takes the table away. */
  clear(): void;
}

/** What a stream must be able to do; standard error, or the far end of a test. */
export interface ScreenOutput {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

const plainPeriodMs = 5_000;

export function createProgressScreen(output: ScreenOutput, now: () => number): ProgressScreen {
  let height = 0;
  let nextLine = 0;
  const wipe = () => (height === 0 ? '' : `\u001b[${height}A\u001b[0J`);
  return {
    show(lines) {
      if (output.isTTY === true) {
        const width = (output.columns ?? 80) - 1;
        output.write(wipe() + lines.map((line) => `${line.slice(0, width)}\n`).join(''));
        height = lines.length;
      } else if (now() >= nextLine) {
        nextLine = now() + plainPeriodMs;
        output.write(`${lines[0] ?? ''}\n`);
      }
    },
    clear() {
      if (output.isTTY === true) output.write(wipe());
      height = 0;
    },
  };
}

/** The first column to the left, numbers to the right. */
export function tableLines(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [column, cell] of row.entries()) {
      widths[column] = Math.max(widths[column] ?? 0, cell.length);
    }
  }
  return rows.map((row) =>
    row
      .map((cell, column) => {
        const width = widths[column] ?? 0;
        return column === 0 ? cell.padEnd(width) : cell.padStart(width);
      })
      .join('  ')
      .trimEnd(),
  );
}

const barLength = 20;

export function progressBar(share: number): string {
  const full = Math.round(barLength * Math.min(1, Math.max(0, share)));
  return '█'.repeat(full).padEnd(barLength, '·');
}
