/** Clock faces without a zone, "2019-01-02 12:34:56", placed in an IANA zone. */

const minute = 60_000;
const day = 86_400_000;
/** Zones change their clocks on a quarter of an hour at the finest. */
const quarter = 15 * minute;
const cachedQuartersMax = 4_096;

const clockFace =
  /^(\d{4})([-/.])(\d{2})\2(\d{2})[ T](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?$/;

/** As if the clock stood in UTC; undefined for what is no such text or no date. */
export function parseClockFace(text: string): number | undefined {
  if (text.length > 32) return undefined;
  const [, years, , months, days, hours, minutes, seconds = '0', fraction = ''] =
    clockFace.exec(text) ?? [];
  if (years === undefined) return undefined;
  const [year, month, date] = [Number(years), Number(months), Number(days)];
  const time = Date.UTC(year, month - 1, date, Number(hours), Number(minutes), Number(seconds));
  const isOnClock = Number(hours) < 24 && Number(minutes) < 60 && Number(seconds) < 60;
  const midnight = new Date(Date.UTC(year, month - 1, date));
  const isDate = midnight.getUTCMonth() === month - 1 && midnight.getUTCDate() === date;
  if (!isOnClock || !isDate || year < 1_000) return undefined;
  return time + Number(fraction.slice(0, 3).padEnd(3, '0'));
}

/** Epoch milliseconds of a clock face given as if in UTC. */
export type Zone = (clockFace: number) => number;

/**
 * Undefined for a name that is no IANA zone. An hour that a clock shows twice is its first; one
 * that it leaves out counts on from the old time.
 */
export function openZone(name: string): Zone | undefined {
  const offsetAt = openOffsets(name);
  if (offsetAt === undefined) return undefined;
  return (face) => {
    const before = offsetAt(face - day);
    const after = offsetAt(face + day);
    if (before === after || offsetAt(face - before) === before) return face - before;
    return offsetAt(face - after) === after ? face - after : face - before;
  };
}

function openOffsets(name: string): ((time: number) => number) | undefined {
  const format = formatOf(name);
  if (format === undefined) return undefined;
  const known = new Map<number, number>();
  return (time) => {
    const slot = Math.floor(time / quarter);
    const found = known.get(slot);
    if (found !== undefined) return found;
    if (known.size >= cachedQuartersMax) known.clear();
    const offset = readOffset(format, slot * quarter);
    known.set(slot, offset);
    return offset;
  };
}

function formatOf(name: string): Intl.DateTimeFormat | undefined {
  try {
    return new Intl.DateTimeFormat('en-US', { timeZone: name, timeZoneName: 'longOffset' });
  } catch {
    return undefined;
  }
}

/** Of "GMT" or "GMT+04:00". The seconds that zones had before 1972 are left out. */
function readOffset(format: Intl.DateTimeFormat, time: number): number {
  const text = format.formatToParts(time).find(({ type }) => type === 'timeZoneName')?.value ?? '';
  const [, sign, hours, minutes] = /([+-])(\d{2}):(\d{2})/.exec(text) ?? [];
  const offset = (Number(hours ?? 0) * 60 + Number(minutes ?? 0)) * minute;
  return sign === '-' ? -offset : offset;
}
