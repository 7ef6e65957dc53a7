/** The position in an NMEA 0183 sentence of a satellite receiver: GGA and RMC, of any talker. */

const sentence = /^\$([A-Z]{2})(GGA|RMC),([\x20-\x7e]{1,100}?)(?:\*([0-9A-F]{2}))?$/;
const clock = /^\d{6}(?:\.\d{1,3})?$/;

/** Degrees, metres, metres per second; undefined for other sentences and for a wrong checksum. */
export function readNmea(text: string): Readonly<Record<string, number | string>> | undefined {
  const [, talker, type, body, checksum] = sentence.exec(text.trim()) ?? [];
  if (talker === undefined || type === undefined || body === undefined) return undefined;
  if (checksum !== undefined && sumOf(`${talker}${type},${body}`) !== checksum) return undefined;
  const fields = body.split(',');
  return type === 'GGA' ? readFix(fields) : readMinimum(fields);
}

function sumOf(text: string): string {
  let sum = 0;
  for (let at = 0; at < text.length; at += 1) sum ^= text.charCodeAt(at);
  return sum.toString(16).toUpperCase().padStart(2, '0');
}

/** Time, latitude, N/S, longitude, E/W, quality, satellites, dilution, altitude, M, … */
function readFix(fields: readonly string[]) {
  const quality = Number(fields[5]);
  return {
    ...clockOf(fields[0]),
    fix_quality: quality,
    ...(quality === 0 ? {} : positionOf(fields.slice(1, 5))),
    ...numberAt('satellites', fields[6]),
    ...numberAt('hdop', fields[7]),
    ...(quality === 0 ? {} : numberAt('altitude', fields[8])),
  };
}

const knot = 0.514444;

/** Time, A/V, latitude, N/S, longitude, E/W, speed in knots, course, date, … */
function readMinimum(fields: readonly string[]) {
  if (fields[1] !== 'A') return clockOf(fields[0]);
  const speed = toNumber(fields[6]);
  return {
    ...clockOf(fields[0]),
    ...positionOf(fields.slice(2, 6)),
    ...(speed === undefined ? {} : { speed: Math.round(speed * knot * 1e3) / 1e3 }),
    ...numberAt('heading', fields[7]),
  };
}

function clockOf(text: string | undefined): { readonly utc?: string } {
  return text !== undefined && clock.test(text) ? { utc: text } : {};
}

function positionOf([latitude, north, longitude, east]: readonly string[]) {
  const up = degreesOf(latitude, { degreeDigits: 2, sign: north === 'S' ? -1 : 1 });
  const across = degreesOf(longitude, { degreeDigits: 3, sign: east === 'W' ? -1 : 1 });
  return up === undefined || across === undefined ? {} : { latitude: up, longitude: across };
}

/** "6326.27336" is 63 degrees and 26.27336 minutes; a ten-millionth of a degree is 1 cm. */
function degreesOf(
  text: string | undefined,
  { degreeDigits, sign }: { readonly degreeDigits: number; readonly sign: number },
): number | undefined {
  if (text === undefined || !/^\d{4,5}(?:\.\d{1,8})?$/.test(text)) return undefined;
  const degrees = Number(text.slice(0, degreeDigits)) + Number(text.slice(degreeDigits)) / 60;
  return (sign * Math.round(degrees * 1e7)) / 1e7;
}

function numberAt(name: string, text: string | undefined): Readonly<Record<string, number>> {
  const value = toNumber(text);
  return value === undefined ? {} : { [name]: value };
}

function toNumber(text: string | undefined): number | undefined {
  return text !== undefined && /^-?\d{1,9}(?:\.\d{1,9})?$/.test(text) ? Number(text) : undefined;
}
