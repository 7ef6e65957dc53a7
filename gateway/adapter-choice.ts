/** Which adapter reads a message: by the source it came in by, else by its topic. */
import type { Config } from '../config/schema.ts';
import type { Adapter } from './adapters/adapter.ts';
import type { AdapterBook } from './adapters/adapter-book.ts';
import { createRouter } from './adapters/topic-filter.ts';

/** What begins so has come to a source by name, over HTTP or CoAP. */
const sourcePath = /^\/ingest\/([^/?]+)/;
/** Sources remembered, those that are gone among them: twice as many as may be configured. */
const sourcesMax = 202_000;

type Sources = Pick<Config['ingest'], 'webhooks' | 'coap'>;

export interface AdapterChoice {
  readonly adapterFor: (route: string) => Adapter | undefined;
  /**
   * Takes sources over. Those that are gone stay readable, since a request of theirs may be under
   * way; to let no further one in is up to the doors. Gives the sources whose adapter comes only
   * with a restart, as a new mapping does: one that was there is read as before.
   */
  setSources(sources: Sources): readonly WaitingSource[];
}

export interface WaitingSource {
  readonly name: string;
  /** Whether nothing can read it until then. */
  readonly isNew: boolean;
}

export function createAdapterChoice(ingest: Sources, adapters: AdapterBook): AdapterChoice {
  const byTopic = createRouter(adapters.routes);
  const bySource = new Map<string, Adapter>();
  // What bySource has of a source that was gone for a while says nothing of it when it is back.
  let inForce: ReadonlySet<string> = new Set();

  function setSources({ webhooks, coap }: Sources): readonly WaitingSource[] {
    const waiting: WaitingSource[] = [];
    const read = new Set<string>();
    for (const { name, adapter } of [...webhooks.sources, ...(coap?.accounts ?? [])]) {
      if (adapter === undefined) continue;
      const found = adapters.find(adapter);
      const isNew = !inForce.has(name);
      if (found === undefined) waiting.push({ name, isNew });
      if (found !== undefined || !isNew) read.add(name);
      const taken = found ?? bySource.get(name);
      // Filed again, so that the first of the map has been gone for longest.
      bySource.delete(name);
      if (taken !== undefined) bySource.set(name, taken);
    }
    for (const name of bySource.keys()) {
      if (bySource.size <= sourcesMax) break;
      bySource.delete(name);
    }
    inForce = read;
    return waiting;
  }

  setSources(ingest);
  return {
    setSources,
    adapterFor: (route) => {
      const source = sourcePath.exec(route)?.[1];
      return (source === undefined ? undefined : bySource.get(source)) ?? byTopic(route);
    },
  };
}
