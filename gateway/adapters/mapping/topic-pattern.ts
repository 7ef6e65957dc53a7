/** Topic patterns: MQTT filters [MQTT-4.7] whose levels may have names, `vega/{deviceId}/data`. */
import { isTopicFilter } from '../topic-filter.ts';
import { report, type Scope } from './context.ts';

export interface TopicPattern {
  readonly filter: string;
  /** The name of each level that has one, by the level's place. */
  readonly names: readonly { readonly name: string; readonly level: number }[];
}

const named = /^\{([A-Za-z][A-Za-z0-9]{0,31})\}$/;

/** Undefined, with a problem reported, for what is no pattern. */
export function parsePattern(pattern: string, scope: Scope): TopicPattern | undefined {
  const levels = pattern.split('/');
  const names = levels.flatMap((text, level) => {
    const name = named.exec(text)?.[1];
    return name === undefined ? [] : [{ name, level }];
  });
  const filter = levels.map((text) => (named.test(text) ? '+' : text)).join('/');
  if (!isTopicFilter(filter)) return report(scope, `${pattern} is no MQTT topic filter`);
  if (/[{}]/.test(filter)) {
    return report(scope, `${pattern}: a name stands for a whole level, as {deviceId}`);
  }
  if (new Set(names.map(({ name }) => name)).size < names.length) {
    return report(scope, `${pattern} gives two levels one name`);
  }
  return { filter, names };
}

/** Finds the named levels of a topic, in the order of `captures`. */
export type Capture = (topic: string) => readonly (string | undefined)[];

const nothing: readonly undefined[] = [];

export function compileCaptures(
  patterns: readonly TopicPattern[],
  captures: readonly string[],
): Capture {
  if (captures.length === 0) return () => nothing;
  const shapes = patterns.map(({ filter, names }) => ({
    fits: compileFilter(filter.split('/')),
    levels: captures.map((capture) => names.find(({ name }) => name === capture)?.level ?? -1),
  }));
  return (topic) => {
    const texts = topic.split('/');
    const found = shapes.find(({ fits }) => fits(texts));
    return found === undefined ? nothing : found.levels.map((level) => texts[level]);
  };
}

/** As MQTT matches topics, but for `$`: whether a topic comes here at all is settled before. */
function compileFilter(levels: readonly string[]): (topic: readonly string[]) => boolean {
  const isOpen = levels.at(-1) === '#';
  const fixed = isOpen ? levels.slice(0, -1) : levels;
  return (topic) => {
    if (isOpen ? topic.length < fixed.length : topic.length !== fixed.length) return false;
    return fixed.every((level, at) => level === '+' || level === topic[at]);
  };
}
