/** `when`: which rule reads a message, and which elements of an array are read at all. */
import type { ConditionSpec } from '../../../config/mapping-schema.ts';
import { isObject } from '../document.ts';
import { type Context, inside, report, type Scope } from './context.ts';
import { compileSource } from './source.ts';

export type Condition = (context: Context) => boolean;

/** True where all of them hold; true without any. */
export function compileConditions(
  specs: readonly ConditionSpec[] | undefined,
  scope: Scope,
): Condition {
  const conditions = (specs ?? []).map((spec, at) => compileOne(spec, inside(scope, at)));
  return (context) => conditions.every((holds) => holds(context));
}

function compileOne(spec: ConditionSpec, scope: Scope): Condition {
  const read = compileSource(spec.from, inside(scope, 'from'));
  const tests = testsOf(spec);
  if (tests.length === 0) report(scope, 'says nothing: write equals, oneOf, exists or is');
  return (context) => {
    const value = read(context);
    return tests.every((holds) => holds(value));
  };
}

type Test = (value: unknown) => boolean;

function testsOf({ equals, oneOf, exists, is }: ConditionSpec): Test[] {
  const tests: Test[] = [];
  if (equals !== undefined) tests.push((value) => value === equals);
  if (oneOf !== undefined) {
    const words = new Set<unknown>(oneOf);
    tests.push((value) => words.has(value));
  }
  if (exists !== undefined) {
    tests.push((value) => (value !== undefined && value !== null) === exists);
  }
  if (is !== undefined) tests.push(kinds[is]);
  return tests;
}

const kinds: Readonly<Record<NonNullable<ConditionSpec['is']>, Test>> = {
  object: isObject,
  array: Array.isArray,
  text: (value) => typeof value === 'string',
  number: (value) => typeof value === 'number',
  boolean: (value) => typeof value === 'boolean',
};
