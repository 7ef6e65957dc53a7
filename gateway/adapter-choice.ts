/** Which adapter reads a message: by the source it came in by, else by its topic. */
import type { Config } from '../config/schema.ts';
import type { Adapter } from './adapters/adapter.ts';
import type { AdapterBook } from './adapters/adapter-book.ts';
import { createRouter } from './adapters/topic-filter.ts';

/** What begins so has come to a source by name, over HTTP or CoAP. */
const sourcePath = /^\/ingest\/([^/?]+)/;

export function createAdapterChoice(
  { webhooks, coap }: Pick<Config['ingest'], 'webhooks' | 'coap'>,
  adapters: AdapterBook,
): (route: string) => Adapter | undefined {
  const byTopic = createRouter(adapters.routes);
  const bySource = new Map<string, Adapter>();
  for (const { name, adapter } of [...webhooks.sources, ...(coap?.accounts ?? [])]) {
    const found = adapter === undefined ? undefined : adapters.find(adapter);
    if (found !== undefined) bySource.set(name, found);
  }
  return (route) => {
    const source = sourcePath.exec(route)?.[1];
    return (source === undefined ? undefined : bySource.get(source)) ?? byTopic(route);
  };
}
