/**
 * Moves every time within a message by whole seconds, so that fractions stay as they were written:
 * RFC 3339 texts anywhere, numbers where their name says that they are a time, and the timestamps
 * of ChirpStack's protobuf messages.
 */
import { bodyTextOf } from './body-text.ts';
import { changeJson, type JsonValue } from './json-tokens.ts';
import type { CapturedMessage } from './message.ts';
import { shiftProtobuf } from './protobuf-times.ts';

const secondMs = 1_000;
const wholeTime = /^(\d{4}-\d\d-\d\d)([Tt ])(\d\d:\d\d:\d\d)(\.\d+)?(Z|z|[+-]\d\d:\d\d| GMT)$/;
const timeInText = /\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|z|[+-]\d\d:\d\d)/g;
const timeKey =
  /^(?:ts|t|bt|tmms|time|times|timestamp|date|datetime)$|(?:Time|_time|At|_at|Ts|_ts)$/;
const gpsKey = /^time_?since_?gps_?epoch$/i;

/** Nearest whole second of a shift: the only shifts that there are. */
export function wholeSeconds(milliseconds: number): number {
  return Math.round(milliseconds / secondMs) * secondMs;
}

/** The same message as if it had come `shiftMs` later; `shiftMs` is of whole seconds. */
export function shiftMessage(message: CapturedMessage, shiftMs: number): CapturedMessage {
  const at = message.at + shiftMs;
  const moved = shiftMs === 0 ? undefined : shiftProtobuf(message, shiftMs / secondMs);
  if (moved !== undefined) return { ...message, at, body: moved };
  const body = shiftMs === 0 ? undefined : bodyTextOf(message);
  if (body === undefined) return { ...message, at };
  const change = (value: JsonValue) => shiftedValue(value, shiftMs);
  const text =
    changeJson(body.text, change) ??
    body.text.replace(timeInText, (time) => shiftedText(time, shiftMs) ?? time);
  return { ...message, at, body: body.with(text) };
}

function shiftedValue({ kind, key = '', text }: JsonValue, shiftMs: number): string | undefined {
  if (kind === 'text') {
    const time = shiftedText(text, shiftMs);
    if (time !== undefined) return time;
    if (gpsKey.test(key) && /^\d+(\.\d+)?s$/.test(text)) return addSeconds(text, shiftMs);
  }
  return timeKey.test(key) ? shiftedNumber(text, shiftMs) : undefined;
}

/** Fraction and zone stay as they are, so the wall clock moves within its own zone. */
function shiftedText(text: string, shiftMs: number): string | undefined {
  const match = wholeTime.exec(text);
  if (match === null) return undefined;
  const [, day = '', between = '', clock = '', fraction = '', zone = ''] = match;
  const time = Date.parse(`${day}T${clock}Z`) + shiftMs;
  if (Number.isNaN(time)) return undefined;
  const shifted = new Date(time).toISOString();
  return `${shifted.slice(0, 10)}${between}${shifted.slice(11, 19)}${fraction}${zone}`;
}

/** Seconds, milli-, micro- and nanoseconds of this century: no number is two of them. */
const epochUnits = [
  { digits: /^\d{9,10}(\.\d+)?$/, perSecond: 1n },
  { digits: /^\d{12,13}(\.\d+)?$/, perSecond: 1_000n },
  { digits: /^\d{15,16}$/, perSecond: 1_000_000n },
  { digits: /^\d{18,19}$/, perSecond: 1_000_000_000n },
] as const;

function shiftedNumber(text: string, shiftMs: number): string | undefined {
  const unit = epochUnits.find(({ digits }) => digits.test(text));
  if (unit === undefined) return shiftedExponent(text, shiftMs);
  const [whole = '', fraction] = text.split('.');
  const sum = BigInt(whole) + BigInt(shiftMs / secondMs) * unit.perSecond;
  return fraction === undefined ? String(sum) : `${sum}.${fraction}`;
}

/** SenML allows `1.276020076e+09`. */
function shiftedExponent(text: string, shiftMs: number): string | undefined {
  const seconds = /[eE]/.test(text) ? Number(text) : Number.NaN;
  if (!(seconds >= 2 ** 28 && seconds < 2 ** 32)) return undefined;
  return String(seconds + shiftMs / secondMs);
}

function addSeconds(text: string, shiftMs: number): string {
  const [whole = '', ...rest] = text.split(/(?=[.s])/);
  return `${BigInt(whole) + BigInt(shiftMs / secondMs)}${rest.join('')}`;
}
