/**
 * Whether a codec gave what its example says; exactly, or by a rule of the platform it was written
 * for.
 */

export type Comparison =
  | { readonly equal: true; readonly rules: readonly Rule[] }
  | { readonly equal: false; readonly difference: string };

/**
 * The engine that The Things Stack uses writes undefined as null, and its last digits differ: an
 * example taken from it may say null where there is nothing, or differ by rounding.
 */
export type Rule = 'absent-is-null' | 'rounding';

const roundingMax = 1e-6;

export function compare(expected: unknown, actual: unknown, path: string): Comparison {
  if (Object.is(expected, actual) || expected === actual) return { equal: true, rules: [] };
  if (typeof expected === 'number' && typeof actual === 'number') {
    const scale = Math.max(1, Math.abs(expected));
    const isClose = Math.abs(expected - actual) <= roundingMax * scale;
    return isClose ? { equal: true, rules: ['rounding'] } : differs(expected, actual, path);
  }
  if (Array.isArray(expected) && Array.isArray(actual)) return members(expected, actual, path);
  if (isRecord(expected) && isRecord(actual)) return members(expected, actual, path);
  return differs(expected, actual, path);
}

function isRecord(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function members(expected: object, actual: object, path: string): Comparison {
  const rules: Rule[] = [];
  for (const name of new Set([...Object.keys(expected), ...Object.keys(actual)])) {
    const inner = `${path}.${name}`;
    const [left, right] = [ownOf(expected, name), ownOf(actual, name)];
    if (left === null && right === undefined) {
      rules.push('absent-is-null');
      continue;
    }
    const compared = compare(left, right, inner);
    if (!compared.equal) return compared;
    rules.push(...compared.rules);
  }
  return { equal: true, rules };
}

function ownOf(object: object, name: string): unknown {
  return Object.hasOwn(object, name) ? Reflect.get(object, name) : undefined;
}

const shownMax = 120;

function differs(expected: unknown, actual: unknown, path: string): Comparison {
  return { equal: false, difference: `${path}: expected ${show(expected)}, got ${show(actual)}` };
}

function show(value: unknown): string {
  return (JSON.stringify(value) ?? 'nothing').slice(0, shownMax);
}
