/**
 * Values filed under MQTT topic filters, found again by topic. A look-up visits each node at most
 * once.
 */
import { firstLevelOf } from '../../topic-filter.ts';

interface TrieNode<T> {
  readonly children: Map<string, TrieNode<T>>;
  readonly values: Set<T>;
}

export interface TopicTrie<T> {
  add(filter: string, value: T): void;
  remove(filter: string, value: T): void;
  /** All values whose filter matches; a value filed under two matching filters comes twice. */
  match(topic: string): readonly T[];
  readonly isEmpty: () => boolean;
  /** Whether a topic that begins with this level can match anything: a look at the root. */
  mayMatch(firstLevel: string): boolean;
}

export function createTopicTrie<T>(): TopicTrie<T> {
  const root = createNode<T>();
  const { children } = root;
  const mayMatch = (firstLevel: string) =>
    children.has('#') || children.has('+') || children.has(firstLevel);
  return {
    add: (filter, value) => {
      nodeAt(root, filter.split('/')).values.add(value);
    },
    remove: (filter, value) => {
      prune(root, filter.split('/'), 0, value);
    },
    match: (topic) => {
      // Nearly every topic ends here: nobody has subscribed to anything like it.
      if (!mayMatch(firstLevelOf(topic))) return [];
      const found: T[] = [];
      collect(root, topic.split('/'), 0, found);
      return found;
    },
    isEmpty: () => root.children.size === 0,
    mayMatch,
  };
}

function createNode<T>(): TrieNode<T> {
  return { children: new Map(), values: new Set() };
}

function nodeAt<T>(root: TrieNode<T>, levels: readonly string[]): TrieNode<T> {
  let node = root;
  for (const level of levels) {
    let child = node.children.get(level);
    if (child === undefined) {
      child = createNode<T>();
      node.children.set(level, child);
    }
    node = child;
  }
  return node;
}

/** Removes the value, and on the way back every node that it leaves empty. */
function prune<T>(node: TrieNode<T>, levels: readonly string[], depth: number, value: T): void {
  const level = levels[depth];
  if (level === undefined) {
    node.values.delete(value);
    return;
  }
  const child = node.children.get(level);
  if (child === undefined) return;
  prune(child, levels, depth + 1, value);
  if (child.values.size === 0 && child.children.size === 0) node.children.delete(level);
}

function collect<T>(node: TrieNode<T>, levels: readonly string[], depth: number, found: T[]): void {
  // [MQTT-4.7.2-1]: a wildcard in the first level does not match a topic that starts with `$`.
  const hidesWildcards = depth === 0 && levels[0]?.startsWith('$') === true;
  const rest = hidesWildcards ? undefined : node.children.get('#');
  if (rest !== undefined) found.push(...rest.values);
  const level = levels[depth];
  if (level === undefined) {
    found.push(...node.values);
    return;
  }
  const same = node.children.get(level);
  if (same !== undefined) collect(same, levels, depth + 1, found);
  const any = hidesWildcards ? undefined : node.children.get('+');
  if (any !== undefined) collect(any, levels, depth + 1, found);
}
