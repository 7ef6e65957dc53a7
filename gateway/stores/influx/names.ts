/**
 * How names from outside stand in line protocol and in InfluxQL.
 *
 * A backslash has no exact spelling in a tag or a field key: before a comma, a blank or an equals
 * sign it swallows it, elsewhere it is itself. Line ends end the line. So these, and the percent
 * sign that introduces them, are written as in a URL (`%5C`); all else keeps its own spelling.
 */

const unspellable = /[%\\\p{Cc}]/gu;
const lineProtocolSpecial = /[,= ]/g;

/** Fields and tags of our own; a quantity of that name gets its last character percent-encoded. */
const reserved = new Set([
  'time',
  'name',
  'seq',
  'vouched_by',
  'device',
  'channel',
  'agency',
  'area',
  '_field',
  '_measurement',
]);
const qualitySuffix = '_qc';
const textSuffix = '_text';

/** The names that a quantity has as fields of a point. */
interface FieldNames {
  readonly number: string;
  /** Fields never change type: what has no agreed type keeps its texts in a field of their own. */
  readonly text: string;
  readonly quality: string;
}

export function fieldNamesOf(quantity: string): FieldNames {
  const number = avoidOwnNames(encodeName(quantity));
  const text = quantity.startsWith('x_') ? `${number}${textSuffix}` : number;
  return { number, text, quality: `${number}${qualitySuffix}` };
}

/** The quantity whose quality flag this field is; undefined for any other field. */
export function quantityOfQualityField(field: string): string | undefined {
  if (!field.endsWith(qualitySuffix)) return undefined;
  return decodeName(field.slice(0, -qualitySuffix.length));
}

function avoidOwnNames(name: string): string {
  const collides = reserved.has(name) || name.endsWith(qualitySuffix) || name.endsWith(textSuffix);
  return collides ? `${name.slice(0, -1)}${percentEncode(name.slice(-1))}` : name;
}

/** The spelling of a name in the database: reversible, and equal for equal names only. */
export function encodeName(name: string): string {
  return name.replace(unspellable, percentEncode);
}

export function decodeName(name: string): string {
  return name.replace(/%([0-9A-F]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
}

/** All characters that are ever encoded are below 0x100. */
function percentEncode(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;
}

/** An encoded name as a tag value or a field key of line protocol. */
export function escapeKey(encodedName: string): string {
  return encodedName.replace(lineProtocolSpecial, '\\$&');
}

/** The encoded name that `escapeKey` was given. */
export function unescapeKey(key: string): string {
  return key.replace(/\\([,= ])/g, '$1');
}

/** A text as a string field of line protocol; line ends may stand in it as they are. */
export function quoteText(text: string): string {
  return `"${text.replace(/[\\"]/g, '\\$&')}"`;
}

/** An encoded name, which holds no backslash and no line end, as an InfluxQL identifier. */
export function quoteIdentifier(encodedName: string): string {
  return `"${encodedName.replaceAll('"', '\\"')}"`;
}

/** An encoded name as an InfluxQL string. */
export function quoteString(encodedName: string): string {
  return `'${encodedName.replaceAll("'", "\\'")}'`;
}
