/** Reads query parameters strictly: what is not understood is refused with its name. */
import type { Request } from 'express';
import { Problem } from './problem.ts';

/** Refuses parameters that the endpoint does not know: a typo must not widen an answer. */
export function onlyParameters(request: Request, known: readonly string[]): void {
  for (const name of Object.keys(request.query)) {
    if (!known.includes(name)) {
      const detail = `unknown parameter ${name}; known here: ${known.join(', ') || 'none'}`;
      throw new Problem(400, 'Bad request', detail);
    }
  }
}

export function textOf(request: Request, name: string): string | undefined {
  const value = request.query[name];
  if (value === undefined || value === '') return undefined;
  if (typeof value !== 'string' || value.length > 256)
    throw refusal(name, 'is given twice or too long');
  return value;
}

export function integerOf(
  request: Request,
  name: string,
  { min, max, fallback }: { min: number; max: number; fallback: number },
): number {
  const text = textOf(request, name);
  if (text === undefined) return fallback;
  const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= min && value <= max))
    throw refusal(name, `is a whole number from ${min} to ${max}`);
  return value;
}

const rfc3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/;

/** Epoch milliseconds of an RFC 3339 time. */
export function timeOf(request: Request, name: string, fallback: number): number {
  const text = textOf(request, name);
  if (text === undefined) return fallback;
  // A plus sign that was not escaped reaches us as a blank.
  const value = Date.parse(text.replace(/ (\d\d:\d\d)$/, '+$1'));
  if (!rfc3339.test(text.replace(/ (\d\d:\d\d)$/, '+$1')) || Number.isNaN(value)) {
    throw refusal(name, 'is an RFC 3339 time such as 2026-11-22T14:05:00Z');
  }
  return value;
}

export function choiceOf<T extends string>(
  request: Request,
  name: string,
  choices: readonly T[],
): T | undefined {
  const text = textOf(request, name);
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
  const text = textOf(request, name);
  if (text === undefined) return undefined;
  const match = /^(?:PT|P)?(\d{1,6})([smhdSMHD])$/.exec(text);
  const factor = unitMs[match?.[2]?.toLowerCase() ?? ''];
  if (match?.[1] === undefined || factor === undefined)
    throw refusal(name, 'is a duration such as 15m or 1h');
  const value = Number(match[1]) * factor;
  if (value < 1_000) throw refusal(name, 'is at least one second');
  return value;
}

export function refusal(name: string, what: string): Problem {
  return new Problem(400, 'Bad request', `parameter ${name} ${what}`);
}
