/**
 * The MQTT credentials of single devices: user name and device id are one, the secret is drawn
 * here, shown once and kept as a hash. Command line and gateway have the same database open at
 * once; each login reads what is there now.
 */
import { randomUUID } from 'node:crypto';
import type { RootDatabase } from 'lmdb';
import type {
  DeviceAccount,
  DeviceAccountBook,
  DeviceSecret,
} from '../transports/mqtt/accounts.ts';
import { drawSecret, hashSecret } from '../transports/password.ts';

export interface NewCredential {
  readonly deviceId: string;
  readonly agency?: string | undefined;
  readonly application?: string | undefined;
}

/** Shown once: nobody can ask for it again. */
export interface DrawnSecret extends NewCredential {
  readonly secret: string;
}

export interface DeviceCredentials extends DeviceAccountBook {
  /** Replaces what a device had. On disk when it resolves. */
  create(drawn: readonly DrawnSecret[]): Promise<void>;
  /**
   * The old secrets stay valid until the time given. False when the device has no credential.
   */
  rotate(drawn: DrawnSecret, overlap: { readonly until: number }): Promise<boolean>;
  /** Takes all secrets away, and the connections made with them. False when there were none. */
  revoke(deviceId: string): Promise<boolean>;
  /** In the order of their ids, from behind this one on. */
  list(after?: string): Iterable<DeviceAccount>;
}

interface StoredAccount extends DeviceAccount {
  readonly version: 1;
}

/** The one that is new and the one that it takes the place of. */
const secretsMax = 2;
const groupSize = 1_000;
const generationKey = 'generation';

/** The caller opens and closes `root`. */
export function openDeviceCredentials(
  root: RootDatabase<unknown, string>,
  now: () => number,
): DeviceCredentials {
  const rows = root.openDB<StoredAccount, string>({ name: 'mqtt-credentials', encoding: 'json' });
  const notes = root.openDB<number, string>({ name: 'mqtt-credential-notes', encoding: 'json' });

  /** Only inside a write transaction. */
  function countChange(): void {
    notes.putSync(generationKey, (notes.get(generationKey) ?? 0) + 1);
  }

  return {
    find: (username) => rows.get(username),
    generation: () => notes.get(generationKey) ?? 0,
    create: async (drawn) => {
      for (let at = 0; at < drawn.length; at += groupSize) {
        const accounts = drawn.slice(at, at + groupSize).map(accountOf);
        await rows.transaction(() => {
          for (const account of accounts) rows.putSync(account.username, account);
          countChange();
        });
      }
    },
    rotate: ({ deviceId, secret }, { until }) => {
      const fresh = secretOf(secret);
      return rows.transaction(() => {
        const account = rows.get(deviceId);
        if (account === undefined) return false;
        const old = account.secrets
          .filter(({ validUntil }) => validUntil === undefined || validUntil > now())
          .map((each) => ({ ...each, validUntil: Math.min(each.validUntil ?? until, until) }))
          .filter(({ validUntil }) => validUntil > now());
        rows.putSync(deviceId, { ...account, secrets: [fresh, ...old].slice(0, secretsMax) });
        countChange();
        return true;
      });
    },
    revoke: (deviceId) =>
      rows.transaction(() => {
        countChange();
        return rows.removeSync(deviceId);
      }),
    *list(after) {
      const range = after === undefined ? {} : { start: after, exclusiveStart: true };
      for (const { value } of rows.getRange(range)) yield value;
    },
  };
}

export function drawSecrets(devices: readonly NewCredential[]): readonly DrawnSecret[] {
  return devices.map((device) => ({ ...device, secret: drawSecret() }));
}

function accountOf({ deviceId, agency, application, secret }: DrawnSecret): StoredAccount {
  return {
    ...{ version: 1, username: deviceId, deviceId },
    ...(agency === undefined ? {} : { agency }),
    ...(application === undefined ? {} : { application }),
    secrets: [secretOf(secret)],
  };
}

function secretOf(secret: string): DeviceSecret {
  return { id: randomUUID(), hash: hashSecret(secret) };
}
