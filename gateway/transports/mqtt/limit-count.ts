/** How often each limit of the broker has kept something out or held something back. */
import type { MqttLimits } from './options.ts';

export type MqttLimitName = keyof MqttLimits;

export type OnLimit = (limit: MqttLimitName) => void;

export interface LimitCount {
  readonly hit: OnLimit;
  /** Only those that were reached. */
  counts(): ReadonlyMap<MqttLimitName, number>;
}

export function createLimitCount(): LimitCount {
  const counts = new Map<MqttLimitName, number>();
  return {
    hit: (limit) => {
      counts.set(limit, (counts.get(limit) ?? 0) + 1);
    },
    counts: () => counts,
  };
}
