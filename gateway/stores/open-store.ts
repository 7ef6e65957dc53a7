/** Opens the store that the configuration names; everything above sees only the two seams. */
import { join } from 'node:path';
import type { OnRejected } from './admission.ts';
import { openEmbeddedStore } from './embedded/open-store.ts';
import { openInfluxStore } from './influx/open-store.ts';
import type { ReadingReader, RecordWriter } from './store.ts';

export type StoreSettings =
  | { readonly kind: 'embedded'; readonly memoryLimitMb: number; readonly threads: number }
  | {
      readonly kind: 'influx';
      readonly url: string;
      readonly database: string;
      readonly retentionPolicy?: string | undefined;
      readonly username?: string | undefined;
      readonly password?: string | undefined;
    };

export interface OpenStore {
  readonly writer: RecordWriter;
  readonly reader: ReadingReader;
  close(): Promise<void>;
}

export function openStore(
  settings: StoreSettings,
  dataDir: string,
  onRejected: OnRejected,
): Promise<OpenStore> {
  switch (settings.kind) {
    case 'embedded':
      return openEmbeddedStore({
        ...settings,
        file: join(dataDir, 'telemetry.duckdb'),
        onRejected,
      });
    case 'influx':
      return openInfluxStore({ ...given(settings), onRejected });
  }
}

/** Settings that were left out are absent, not undefined. */
function given({
  url,
  database,
  retentionPolicy,
  username,
  password,
}: Extract<StoreSettings, { kind: 'influx' }>) {
  return {
    url,
    database,
    ...(retentionPolicy === undefined ? {} : { retentionPolicy }),
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
  };
}
