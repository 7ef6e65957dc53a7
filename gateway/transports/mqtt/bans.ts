/**
 * Who may not connect for a while: by client id, credential or address, each until a time. Bans
 * survive a restart; those that have run out are forgotten.
 */
import { randomUUID } from 'node:crypto';
import { type MqttSessionStore, noSessionStore } from './sessions/session-store.ts';

export const banKinds = ['clientId', 'credential', 'address'] as const;
export type BanKind = (typeof banKinds)[number];

export interface Ban {
  readonly id: string;
  readonly kind: BanKind;
  readonly value: string;
  /** A client id is banned only for this credential, so that nobody can lock out somebody else. */
  readonly credential?: string;
  /** Epoch milliseconds. */
  readonly since: number;
  readonly until: number;
  readonly reason: string;
  /** The operator's name; `gateway` for a ban of its own. */
  readonly by: string;
}

export type BanInput = Omit<Ban, 'id' | 'since'>;

/** As far as it is known; an address is known before anything else. */
export interface BanSubject {
  readonly clientId?: string | undefined;
  readonly credential?: string | undefined;
  readonly address?: string | undefined;
}

export interface BanBook {
  /** Undefined when there are as many as there may be. A second ban of one value replaces it. */
  add(input: BanInput): Ban | undefined;
  /** The ban that was lifted. */
  lift(id: string): Ban | undefined;
  find(subject: BanSubject): Ban | undefined;
  /** The newest first. */
  list(): readonly Ban[];
  /** Those of this process, lifted or not: by the gateway for flapping, or by operators. */
  made(): { readonly flapping: number; readonly operator: number };
  /** Resolves when every change so far is on disk. */
  flushed(): Promise<void>;
}

export interface BanBookOptions {
  readonly store?: MqttSessionStore;
  readonly bansMax: number;
  readonly now: () => number;
}

const ownName = 'gateway';
const prefix = 'ban:';

export function createBanBook({ store = noSessionStore, bansMax, now }: BanBookOptions): BanBook {
  const byPlace = new Map<string, Ban>();
  const made = { flapping: 0, operator: 0 };

  function forget(ban: Ban): void {
    byPlace.delete(placeOf(ban));
    store.remove(`${prefix}${ban.id}`);
  }

  function forgetOver(): void {
    for (const ban of byPlace.values()) if (ban.until <= now()) forget(ban);
  }

  /** An operator's ban goes before one that runs out by itself. */
  function makeRoom(): boolean {
    if (byPlace.size < bansMax) return true;
    forgetOver();
    if (byPlace.size < bansMax) return true;
    const oldest = [...byPlace.values()].find(({ by }) => by === ownName);
    if (oldest !== undefined) forget(oldest);
    return oldest !== undefined;
  }

  function at(place: Pick<Ban, 'kind' | 'value'>, credential: string | undefined): Ban | undefined {
    if (byPlace.size === 0) return undefined;
    const ban = byPlace.get(placeOf(place)) ?? byPlace.get(placeOf({ ...place, credential }));
    if (ban === undefined || ban.until > now()) return ban;
    forget(ban);
    return undefined;
  }

  for (const { key, value } of store.entries(prefix)) {
    const ban = parseBan(value);
    if (ban === undefined || ban.until <= now()) store.remove(key);
    else byPlace.set(placeOf(ban), ban);
  }
  return {
    add: (input) => {
      const before = byPlace.get(placeOf(input));
      if (before !== undefined) forget(before);
      if (!makeRoom()) return undefined;
      const ban: Ban = { ...input, id: randomUUID(), since: now() };
      byPlace.set(placeOf(ban), ban);
      made[ban.by === ownName ? 'flapping' : 'operator'] += 1;
      store.put(`${prefix}${ban.id}`, Buffer.from(JSON.stringify(ban)));
      return ban;
    },
    lift: (id) => {
      const ban = [...byPlace.values()].find((one) => one.id === id);
      if (ban !== undefined) forget(ban);
      return ban;
    },
    find: ({ clientId, credential, address }) =>
      (address === undefined ? undefined : at({ kind: 'address', value: address }, undefined)) ??
      (credential === undefined
        ? undefined
        : at({ kind: 'credential', value: credential }, undefined)) ??
      (clientId === undefined ? undefined : at({ kind: 'clientId', value: clientId }, credential)),
    list: () => {
      forgetOver();
      return [...byPlace.values()].sort((left, right) => right.since - left.since);
    },
    made: () => ({ ...made }),
    flushed: () => store.flushed(),
  };
}

/** U+0000 parts them: no client id, user name or address can have it. */
function placeOf({
  kind,
  value,
  credential = '',
}: Pick<Ban, 'kind' | 'value'> & {
  readonly credential?: string | undefined;
}): string {
  return [kind, value, credential].join('\0');
}

/** Undefined for what this program did not write. */
function parseBan(value: Buffer): Ban | undefined {
  try {
    const parsed: unknown = JSON.parse(value.toString('utf8'));
    return isBan(parsed) ? parsed : undefined;
  } catch {
    return undefined;
  }
}

function isBan(value: unknown): value is Ban {
  if (typeof value !== 'object' || value === null) return false;
  const fields = new Map<string, unknown>(Object.entries(value));
  const isText = (name: string) => typeof fields.get(name) === 'string';
  const isNumber = (name: string) => typeof fields.get(name) === 'number';
  const texts = ['id', 'value', 'reason', 'by'];
  const isKnown = banKinds.some((kind) => kind === fields.get('kind'));
  return isKnown && texts.every(isText) && ['since', 'until'].every(isNumber);
}
