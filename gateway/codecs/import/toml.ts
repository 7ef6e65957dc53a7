/**
 * As much of TOML [1.0.0] as device profiles are written in: tables, arrays of tables, strings,
 * numbers, booleans and arrays of them. Dates, inline tables and dotted keys are refused.
 */

export type TomlValue = string | number | boolean | readonly TomlValue[] | TomlTable;
export interface TomlTable {
  [name: string]: TomlValue | TomlTable[];
}

const linesMax = 100_000;
const header = /^(\[\[?)([\w.-]+)(\]\]?)\s*(?:#.*)?$/;
const pair = /^("[^"]+"|[\w-]+)\s*=\s*(.*)$/s;

/** Throws with the line at which it stops to understand. */
export function parseToml(text: string): TomlTable {
  const root = emptyTable();
  let table = root;
  const lines = text.split(/\r?\n/);
  if (lines.length > linesMax) throw new Error(`more than ${linesMax} lines`);
  for (let at = 0; at < lines.length; at += 1) {
    const number = at + 1;
    let line = (lines[at] ?? '').trim();
    if (line === '' || line.startsWith('#')) continue;
    const [, open, path = ''] = header.exec(line) ?? [];
    if (open !== undefined) {
      table = tableAt(root, path.split('.'), open === '[[');
      continue;
    }
    while (isOpen(line) && at + 1 < lines.length) {
      at += 1;
      line += `\n${lines[at] ?? ''}`;
    }
    const [, key, value] = pair.exec(line) ?? [];
    if (key === undefined || value === undefined) throw new Error(`line ${number} is no pair`);
    table[key.replace(/^"|"$/g, '')] = readValue(value, number);
  }
  return root;
}

/** No name of it is inherited. */
function emptyTable(): TomlTable {
  return Object.create(null);
}

function tableAt(root: TomlTable, path: readonly string[], isArray: boolean): TomlTable {
  let table = root;
  for (const [depth, name] of path.entries()) {
    const isLast = depth === path.length - 1;
    const held = table[name];
    if (isLast && isArray) {
      const list = Array.isArray(held) ? held.filter(isTable) : [];
      const added = emptyTable();
      table[name] = [...list, added];
      return added;
    }
    const next = Array.isArray(held) ? held.filter(isTable).at(-1) : held;
    const inner = isTable(next) ? next : emptyTable();
    if (inner !== next) table[name] = inner;
    table = inner;
  }
  return table;
}

function isTable(value: unknown): value is TomlTable {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const token = /"""[\s\S]*?"""|"(?:\\.|[^"\\\n])*"|'[^'\n]*'|#[^\n]*|[[\],]|[^\s[\],#"']+/g;

/** An array, or a text in three quotes, that goes on in the next line. */
function isOpen(line: string): boolean {
  if ((line.match(/"""/g) ?? []).length % 2 === 1) return true;
  let depth = 0;
  for (const [word] of line.slice(line.indexOf('=') + 1).matchAll(token)) {
    if (word === '[') depth += 1;
    else if (word === ']') depth -= 1;
  }
  return depth > 0;
}

function readValue(text: string, line: number): TomlValue {
  const words = [...text.matchAll(token)].map(([word]) => word);
  const tokens = words.filter((word) => !word.startsWith('#'));
  let at = 0;

  function next(): TomlValue {
    const word = tokens[at];
    at += 1;
    if (word !== '[') return scalar(word ?? '', line);
    const list: TomlValue[] = [];
    while (at < tokens.length && tokens[at] !== ']') {
      list.push(next());
      if (tokens[at] === ',') at += 1;
    }
    at += 1;
    return list;
  }

  const value = next();
  if (at !== tokens.length) throw new Error(`line ${line} has a value of another form`);
  return value;
}

function scalar(word: string, line: number): TomlValue {
  if (word.startsWith('"""')) return word.slice(3, -3).replace(/^\n/, '');
  if (word.startsWith('"')) {
    const text: unknown = JSON.parse(word);
    return String(text);
  }
  if (word.startsWith("'")) return word.slice(1, -1);
  if (word === 'true' || word === 'false') return word === 'true';
  const number = Number(word.replace(/_/g, ''));
  if (word === '' || Number.isNaN(number))
    throw new Error(`line ${line} has a value of another form`);
  return number;
}
