/** Reads a table of comma-separated values [RFC 4180], row by row, and local times of any zone. */
import { CaptureUnreadable } from './message.ts';

export const cellsMax = 1_000;
const hourMs = 3_600_000;

/** The cells of each row; a quoted cell may hold commas, doubled quotes and line ends. */
export function* csvRows(text: string): Generator<string[], void> {
  const cell = /"((?:[^"]|"")*)"|([^",\r\n]*)/y;
  let row: string[] = [];
  let place = 0;
  while (place < text.length) {
    cell.lastIndex = place;
    const match = cell.exec(text);
    if (match === null) throw new CaptureUnreadable(`the table is unsound at character ${place}`);
    row.push(match[1]?.replaceAll('""', '"') ?? match[2] ?? '');
    place = cell.lastIndex;
    if (row.length > cellsMax) throw new CaptureUnreadable(`more than ${cellsMax} cells in a row`);
    if (text[place] === ',') {
      place += 1;
      if (place === text.length) row.push('');
      continue;
    }
    if (place < text.length && text[place] !== '\n' && text[place] !== '\r') {
      throw new CaptureUnreadable(`the table is unsound at character ${place}`);
    }
    place += text.startsWith('\r\n', place) ? 2 : 1;
    if (row.length > 1 || row[0] !== '') yield row;
    row = [];
  }
  if (row.length > 0) yield row;
}

const localTime = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d(?::\d\d)?(?:\.\d+)?)$/;
const zonedTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d.*(?:Z|[+-]\d\d:\d\d)$/;

/** Epoch milliseconds of what people write in tables; undefined for anything else. */
export type ReadTime = (text: string) => number | undefined;

/**
 * RFC 3339, a local time of `zone` (an IANA name, say `Asia/Baku`), or epoch seconds or
 * milliseconds. Throws when there is no such zone.
 */
export function timeReader(zone: string): ReadTime {
  const offsetAt = zoneOffsets(zone);
  return (text) => {
    if (zonedTime.test(text)) return numberOr(Date.parse(text));
    const local = localTime.exec(text);
    if (local !== null) {
      const wall = Date.parse(`${local[1]}T${local[2]}Z`);
      // The offset depends on the time that it helps to find: the second try is within its zone.
      const near = wall - offsetAt(wall);
      return numberOr(wall - offsetAt(near));
    }
    if (/^\d{9,10}(\.\d+)?$/.test(text)) return Math.round(Number(text) * 1_000);
    return /^\d{12,13}$/.test(text) ? Number(text) : undefined;
  };
}

function numberOr(time: number): number | undefined {
  return Number.isNaN(time) ? undefined : time;
}

/** Milliseconds that local time is ahead of UTC at a time, kept for each hour asked for. */
function zoneOffsets(zone: string): (time: number) => number {
  const format = new Intl.DateTimeFormat('en-GB', {
    ...{ timeZone: zone, hourCycle: 'h23', year: 'numeric', month: '2-digit', day: '2-digit' },
    ...{ hour: '2-digit', minute: '2-digit', second: '2-digit' },
  });
  const known = new Map<number, number>();
  return (time) => {
    const hour = Math.floor(time / hourMs);
    const kept = known.get(hour);
    if (kept !== undefined || Number.isNaN(time)) return kept ?? 0;
    const parts = new Map(
      format.formatToParts(hour * hourMs).map(({ type, value }) => [type, value]),
    );
    const part = (type: Intl.DateTimeFormatPartTypes) => Number(parts.get(type));
    const wall = Date.UTC(
      part('year'),
      part('month') - 1,
      part('day'),
      part('hour'),
      part('minute'),
    );
    known.set(hour, wall - hour * hourMs);
    return wall - hour * hourMs;
  };
}
