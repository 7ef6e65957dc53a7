/** Every adapter of this installation: those of the registry and its own mappings. */
import type { Config } from '../../config/schema.ts';
import type { Adapter } from './adapter.ts';
import { createMappingAdapters } from './mapping/mappings.ts';
import { defaultRoutes, findAdapter, routesOf } from './registry.ts';
import type { Route } from './topic-filter.ts';

export interface AdapterBook {
  /** By the name that the configuration uses, of a built-in adapter or of a mapping. */
  find(name: string): Adapter | undefined;
  /** The first that fits is used: what the operator wrote goes before what is built in. */
  readonly routes: readonly Route[];
}

/**
 * The configuration must have passed the cross-check. `identityKey` hashes personal identifiers.
 * `remembering` are the adapters with a memory, which every gateway makes for itself.
 */
export function openAdapterBook(
  { routes, mappings }: Pick<Config['ingest'], 'routes' | 'mappings'>,
  identityKey: Buffer,
  remembering: readonly Adapter[],
): AdapterBook {
  const mapped = createMappingAdapters(mappings, { identityKey });
  const own = [...mapped.adapters, ...remembering];
  const find = (name: string) => own.find((adapter) => adapter.name === name) ?? findAdapter(name);
  const configured = routes.flatMap(({ topic, adapter }) => {
    const found = find(adapter);
    return found === undefined ? [] : [{ filter: topic, adapter: found }];
  });
  const builtIn = [...routesOf(remembering), ...defaultRoutes];
  return { find, routes: [...configured, ...mapped.routes, ...builtIn] };
}
