/** Reads documents that anybody has written: what is not of the expected kind is not there. */
import { memberOf } from '../decoded-result.ts';

export function textIn(object: unknown, name: string): string | undefined {
  const value = memberOf(object, name);
  if (typeof value === 'number') return String(value);
  return typeof value === 'string' && value !== '' ? value : undefined;
}

export function flagIn(object: unknown, name: string): boolean | undefined {
  const value = memberOf(object, name);
  return typeof value === 'boolean' ? value : undefined;
}

export function listIn(object: unknown, name: string): readonly unknown[] {
  const value = memberOf(object, name);
  return Array.isArray(value) ? value : [];
}

export function textsIn(object: unknown, name: string): readonly string[] {
  return listIn(object, name).flatMap((one) =>
    typeof one === 'string' || typeof one === 'number' ? String(one) : [],
  );
}

export function entriesIn(object: unknown, name: string): readonly [string, unknown][] {
  const value = memberOf(object, name);
  return typeof value === 'object' && value !== null ? Object.entries(value) : [];
}

/** Without what is undefined. */
export function present<T extends object>(
  object: T,
): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const kept: { [K in keyof T]?: Exclude<T[K], undefined> } = {};
  return Object.assign(
    kept,
    Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)),
  );
}
