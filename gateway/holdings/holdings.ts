/** Everything the gateway keeps on disk, opened in order and closed in the reverse one. */
import { join, resolve } from 'node:path';
import type { Config } from '../../config/schema.ts';
import { type Access, openAccess } from '../../dashboard/access.ts';
import { watchDirectory } from '../codecs/directory-watch.ts';
import { type ModelBook, openModelBook } from '../codecs/models/model-book.ts';
import { type CatalogueReader, openCatalogueReader } from '../ledger/catalogue.ts';
import { claimDirectory } from '../ledger/data-directory.ts';
import { openState } from '../ledger/lmdb-files.ts';
import { type LmdbLedger, openLedger } from '../ledger/lmdb-ledger.ts';
import { type LmdbLedgerReader, openLedgerReader } from '../ledger/lmdb-reader.ts';
import type { Log } from '../log.ts';
import { DeviceRegistry } from '../lorawan/device-registry.ts';
import { DownlinkBook } from '../lorawan/downlink-book.ts';
import { JoinBook } from '../lorawan/join-book.ts';
import { openKeyVault } from '../lorawan/key-vault.ts';
import type { Clock } from '../model/clock.ts';
import { type AuditLog, openAuditLog } from './audit-log.ts';
import { type CodecRoom, openCodecRoom } from './codec-room.ts';
import { counterResets } from './counter-resets.ts';
import { openDeviceBatch } from './device-batch.ts';
import { type DeviceCredentials, openDeviceCredentials } from './device-credentials.ts';
import { keyPlaceOf } from './device-key-place.ts';
import { putConfiguredDevices, putConfiguredModels } from './provision.ts';
import { openStateJournal, type StateJournal } from './state-journal.ts';

export interface Holdings {
  readonly dataDir: string;
  readonly registry: DeviceRegistry;
  readonly models: ModelBook;
  readonly joinBook: JoinBook;
  readonly downlinkBook: DownlinkBook;
  readonly ledger: LmdbLedger;
  readonly reader: LmdbLedgerReader;
  readonly catalogue: CatalogueReader;
  readonly access: Access;
  /** Sessions and retained messages of the MQTT broker. */
  readonly mqttSessions: StateJournal;
  readonly mqttBans: StateJournal;
  readonly deviceCredentials: DeviceCredentials;
  readonly audit: AuditLog;
  readonly codecs: CodecRoom;
  close(): Promise<void>;
}

/**
 * Rejects, and keeps nothing open, when another gateway holds the directory or a file is unsound.
 */
export async function openHoldings(config: Config, clock: Clock, log: Log): Promise<Holdings> {
  const dataDir = resolve(config.dataDir);
  const claim = await claimDirectory(dataDir);
  try {
    const state = openState({ directory: dataDir });
    const { path, protection } = keyPlaceOf(config, dataDir);
    const vault = openKeyVault(path, protection);
    const registry = new DeviceRegistry(state, vault, {
      openBatch: () => openDeviceBatch(dataDir),
    });
    const imported = join(dataDir, 'models');
    const models = openModelBook({ root: state, directory: imported });
    const joinBook = new JoinBook(state, vault);
    const downlinkBook = new DownlinkBook(state);
    await putConfiguredModels(models, config.models, log);
    await putConfiguredDevices(registry, config.devices);
    const { keepDays: _days, sizeBytesMax: _size, ...limits } = config.ledger;
    const resetRuleOf = counterResets(registry, config.ingest.counterReset);
    const ledger = await openLedger({ directory: dataDir, limits, clock, resetRuleOf });
    const reader = openLedgerReader({ directory: dataDir });
    const catalogue = openCatalogueReader(join(dataDir, 'catalogue'));
    const { entriesMax } = config.audit;
    const audit = openAuditLog(state, { entriesMax, now: () => clock.now(), log });
    const access = openAccess(dataDir, clock, config.http.tokens);
    // `fieldgate codecs import` writes there while the gateway runs.
    const changes = watchDirectory(imported, () => models.refresh());
    const codecs = await openCodecRoom(config, dataDir, { clock, log });
    return {
      ...{ dataDir, registry, models, joinBook, downlinkBook, ledger, reader, catalogue, access },
      mqttSessions: openStateJournal(state, 'mqtt-sessions', log),
      mqttBans: openStateJournal(state, 'mqtt-bans', log),
      deviceCredentials: openDeviceCredentials(state, () => clock.now()),
      audit,
      codecs,
      async close() {
        changes.close();
        await codecs.close();
        await ledger.close();
        await audit.flushed();
        await Promise.all([reader.close(), catalogue.close(), state.close()]);
        await claim.release();
      },
    };
  } catch (error) {
    await claim.release();
    throw error;
  }
}
