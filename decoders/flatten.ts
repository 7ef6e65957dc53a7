/**
 * Walks what somebody else decoded, of any shape, and lists the plain values in it with their
 * paths.
 */

export type Plain = number | string | boolean;

export interface Leaf {
  /** Names from the outside in; an array's places are names too. */
  readonly path: readonly string[];
  readonly value: Plain;
  /** Where the sender wrote `{ "value": …, "unit": … }`. */
  readonly unit?: string;
}

export const depthMax = 4;
export const leavesMax = 64;
/** Members looked at, plain or not: an object of a million nulls costs no more than this. */
export const membersMax = 1024;

/** Null, functions and numbers that are none are left out, as is what lies beyond the limits. */
export function flatten(object: object): Leaf[] {
  const walk: Walk = { leaves: [], members: 0 };
  visit(object, [], walk);
  return walk.leaves;
}

interface Walk {
  readonly leaves: Leaf[];
  members: number;
}

function visit(object: object, path: readonly string[], walk: Walk): void {
  const measure = measureIn(object, path);
  if (measure !== undefined) addLeaf(measure, walk);
  for (const name of Object.keys(object)) {
    walk.members += 1;
    if (walk.members > membersMax) return;
    if (measure !== undefined && (name === 'value' || name === 'unit')) continue;
    visitMember(Reflect.get(object, name), [...path, name], walk);
  }
}

function visitMember(member: unknown, path: readonly string[], walk: Walk): void {
  if (isPlain(member)) addLeaf({ path, value: member }, walk);
  else if (typeof member === 'object' && member !== null && path.length < depthMax) {
    visit(member, path, walk);
  }
}

function addLeaf(leaf: Leaf, walk: Walk): void {
  if (walk.leaves.length < leavesMax) walk.leaves.push(leaf);
}

/** `{ "temperature": { "value": 21.5, "unit": "°C" } }` is one value, not two. */
function measureIn(object: object, path: readonly string[]): Leaf | undefined {
  const value = memberOf(object, 'value');
  if (path.length === 0 || !isPlain(value)) return undefined;
  const unit = memberOf(object, 'unit');
  return typeof unit === 'string' ? { path, value, unit } : { path, value };
}

/** Own members only, so that nothing inherited is taken for data. */
function memberOf(object: object, name: string): unknown {
  return Object.hasOwn(object, name) ? Reflect.get(object, name) : undefined;
}

/** A number that is one, a text or a boolean. */
export function isPlain(value: unknown): value is Plain {
  return typeof value === 'number'
    ? Number.isFinite(value)
    : typeof value === 'string' || typeof value === 'boolean';
}
