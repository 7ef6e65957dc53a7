/**
 * MQTT topic filters [MQTT-4.7]: which adapter reads which topic, answered without walking a list.
 */
import assert from 'node:assert/strict';
import type { Adapter } from './adapter.ts';

export interface Route {
  readonly filter: string;
  readonly adapter: Adapter;
}

/** Finds the adapter of a topic; where several filters fit, the one listed first. */
export type Router = (topic: string) => Adapter | undefined;

const topicLengthMax = 65_535;

/**
 * `#` alone on the last level, `+` alone on a level [MQTT-4.7.1-2, MQTT-4.7.1-3], no null
 * character.
 */
export function isTopicFilter(filter: string): boolean {
  if (filter === '' || filter.length > topicLengthMax || filter.includes('\0')) return false;
  const levels = filter.split('/');
  return levels.every((level, index) => {
    if (level === '#') return index === levels.length - 1;
    return level === '+' || !/[#+]/.test(level);
  });
}

/** False for a filter that is not valid. */
export function matches(filter: string, topic: string): boolean {
  if (!isTopicFilter(filter) || topic === '') return false;
  const levels = filter.split('/');
  const names = topic.split('/');
  if (isReserved(topic) && isWildcard(levels[0])) return false;
  for (let at = 0; at < levels.length; at += 1) {
    const level = levels[at];
    // `sport/#` also stands for `sport` itself.
    if (level === '#') return true;
    if (at >= names.length || (level !== '+' && level !== names[at])) return false;
  }
  return levels.length === names.length;
}

/** Topics that begin with `$` belong to the broker: no wildcard reaches them [MQTT-4.7.2-1]. */
function isReserved(topic: string): boolean {
  return topic.startsWith('$');
}

function isWildcard(level: string | undefined): boolean {
  return level === '+' || level === '#';
}

export function adapterFor(topic: string, routes: readonly Route[]): Adapter | undefined {
  return routes.find(({ filter }) => matches(filter, topic))?.adapter;
}

interface Branch {
  readonly names: Map<string, Branch>;
  anyName: Branch | undefined;
  /** The place in the list of the route that ends here, or that ends here in `#`. */
  exact: number;
  rest: number;
}

/**
 * Answers as adapterFor does, in time that depends on the levels of the topic, not on the routes.
 */
export function createRouter(routes: readonly Route[]): Router {
  const root = emptyBranch();
  routes.forEach(({ filter }, index) => {
    assert(isTopicFilter(filter), `not a topic filter: ${filter}`);
    plant(root, filter.split('/'), index);
  });
  return (topic) => {
    if (topic === '') return undefined;
    return routes[search(root, topic.split('/'), 0)]?.adapter;
  };
}

function emptyBranch(): Branch {
  return { names: new Map(), anyName: undefined, exact: Infinity, rest: Infinity };
}

function plant(root: Branch, levels: readonly string[], index: number): void {
  let branch = root;
  for (const level of levels) {
    if (level === '#') {
      branch.rest = Math.min(branch.rest, index);
      return;
    }
    branch = level === '+' ? anyNameOf(branch) : namedOf(branch, level);
  }
  branch.exact = Math.min(branch.exact, index);
}

function anyNameOf(branch: Branch): Branch {
  branch.anyName ??= emptyBranch();
  return branch.anyName;
}

function namedOf(branch: Branch, level: string): Branch {
  const known = branch.names.get(level);
  if (known !== undefined) return known;
  const planted = emptyBranch();
  branch.names.set(level, planted);
  return planted;
}

/** The lowest index of a fitting route, or Infinity. Only levels of filters cause recursion. */
function search(branch: Branch, names: readonly string[], at: number): number {
  const name = names[at];
  const seesWildcards = at > 0 || name?.startsWith('$') !== true;
  const rest = seesWildcards ? branch.rest : Infinity;
  if (name === undefined) return Math.min(rest, branch.exact);
  const named = branch.names.get(name);
  const inNamed = named === undefined ? Infinity : search(named, names, at + 1);
  const inAny =
    branch.anyName === undefined || !seesWildcards
      ? Infinity
      : search(branch.anyName, names, at + 1);
  return Math.min(rest, inNamed, inAny);
}
