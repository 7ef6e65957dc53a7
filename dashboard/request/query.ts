/** Reads query parameters strictly: what is not understood is refused with its name. */
import type { NextFunction, Request, Response } from 'express';
import { closest, distance } from 'fastest-levenshtein';
import { parametersOf } from '../openapi/openapi.ts';
import { seqMax, textMax, windowPattern } from './parameters.ts';
import { Problem } from './problem.ts';

/**
 * Refuses parameters that the contract does not name for this path and method, before anything is
 * done: a typo must not widen an answer. A path that is not of the contract is left to others.
 */
export function knownParameters(request: Request, _response: Response, next: NextFunction): void {
  const known = parametersOf(request.baseUrl + request.path, request.method);
  for (const name of known === undefined ? [] : Object.keys(request.query)) {
    if (known?.includes(name) === false) throw unknownParameter(name, known);
  }
  next();
}

/** A name that takes more changes than this is another word. */
const nearMax = 2;
const nameShownMax = 64;

function unknownParameter(name: string, known: readonly string[]): Problem {
  const near = known.length === 0 ? undefined : closest(name, known);
  const isNear = near !== undefined && distance(name, near) <= Math.min(nearMax, name.length - 1);
  const hint = isNear ? `; did you mean ${near}?` : '';
  const listed = `known here: ${known.join(', ') || 'none'}`;
  return new Problem(400, `unknown parameter ${name.slice(0, nameShownMax)}; ${listed}${hint}`);
}

export function textOf(request: Request, name: string): string | undefined {
  const value = request.query[name];
  if (value === undefined || value === '') return undefined;
  if (typeof value !== 'string' || value.length > textMax)
    throw refusal(name, 'is given twice or too long');
  return value;
}

/** An empty one would begin again at the first page, for ever. */
export function cursorTextOf(request: Request): string | undefined {
  return givenOf(request, 'cursor');
}

/** Of what is no text: an empty number or time is a mistake, not a wish for the usual one. */
function givenOf(request: Request, name: string): string | undefined {
  if (request.query[name] === '') throw refusal(name, 'is empty: leave it out or say which');
  return textOf(request, name);
}

export function integerOf(
  request: Request,
  name: string,
  { min, max, fallback }: { min: number; max: number; fallback: number },
): number {
  const text = givenOf(request, name);
  if (text === undefined) return fallback;
  const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= min && value <= max))
    throw refusal(name, `is a whole number from ${min} to ${max}`);
  return value;
}

/** The number of a ledger entry in a path; 404 for what no entry can have. */
export function entrySeqOf(text: string): number {
  const seq = /^[1-9]\d{0,14}$/.test(text) ? Number(text) : Number.NaN;
  if (!(seq <= seqMax)) throw new Problem(404, 'no ledger entry has this seq');
  return seq;
}

const dateTime =
  /^(\d{4}-\d\d-\d\d)T((?:[01]\d|2[0-3]):\d\d):([0-5]\d|60)(\.\d+)?(Z|[+-]\d\d:\d\d)$/i;
const secondMs = 1_000;
const leapSecondAt = /T23:59:59/;

/**
 * Epoch milliseconds of an RFC 3339 time. A day that no calendar has is none, though Date.parse
 * would take it; a leap second, which is the last one of a day in UTC, is the first of the next.
 */
export function timeOf(request: Request, name: string, fallback: number): number {
  const text = givenOf(request, name);
  if (text === undefined) return fallback;
  // A plus sign that was not escaped reaches us as a blank.
  const value = parseDateTime(text.replace(/ (\d\d:\d\d)$/, '+$1'));
  if (value === undefined) throw refusal(name, 'is an RFC 3339 time such as 2026-11-22T14:05:00Z');
  return value;
}

function parseDateTime(text: string): number | undefined {
  const [, day = '', minute, second, fraction = '', zone] = dateTime.exec(text) ?? [];
  if (!isDay(day)) return undefined;
  const isLeap = second === '60';
  const value = Date.parse(
    `${day}T${minute}:${isLeap ? '59' : second}${fraction}${zone}`.toUpperCase(),
  );
  if (!isLeap || Number.isNaN(value)) return Number.isNaN(value) ? undefined : value;
  return leapSecondAt.test(new Date(value).toISOString()) ? value + secondMs : undefined;
}

function isDay(text: string): boolean {
  const midnight = Date.parse(`${text}T00:00:00Z`);
  return !Number.isNaN(midnight) && new Date(midnight).toISOString().startsWith(text);
}

export function choiceOf<T extends string>(
  request: Request,
  name: string,
  choices: readonly T[],
): T | undefined {
  const text = givenOf(request, name);
  if (text === undefined) return undefined;
  const found = choices.find((choice) => choice === text);
  if (found === undefined) throw refusal(name, `is one of ${choices.join(', ')}`);
  return found;
}

const unitMs: Readonly<Record<string, number>> = {
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** Milliseconds of a window such as 30s, 15m, 1h, 1d, or PT15M [ISO 8601]. */
export function durationOf(request: Request, name: string): number | undefined {
  const text = givenOf(request, name);
  if (text === undefined) return undefined;
  const match = windowPattern.exec(text);
  const factor = unitMs[match?.[2]?.toLowerCase() ?? ''];
  if (match?.[1] === undefined || factor === undefined)
    throw refusal(name, 'is a duration such as 15m or 1h');
  const value = Number(match[1]) * factor;
  if (value < 1_000) throw refusal(name, 'is at least one second');
  return value;
}

export function refusal(name: string, what: string): Problem {
  return new Problem(400, `parameter ${name} ${what}`);
}
