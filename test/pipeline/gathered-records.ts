/** A bundle that shows what it was given, for a loop without a store. */
import type { Reading } from '../../gateway/model/reading.ts';
import type { RecordBundle } from '../../gateway/stores/store.ts';

export interface GatheredRecords extends RecordBundle {
  readonly taken: readonly Reading[];
}

export function gatherRecords(): GatheredRecords {
  const taken: Reading[] = [];
  return {
    taken,
    get readings() {
      return taken.length;
    },
    add: ({ readings }) => taken.push(...readings),
    write: async () => {},
  };
}
