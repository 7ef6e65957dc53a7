/**
 * MQTT topic names and topic filters: what is well-formed, what matches, which filter covers
 * another.
 */

export interface TopicLimits {
  /** Levels of a topic or filter, `/` between them. */
  readonly topicLevelsMax: number;
  /** UTF-16 units of a topic or filter. */
  readonly topicLengthMax: number;
}

/**
 * U+0000 is forbidden [MQTT-1.5.3-2]. U+FFFD is what the parser puts in place of bytes that are
 * not UTF-8, which must close the connection [MQTT-1.5.3-1]; a topic that truly holds it loses.
 */
const illFormed = ['\u0000', '\uFFFD'];

/** False for text that could not have been well-formed UTF-8 on the wire, and for U+0000. */
export function isWellFormed(text: string): boolean {
  return !illFormed.some((character) => text.includes(character));
}

/** True for a name one may publish to: not empty, no wildcards [MQTT-3.3.2-2], sound text. */
export function isTopicName(topic: string): boolean {
  const isPlain = topic.length > 0 && !topic.includes('+') && !topic.includes('#');
  return isPlain && isWellFormed(topic);
}

/** True for a filter one may subscribe to: `#` only last, wildcards alone in their level. */
export function isTopicFilter(filter: string): boolean {
  if (filter.length === 0 || !isWellFormed(filter)) return false;
  const levels = filter.split('/');
  return levels.every((level, index) => {
    if (level === '#') return index === levels.length - 1;
    return level === '+' || !(level.includes('+') || level.includes('#'));
  });
}

/** True for a topic or filter that is not longer or deeper than the configuration allows. */
export function isWithinLimits(topic: string, limits: TopicLimits): boolean {
  return brokenLimit(topic, limits) === undefined;
}

/** The limit that a topic or filter is beyond. */
export function brokenLimit(topic: string, limits: TopicLimits): keyof TopicLimits | undefined {
  if (topic.length > limits.topicLengthMax) return 'topicLengthMax';
  let levels = 1;
  for (let at = topic.indexOf('/'); at !== -1; at = topic.indexOf('/', at + 1)) levels += 1;
  return levels <= limits.topicLevelsMax ? undefined : 'topicLevelsMax';
}

/** A filter split once, for many comparisons. */
export interface CompiledFilter {
  readonly levels: readonly string[];
  /** The filter itself when it has no wildcard: then equality is enough. */
  readonly exact?: string;
  /** What stands before a `#` that is the only wildcard: then the beginning is enough. */
  readonly prefix?: string;
}

export function compileFilter(filter: string): CompiledFilter {
  const levels = filter.split('/');
  const firstWild = levels.findIndex((level) => level === '+' || level === '#');
  if (firstWild === -1) return { levels, exact: filter };
  const isPrefix = firstWild > 0 && firstWild === levels.length - 1 && levels[firstWild] === '#';
  return isPrefix ? { levels, prefix: filter.slice(0, -1) } : { levels };
}

/**
 * True when the topic matches [MQTT-4.7.1-2, 4.7.1-3]; a leading wildcard hides `$` [MQTT-4.7.2-1].
 */
export function matchesTopic(filter: CompiledFilter, topic: string): boolean {
  if (filter.exact !== undefined) return filter.exact === topic;
  if (filter.prefix !== undefined && topic.startsWith(filter.prefix)) return true;
  const first = filter.levels[0];
  if (topic.startsWith('$') && (first === '+' || first === '#')) return false;
  return coversLevels(filter.levels, topic.split('/'));
}

/** True when every topic that `requested` can match is matched by `allowed` too. */
export function coversFilter(allowed: CompiledFilter, requested: string): boolean {
  const first = allowed.levels[0];
  if (requested.startsWith('$') && (first === '+' || first === '#')) return false;
  return coversLevels(allowed.levels, requested.split('/'));
}

/** Covers both uses: a topic is a filter without wildcards. */
function coversLevels(allowed: readonly string[], requested: readonly string[]): boolean {
  for (const [index, level] of allowed.entries()) {
    // `a/#` matches its parent level `a` as well, so it covers what ends right here.
    if (level === '#') return true;
    const asked = requested[index];
    if (asked === undefined || asked === '#') return false;
    if (level !== '+' && level !== asked) return false;
  }
  return requested.length === allowed.length;
}

export function firstLevelOf(topic: string): string {
  const end = topic.indexOf('/');
  return end < 0 ? topic : topic.slice(0, end);
}
