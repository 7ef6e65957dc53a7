/**
 * Where sessions and retained messages outlive the process: records by key, written in groups. The
 * broker works in memory and reads this once, at its start.
 */

export interface MqttSessionStore {
  /** Every record whose key begins with the prefix, in the order of the keys. */
  entries(prefix: string): Iterable<{ readonly key: string; readonly value: Buffer }>;
  /** Queues a write and returns at once; the last one of a key wins. */
  put(key: string, value: Buffer): void;
  remove(key: string): void;
  /**
   * Resolves when everything queued so far is on disk. Rejects when the disk refuses: the writes
   * stay queued and are tried again.
   */
  flushed(): Promise<void>;
}

/** For a broker whose sessions end with the process. */
export const noSessionStore: MqttSessionStore = {
  entries: () => [],
  put: () => undefined,
  remove: () => undefined,
  flushed: () => Promise.resolve(),
};
