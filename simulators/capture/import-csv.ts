/**
 * Makes messages of a table of measurements: each row becomes what a modem with these sensors would
 * have sent at that time, a flat JSON object on `up/<device>`.
 */
import { csvRows, timeReader } from './csv-table.ts';
import { type CapturedMessage, CaptureUnreadable } from './message.ts';

export interface CsvImport {
  /** The id of every row's device; absent: from the column `deviceColumn`. */
  readonly device?: string | undefined;
  readonly deviceColumn?: string | undefined;
  readonly timeColumn: string;
  /** IANA name of the zone of times that name none. */
  readonly zone: string;
  /** Columns and the names under which they are sent, with a factor; absent: all, as they are. */
  readonly fields?: Readonly<Record<string, CsvField>> | undefined;
}

export interface CsvField {
  readonly name: string;
  /** What a cell is multiplied by, for another unit. */
  readonly factor?: number;
}

export interface CsvCounts {
  /** Rows without a readable time, a device or any value. */
  skipped: number;
}

const deviceId = /^[A-Za-z0-9_.:-]{1,64}$/;

/** In the order of time. Throws CaptureUnreadable when the table lacks a column. */
export function importCsv(text: string, wish: CsvImport, counts: CsvCounts): CapturedMessage[] {
  const rows = csvRows(text);
  const first = rows.next();
  if (first.done === true) throw new CaptureUnreadable('the table is empty');
  const reader = createRowReader(first.value, wish);
  const messages: CapturedMessage[] = [];
  for (const row of rows) {
    const message = reader(row);
    if (message === undefined) counts.skipped += 1;
    else messages.push(message);
  }
  return messages.sort((left, right) => left.at - right.at);
}

interface Column extends CsvField {
  readonly index: number;
}

function createRowReader(
  header: readonly string[],
  wish: CsvImport,
): (row: readonly string[]) => CapturedMessage | undefined {
  const readTime = timeReader(wish.zone);
  const timeAt = placeOf(header, wish.timeColumn);
  const deviceAt = wish.device === undefined ? placeOf(header, wish.deviceColumn ?? 'device') : -1;
  const columns = columnsOf(header, wish).filter(
    ({ index }) => index !== timeAt && index !== deviceAt,
  );
  return (row) => {
    const at = readTime(row[timeAt]?.trim() ?? '');
    const device = wish.device ?? row[deviceAt]?.trim() ?? '';
    const fields = columns.flatMap(({ index, name, factor = 1 }) => {
      const value = cellValue(row[index]?.trim() ?? '', factor);
      return value === undefined ? [] : [[name, value] as const];
    });
    if (at === undefined || !deviceId.test(device) || fields.length === 0) return undefined;
    return telemetry(device, at, Object.fromEntries(fields));
  };
}

export function telemetry(
  device: string,
  at: number,
  fields: Readonly<Record<string, number | string>>,
): CapturedMessage {
  const body = Buffer.from(JSON.stringify({ ts: at, ...fields }));
  return { at, via: 'mqtt', route: `up/${device}`, body, sender: device, device };
}

function placeOf(header: readonly string[], column: string): number {
  const place = header.indexOf(column);
  if (place === -1) {
    throw new CaptureUnreadable(`the table has no column ${column}, but ${header.join(', ')}`);
  }
  return place;
}

function columnsOf(header: readonly string[], { fields }: CsvImport): Column[] {
  if (fields === undefined) return header.map((name, index) => ({ index, name: plainName(name) }));
  return Object.entries(fields).map(([column, field]) => ({
    index: placeOf(header, column),
    ...field,
  }));
}

/** Dots and slashes would be read as a path. */
function plainName(name: string): string {
  return name
    .trim()
    .replace(/[^A-Za-z0-9_]+/g, '_')
    .replace(/^_+|_+$/g, '')
    .toLowerCase();
}

/** An empty cell is a value that is missing, not a zero. */
function cellValue(cell: string, factor: number): number | string | undefined {
  if (cell === '') return undefined;
  const number = Number(cell);
  if (Number.isNaN(number)) return cell;
  return factor === 1 ? number : Number((number * factor).toPrecision(12));
}
