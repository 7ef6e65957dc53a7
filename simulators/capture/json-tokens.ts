/**
 * Changes single values of a JSON text and leaves every other byte as it was: numbers keep their
 * digits and objects their order, which reading and writing it again would not promise.
 */

export interface JsonValue {
  readonly kind: 'text' | 'number';
  /** The name it stands under; that of the array for an element; absent at the top. */
  readonly key: string | undefined;
  /** The names of the objects and arrays around it, from the outside in. */
  readonly path: readonly (string | undefined)[];
  /** The string without quotes and escapes, or the number as written. */
  readonly text: string;
}

/** The new string (unquoted) or number; undefined leaves the value as it is. */
export type JsonChange = (value: JsonValue) => string | undefined;

const depthMax = 100;
/** Strings that end, then numbers, then what gives the text its shape. */
const tokens = /"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*|[{}[\]:,]|[^\s"{}[\]:,]+/gs;

/** Undefined when the text is no JSON object or array, or is nested too deeply. */
export function changeJson(json: string, change: JsonChange): string | undefined {
  if (!isJson(json)) return undefined;
  const keys: (string | undefined)[] = [];
  let key: string | undefined;
  let isDeep = false;
  const changed = json.replace(tokens, (token: string, offset: number) => {
    switch (token) {
      case '{':
      case '[':
        keys.push(key);
        isDeep ||= keys.length > depthMax;
        return token;
      case '}':
      case ']':
        key = keys.pop();
        return token;
      case ',':
        key = keys.at(-1);
        return token;
      case ':':
        return token;
      default:
    }
    if (token.startsWith('"') && isKey(json, offset + token.length)) {
      key = unquoted(token);
      return token;
    }
    return changedValue(token, { key, path: keys }, change);
  });
  return isDeep ? undefined : changed;
}

function isJson(text: string): boolean {
  if (!/^\s*[{[]/.test(text)) return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

const colon = /\s*:/y;

function isKey(json: string, end: number): boolean {
  colon.lastIndex = end;
  return colon.test(json);
}

function changedValue(
  token: string,
  place: Pick<JsonValue, 'key' | 'path'>,
  change: JsonChange,
): string {
  if (token.startsWith('"')) {
    const text = change({ kind: 'text', ...place, text: unquoted(token) });
    return text === undefined ? token : JSON.stringify(text);
  }
  if (!/^-?\d/.test(token)) return token;
  return change({ kind: 'number', ...place, text: token }) ?? token;
}

function unquoted(token: string): string {
  const value: unknown = JSON.parse(token);
  return String(value);
}
