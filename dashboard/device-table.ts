/** Devices as CSV [RFC 4180]: a header row with the field names, `keys.nwkSKey` and `tags.x` with dots. */
import { Problem } from './problem.ts';

type Row = Record<string, unknown>;

const columnsMax = 64;

/** One object a row, empty cells left out; the caller checks each as a device. */
export function parseDeviceTable(text: string): Row[] {
  const [header, ...rows] = parseCsv(text);
  if (header === undefined) throw new Problem(400, 'Bad request', 'the CSV has no header row');
  if (header.length > columnsMax)
    throw new Problem(400, 'Bad request', 'the CSV has too many columns');
  return rows.map((cells) => {
    const row: Row = {};
    header.forEach((name, index) => {
      const cell = cells[index]?.trim();
      if (cell !== undefined && cell !== '') place(row, name.trim().split('.'), cell);
    });
    return row;
  });
}

const numeric = new Set(['latitude', 'longitude', 'altitude']);

/** `latitude` and its like are columns of their own, or written `location.latitude`. */
function place(row: Row, path: readonly string[], cell: string): void {
  const [first = '', second] = path;
  const value = numeric.has(second ?? first) ? Number(cell) : cell;
  const [section, key] =
    second === undefined && numeric.has(first) ? ['location', first] : [first, second];
  if (key === undefined) {
    row[section] = value;
    return;
  }
  const held = row[section];
  const inner: Row = typeof held === 'object' && held !== null ? { ...held } : {};
  inner[key] = value;
  row[section] = inner;
}

/** Quoted cells may hold commas, line breaks and doubled quotes; a byte-order mark is skipped. */
export function parseCsv(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  let cell = '';
  let isQuoted = false;
  const endRow = () => {
    row.push(cell);
    if (row.some((one) => one !== '')) rows.push(row);
    row = [];
    cell = '';
  };
  for (let at = text.startsWith('\uFEFF') ? 1 : 0; at < text.length; at += 1) {
    const char = text.charAt(at);
    if (isQuoted) {
      if (char !== '"') cell += char;
      else if (text.charAt(at + 1) === '"') {
        cell += '"';
        at += 1;
      } else isQuoted = false;
    } else if (char === '"' && cell === '') isQuoted = true;
    else if (char === ',' || char === ';') {
      row.push(cell);
      cell = '';
    } else if (char === '\n') endRow();
    else if (char !== '\r') cell += char;
  }
  endRow();
  return rows;
}
