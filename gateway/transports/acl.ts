/**
 * What one connection may publish, subscribe to, receive and retain: an account's filters, made its
 * own.
 */
import type { CompiledFilter } from './topic-filter.ts';
import { compileFilter, coversFilter, matchesTopic } from './topic-filter.ts';

/**
 * Topic filters, in which `{username}`, `{deviceId}`, `{clientId}`, `{agency}` and `{application}`
 * stand for the client's own.
 */
export interface AclFilters {
  readonly publish: readonly string[];
  readonly subscribe: readonly string[];
  /** Where the retain flag is honoured; elsewhere it is cleared, or memory would grow by topic. */
  readonly retain: readonly string[];
  /** What stays hidden from subscribers although `subscribe` covers it. */
  readonly hide: readonly string[];
}

export interface AclNames {
  readonly username: string;
  readonly clientId: string;
  readonly deviceId?: string | undefined;
  readonly agency?: string | undefined;
  readonly application?: string | undefined;
}

export interface MqttAcl {
  mayPublish(topic: string): boolean;
  mayRetain(topic: string): boolean;
  /** True when one allowed filter covers the whole of the requested one. */
  maySubscribe(filter: string): boolean;
  /** Checked for every delivery, because a stored subscription may be older than the rule. */
  mayReceive(topic: string): boolean;
}

export function compileAcl(filters: AclFilters, names: AclNames): MqttAcl {
  const publish = compileAll(filters.publish, names);
  const subscribe = compileAll(filters.subscribe, names);
  const retain = compileAll(filters.retain, names);
  const hide = compileAll(filters.hide, names);
  return {
    mayPublish: (topic) => publish.some((filter) => matchesTopic(filter, topic)),
    mayRetain: (topic) => retain.some((filter) => matchesTopic(filter, topic)),
    maySubscribe: (requested) =>
      !isShared(requested) &&
      subscribe.some((filter) => coversFilter(filter, requested)) &&
      !hide.some((filter) => coversFilter(filter, requested)),
    mayReceive: (topic) =>
      subscribe.some((filter) => matchesTopic(filter, topic)) &&
      !hide.some((filter) => matchesTopic(filter, topic)),
  };
}

/** The broker has no shared subscriptions and would grant `$share/…` as a literal topic. */
function isShared(filter: string): boolean {
  return filter === '$share' || filter.startsWith('$share/');
}

function compileAll(filters: readonly string[], names: AclNames): readonly CompiledFilter[] {
  return filters.flatMap((filter) => {
    const filled = fillTemplate(filter, names);
    return filled === undefined ? [] : [compileFilter(filled)];
  });
}

/**
 * Puts the client's names into a filter. Undefined, so that the filter allows nothing, when a name
 * is missing or could widen the filter: a client id of `+` must not become a wildcard.
 */
export function fillTemplate(filter: string, names: AclNames): string | undefined {
  const { username, deviceId, clientId, agency, application } = names;
  const values = new Map(Object.entries({ username, deviceId, clientId, agency, application }));
  let isFilled = true;
  // In one go: a name that looks like a place is not filled a second time.
  const filled = filter.replace(/\{(\w+)\}/g, (place, name: string) => {
    if (!values.has(name)) return place;
    const value = values.get(name);
    const isSound = value !== undefined && value !== '' && !/^\$|[+#/\0]/.test(value);
    if (!isSound) isFilled = false;
    return value ?? '';
  });
  return isFilled ? filled : undefined;
}
