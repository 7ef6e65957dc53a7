/**
 * Reads what the gateway says on the live stream. The page trusts its own server, but a bad frame
 * must not break it for good: what does not have the promised form is refused here.
 */
import type { ClientMessage, LiveRow, SeriesEntry, ServerMessage } from '../protocol.ts';

/** Larger frames are refused; the server sends snapshots in parts far below this. */
const frameLengthMax = 8 * 1024 * 1024;

type Fields = Readonly<Record<string, unknown>>;

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function areNumbers(fields: Fields, names: readonly string[]): boolean {
  return names.every((name) => Number.isFinite(fields[name]));
}

function isSeriesEntry(value: unknown): value is SeriesEntry {
  if (!Array.isArray(value) || typeof value[0] !== 'number') return false;
  return value.length >= 5 && value.slice(1, 5).every((word) => typeof word === 'string');
}

function isRow(value: unknown): value is LiveRow {
  if (!Array.isArray(value) || value.length < 7) return false;
  const [index, time, reading, quality, vouchedBy, receivedAt] = value;
  const isValue = typeof reading === 'string' || Number.isFinite(reading);
  return (
    [index, time, quality, receivedAt].every((number) => Number.isFinite(number)) &&
    isValue &&
    typeof vouchedBy === 'string'
  );
}

/** By name, such as the states of sources; a word of a later version is a word too. */
function areWords(value: unknown): boolean {
  return isFields(value) && Object.values(value).every((word) => typeof word === 'string');
}

function areTimes(value: unknown): boolean {
  return isFields(value) && Object.values(value).every(Number.isFinite);
}

function areAll(value: unknown, is: (item: unknown) => boolean): boolean {
  return Array.isArray(value) && value.every(is);
}

const checks: Readonly<Record<string, (fields: Fields) => boolean>> = {
  hello: (fields) => areNumbers(fields, ['now', 'hb']) && typeof fields['epoch'] === 'string',
  snap: (fields) =>
    areNumbers(fields, ['id', 'seq', 'part', 'of']) &&
    areAll(fields['series'], isSeriesEntry) &&
    areAll(fields['rows'], isRow),
  d: (fields) =>
    areNumbers(fields, ['id', 'from', 'seq']) &&
    (fields['series'] === undefined || areAll(fields['series'], isSeriesEntry)) &&
    areAll(fields['rows'], isRow),
  hb: (fields) =>
    areNumbers(fields, ['now', 'seq']) &&
    areWords(fields['sources'] ?? {}) &&
    areTimes(fields['lateSince'] ?? {}),
  resume: (fields) => areNumbers(fields, ['id']) && typeof fields['ok'] === 'boolean',
  gap: (fields) => areNumbers(fields, ['id', 'from', 'to']),
  slow: (fields) => areNumbers(fields, ['id', 'rate']),
  err: (fields) => typeof fields['code'] === 'string',
};

function isServerMessage(value: unknown): value is ServerMessage {
  if (!isFields(value) || typeof value['t'] !== 'string') return false;
  const check = Object.hasOwn(checks, value['t']) ? checks[value['t']] : undefined;
  return check?.(value) ?? false;
}

/** `unknown` is a message of a later version, to be passed over; `bad` breaks the contract. */
type ReadMessage =
  | { kind: 'message'; message: ServerMessage }
  | { kind: 'unknown' }
  | { kind: 'bad' };

export function readMessage(text: string): ReadMessage {
  if (text.length > frameLengthMax) return { kind: 'bad' };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { kind: 'bad' };
  }
  if (isServerMessage(value)) return { kind: 'message', message: value };
  if (!isFields(value) || typeof value['t'] !== 'string') return { kind: 'bad' };
  return Object.hasOwn(checks, value['t']) ? { kind: 'bad' } : { kind: 'unknown' };
}

export function writeMessage(message: ClientMessage): string {
  return JSON.stringify(message);
}
