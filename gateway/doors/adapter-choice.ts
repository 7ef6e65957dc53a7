/** Which adapter reads a message: that of the source it came in by, else by its topic. */
import type { Config } from '../../config/schema.ts';
import type { Adapter } from '../adapters/adapter.ts';
import type { AdapterBook } from '../adapters/adapter-book.ts';
import { createRouter } from '../adapters/topic-filter.ts';
import type { Inbound } from '../model/inbound.ts';

type Sources = Pick<Config['ingest'], 'webhooks' | 'coap'>;

export interface AdapterChoice {
  readonly adapterFor: (inbound: Pick<Inbound, 'route' | 'adapter'>) => Adapter | undefined;
  /**
   * Gives the sources whose adapter comes only with a restart, as a new mapping does. A message
   * names the adapter that its source had when it came in, so one under way is read as before.
   */
  setSources(sources: Sources): readonly WaitingSource[];
}

export interface WaitingSource {
  readonly name: string;
  /** What reads it until then, as before; undefined for a new one, which nothing can read. */
  readonly adapter: string | undefined;
}

export function createAdapterChoice(ingest: Sources, adapters: AdapterBook): AdapterChoice {
  const byTopic = createRouter(adapters.routes);
  // Only adapters that exist are kept, so that it grows no larger than the book.
  const byName = new Map<string, Adapter>();
  /** By the name of the source. */
  let inForce: ReadonlyMap<string, string> = new Map();

  function find(name: string): Adapter | undefined {
    const known = byName.get(name) ?? adapters.find(name);
    if (known !== undefined) byName.set(name, known);
    return known;
  }

  function setSources({ webhooks, coap }: Sources): readonly WaitingSource[] {
    const waiting: WaitingSource[] = [];
    const next = new Map<string, string>();
    for (const { name, adapter } of [...webhooks.sources, ...(coap?.accounts ?? [])]) {
      if (adapter === undefined) continue;
      const isKnown = find(adapter) !== undefined;
      const taken = isKnown ? adapter : inForce.get(name);
      if (!isKnown) waiting.push({ name, adapter: taken });
      if (taken !== undefined) next.set(name, taken);
    }
    inForce = next;
    return waiting;
  }

  setSources(ingest);
  return {
    setSources,
    adapterFor: ({ route, adapter }) => (adapter === undefined ? byTopic(route) : find(adapter)),
  };
}
