/** The state in a data directory, opened by a command beside the gateway or instead of it. */
import { resolve } from 'node:path';
import type { RootDatabase } from 'lmdb';
import type { Config } from '../../config/schema.ts';
import { openAuditLog } from '../holdings/audit-log.ts';
import { type DeviceCredentials, openDeviceCredentials } from '../holdings/device-credentials.ts';
import { makeDataDirectory } from '../ledger/data-directory.ts';
import { openState } from '../ledger/lmdb-files.ts';
import { systemClock } from '../model/clock.ts';

export interface StateParts {
  readonly state: RootDatabase<unknown, string>;
  readonly dataDir: string;
  readonly credentials: DeviceCredentials;
  note(detail: string, credential?: string): void;
}

/** Closed when `work` has ended, however it does; what is noted is on disk then. */
export async function withState(
  config: Config,
  work: (parts: StateParts) => Promise<void>,
): Promise<void> {
  const dataDir = resolve(config.dataDir);
  makeDataDirectory(dataDir);
  const state = openState({ directory: dataDir });
  const now = () => systemClock.now();
  const { entriesMax } = config.audit;
  const log = { error: (fields: object) => process.stderr.write(`${JSON.stringify(fields)}\n`) };
  const audit = openAuditLog(state, { entriesMax, now, log });
  const note = (detail: string, credential?: string) =>
    audit.append({ event: 'credential', by: 'command line', credential, detail });
  try {
    await work({ state, dataDir, credentials: openDeviceCredentials(state, now), note });
  } finally {
    await audit.flushed();
    await state.close();
  }
}
