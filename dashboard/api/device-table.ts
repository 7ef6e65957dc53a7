/**
 * Devices as CSV [RFC 4180]: a header row with the field names, `keys.nwkSKey` and `tags.x` with
 * dots.
 */
import { Problem } from '../request/problem.ts';

type Row = Record<string, unknown>;

const columnsMax = 64;

/** One object a row, empty cells left out; the caller checks each as a device. */
export function parseDeviceTable(text: string): Row[] {
  const [header, ...rows] = parseCsv(text, separatorOf(text));
  if (header === undefined) throw new Problem(400, 'the CSV has no header row');
  if (header.length > columnsMax) throw new Problem(400, 'the CSV has too many columns');
  return rows.map((cells) => {
    const row = emptyRow();
    cells.forEach((text, index) => {
      const cell = text.trim();
      // A cell too many is a comma without quotes: what follows it stands in the wrong column.
      if (cell !== '') place(row, header[index]?.trim() ?? `column ${index + 1}`, cell);
    });
    return row;
  });
}

/** Without a prototype: a column of any name is a field of its own. */
function emptyRow(): Row {
  return Object.create(null);
}

/** Spreadsheets write semicolons where the comma is the decimal sign. */
function separatorOf(text: string): ',' | ';' {
  const header = text.slice(0, text.search(/\r?\n|$/));
  const count = (char: string) => header.split(char).length;
  return count(';') > count(',') ? ';' : ',';
}

const numeric = new Set(['latitude', 'longitude', 'altitude']);

/** `latitude` and its like are columns of their own, or written `location.latitude`. */
function place(row: Row, column: string, cell: string): void {
  const dot = column.indexOf('.');
  const name = column.slice(dot + 1);
  const section = dot >= 0 ? column.slice(0, dot) : numeric.has(column) ? 'location' : undefined;
  const isNumber = section === 'location' && numeric.has(name);
  const value = isNumber ? Number(cell.replace(',', '.')) : cell;
  if (section === undefined) {
    row[name] = value;
    return;
  }
  const held = row[section];
  row[section] = Object.assign(emptyRow(), typeof held === 'object' ? held : {}, { [name]: value });
}

/** Quoted cells may hold commas, line breaks and doubled quotes; a byte-order mark is skipped. */
export function parseCsv(text: string, separator: ',' | ';'): string[][] {
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
    else if (char === separator) {
      row.push(cell);
      cell = '';
    } else if (char === '\n') endRow();
    else if (char !== '\r') cell += char;
  }
  endRow();
  return rows;
}
