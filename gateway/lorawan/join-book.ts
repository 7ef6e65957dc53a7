/**
 * What is remembered of each device's joins: nonces that were used, the last request, and the
 * sessions that came of them, their keys sealed. In LMDB across restarts; in memory only who has a
 * session under which DevAddr.
 */
import assert from 'node:assert/strict';
import type { Database, RootDatabase } from 'lmdb';
import type { Session, SessionKeys } from '../model/device.ts';
import type { UsedNonces } from './dev-nonce.ts';
import type { JoinNonces } from './join-nonce.ts';
import type { KeyVault } from './key-vault.ts';
import { UnwrittenWrites } from './unwritten-writes.ts';

/** Accepts that no frame has confirmed yet, and the session in use: more of a device are noise. */
export const sessionsPerDeviceMax = 4;

export const keyNames = ['appSKey', 'fNwkSIntKey', 'sNwkSIntKey', 'nwkSEncKey'] as const;

/** A request that was heard and proven. */
export interface HeardRequest {
  /** 255 for a join-request, else the rejoin type. */
  readonly joinReqType: number;
  readonly joinEui: string;
  /** RJCount of a rejoin-request. */
  readonly devNonce: number;
  /** 8 hex digits. */
  readonly mic: string;
  /** Epoch milliseconds on the gateway's clock. */
  readonly heardAt: number;
  /** Epoch milliseconds by the network's clock. */
  readonly rxTime?: number;
}

export interface StoredSession {
  /** JoinNonce and DevNonce in hex: no two joins under one root key share both. */
  readonly id: string;
  readonly devAddr: string;
  readonly macVersion: '1.0' | '1.1';
  readonly joinNonce: number;
  /** Epoch milliseconds. */
  readonly joinedAt: number;
  /** A frame has proven that the device has it. */
  readonly isUsed: boolean;
  /** Base64 by key name. */
  readonly sealedKeys: Readonly<Record<string, string>>;
}

/** The stored form; version 1. */
export interface JoinRow {
  readonly version: 1;
  /** Tells whether the root key is still the one that all of this belongs to. */
  readonly rootCheck: string;
  readonly nonces: UsedNonces;
  /** Of the accepts; absent in rows of earlier versions. */
  readonly joinNonces?: JoinNonces;
  /** The highest counts, by rejoin type. */
  readonly rejoinCounts: Readonly<Record<string, number>>;
  readonly lastRequest?: HeardRequest;
  /** The oldest first. */
  readonly sessions: readonly StoredSession[];
  /** Of the registered session that a joined one has taken the place of. */
  readonly retired?: string;
}

export interface NewSession {
  readonly devAddr: string;
  readonly macVersion: '1.0' | '1.1';
  readonly joinNonce: number;
  readonly devNonce: number;
  readonly joinedAt: number;
  readonly keys: SessionKeys;
}

interface Entry {
  readonly deviceIds: readonly string[];
  /** Opened when a frame asks for them. */
  sessions: readonly Session[] | undefined;
}

const none: readonly Session[] = [];

export class JoinBook {
  readonly #rows: Database<JoinRow, string>;
  readonly #vault: KeyVault;
  /** Rows on their way to the disk: LMDB does not show them before. */
  readonly #unsaved = new Map<string, JoinRow>();
  readonly #byDevAddr = new Map<string, Entry>();
  readonly #unused = new Set<string>();
  readonly #retired = new Map<string, string>();
  readonly #writes = new UnwrittenWrites();

  /** The caller opens and closes `root`; the book keeps its rows in the database `joins`. */
  constructor(root: RootDatabase, vault: KeyVault) {
    this.#rows = root.openDB<JoinRow, string>({ name: 'joins', encoding: 'json' });
    this.#vault = vault;
    for (const { key, value } of this.#rows.getRange()) {
      assert(value.version === 1, `join row ${key} is of version 1`);
      this.#remember(key, value);
    }
  }

  row(deviceId: string): JoinRow | undefined {
    return this.#unsaved.get(deviceId) ?? this.#rows.get(deviceId);
  }

  *rows(): Generator<readonly [deviceId: string, row: JoinRow]> {
    for (const { key, value } of this.#rows.getRange()) yield [key, value];
  }

  put(deviceId: string, row: JoinRow): void {
    this.#forget(deviceId);
    this.#remember(deviceId, row);
    this.#unsaved.set(deviceId, row);
    this.#writes.add(
      this.#rows.put(deviceId, row).then(() => {
        if (this.#unsaved.get(deviceId) === row) this.#unsaved.delete(deviceId);
      }),
    );
  }

  /** For a device that was deleted. */
  remove(deviceId: string): void {
    if (this.row(deviceId) === undefined) return;
    this.#forget(deviceId);
    this.#unsaved.delete(deviceId);
    this.#writes.add(this.#rows.remove(deviceId));
  }

  /**
   * Resolves when all that was put is on disk; undefined when it is already. Rejects when the disk
   * fails: then what rests on it may not be acknowledged.
   */
  unwritten(): Promise<unknown> | undefined {
    return this.#writes.pending();
  }

  withSession(deviceId: string, row: JoinRow, session: NewSession): JoinRow {
    const id = sessionId(session);
    const sealedKeys = Object.fromEntries(
      keyNames.map((name) => [name, this.#seal(deviceId, id, name, session.keys[name])]),
    );
    const { devAddr, macVersion, joinNonce, joinedAt } = session;
    const stored = { id, devAddr, macVersion, joinNonce, joinedAt, isUsed: false, sealedKeys };
    const kept = row.sessions.filter((one) => one.id !== id);
    const used = kept.filter(({ isUsed }) => isUsed);
    const unused = kept.filter(({ isUsed }) => !isUsed);
    const room = sessionsPerDeviceMax - used.length - 1;
    return { ...row, sessions: [...used, ...unused.slice(-room), stored] };
  }

  sessionsOf(devAddr: string): readonly Session[] {
    const entry = this.#byDevAddr.get(devAddr);
    if (entry === undefined) return none;
    entry.sessions ??= entry.deviceIds.flatMap((deviceId) => this.#open(deviceId, devAddr));
    return entry.sessions;
  }

  /** The newest session that a frame has proven; undefined when there is none. */
  sessionInUse(deviceId: string): Session | 'unreadable' | undefined {
    const stored = this.row(deviceId)?.sessions.findLast(({ isUsed }) => isUsed);
    return stored && (this.#openOne(deviceId, stored) ?? 'unreadable');
  }

  isUnused(deviceId: string, session: string): boolean {
    return this.#unused.size > 0 && this.#unused.has(`${deviceId}/${session}`);
  }

  /** The check of the registered session that is out of use, if there is one. */
  retiredOf(deviceId: string): string | undefined {
    return this.#retired.get(deviceId);
  }

  #open(deviceId: string, devAddr: string): Session[] {
    const sessions = this.row(deviceId)?.sessions ?? [];
    return sessions
      .filter((stored) => stored.devAddr === devAddr)
      .flatMap((stored) => this.#openOne(deviceId, stored) ?? []);
  }

  #openOne(deviceId: string, { id, devAddr, macVersion, sealedKeys }: StoredSession) {
    const open = (name: (typeof keyNames)[number]) => {
      const sealed = Buffer.from(sealedKeys[name] ?? '', 'base64');
      return this.#vault.open({ deviceId, keyName: slotName(id, name) }, sealed);
    };
    const [appSKey, fNwkSIntKey, sNwkSIntKey, nwkSEncKey] = keyNames.map(open);
    if (appSKey === undefined || fNwkSIntKey === undefined) return undefined;
    if (sNwkSIntKey === undefined || nwkSEncKey === undefined) return undefined;
    const keys = { appSKey, fNwkSIntKey, sNwkSIntKey, nwkSEncKey };
    return { id, deviceId, devAddr, macVersion, keys };
  }

  #seal(deviceId: string, id: string, name: string, key: Buffer): string {
    return this.#vault.seal({ deviceId, keyName: slotName(id, name) }, key).toString('base64');
  }

  #remember(deviceId: string, { sessions, retired }: JoinRow): void {
    if (retired !== undefined) this.#retired.set(deviceId, retired);
    for (const { id, devAddr, isUsed } of sessions) {
      if (!isUsed) this.#unused.add(`${deviceId}/${id}`);
      const deviceIds = this.#byDevAddr.get(devAddr)?.deviceIds ?? [];
      const all = deviceIds.includes(deviceId) ? deviceIds : [...deviceIds, deviceId];
      this.#byDevAddr.set(devAddr, { deviceIds: all, sessions: undefined });
    }
  }

  #forget(deviceId: string): void {
    this.#retired.delete(deviceId);
    for (const { id, devAddr } of this.row(deviceId)?.sessions ?? []) {
      this.#unused.delete(`${deviceId}/${id}`);
      const left = this.#byDevAddr.get(devAddr)?.deviceIds.filter((one) => one !== deviceId) ?? [];
      if (left.length === 0) this.#byDevAddr.delete(devAddr);
      else this.#byDevAddr.set(devAddr, { deviceIds: left, sessions: undefined });
    }
  }
}

export function sessionId({
  joinNonce,
  devNonce,
}: Pick<NewSession, 'joinNonce' | 'devNonce'>): string {
  const hex = (value: number, digits: number) => value.toString(16).padStart(digits, '0');
  return hex(joinNonce, 6) + hex(devNonce, 4);
}

function slotName(session: string, key: string): string {
  return `joined/${session}/${key}`;
}
