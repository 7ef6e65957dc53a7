/** The subscriptions of one client with the QoS each was granted. */
import type { CompiledFilter } from '../topic-filter.ts';
import { compileFilter, matchesTopic } from '../topic-filter.ts';

export interface GrantedFilters {
  grant(filter: string, qos: number): void;
  revoke(filter: string): void;
  has(filter: string): boolean;
  /** Undefined when it is not granted. */
  qosOf(filter: string): number | undefined;
  size(): number;
  clear(): void;
  /** The highest QoS of all filters that match [MQTT-3.3.5-1]; 0 when none does. */
  highestQos(topic: string): number;
  list(): readonly { readonly topic: string; readonly qos: number }[];
}

export function createGrantedFilters(): GrantedFilters {
  const granted = new Map<string, { readonly compiled: CompiledFilter; readonly qos: number }>();
  return {
    grant: (filter, qos) => {
      granted.set(filter, { compiled: compileFilter(filter), qos });
    },
    revoke: (filter) => {
      granted.delete(filter);
    },
    has: (filter) => granted.has(filter),
    qosOf: (filter) => granted.get(filter)?.qos,
    size: () => granted.size,
    clear: () => granted.clear(),
    highestQos: (topic) => {
      let highest = 0;
      for (const { compiled, qos } of granted.values()) {
        if (qos > highest && matchesTopic(compiled, topic)) highest = qos;
      }
      return highest;
    },
    list: () => [...granted].map(([topic, { qos }]) => ({ topic, qos })),
  };
}
