/**
 * Clients that connect over and over: two devices with one client id that throw each other out, or
 * one that breaks off at once. They are banned for a while, before they take a session over.
 */
import { createAttemptLimit } from './attempt-limit.ts';
import type { Ban, BanBook } from './bans.ts';
import type { OnLimit } from './limit-count.ts';
import type { MqttLimits } from './options.ts';

export interface FlappingWatch {
  /**
   * Counts one connect after its login; true when the client is banned by it. An empty client id,
   * which tools have that connect for one message, is not counted: it takes nobody's place.
   */
  noteConnect(clientId: string, credential: string): boolean;
}

export interface FlappingOptions {
  readonly limits: Pick<MqttLimits, 'connectsPerMinuteMax' | 'flappingBanSeconds'>;
  readonly bans: BanBook;
  readonly now: () => number;
  readonly monotonicMs: () => number;
  readonly onBan: (ban: Ban) => void;
  readonly onLimit: OnLimit;
}

const windowMs = 60_000;
const clientsMax = 100_000;

export function createFlappingWatch(options: FlappingOptions): FlappingWatch {
  const { limits, bans, now, monotonicMs, onBan, onLimit } = options;
  const connects = createAttemptLimit({
    attemptsMax: limits.connectsPerMinuteMax,
    ...{ windowMs, shutMs: windowMs, keysMax: clientsMax, monotonicMs },
  });
  return {
    noteConnect: (clientId, credential) => {
      const key = `${credential}\0${clientId}`;
      if (clientId === '' || !connects.record(key)) return false;
      onLimit('connectsPerMinuteMax');
      const ban = bans.add({
        ...{ kind: 'clientId', value: clientId, credential, by: 'gateway' },
        until: now() + limits.flappingBanSeconds * 1_000,
        reason: `more than ${limits.connectsPerMinuteMax} connects in a minute`,
      });
      if (ban === undefined) onLimit('bansMax');
      else onBan(ban);
      return true;
    },
  };
}
