/**
 * Who may ask: bearer tokens of machines, sessions of people, one-time sign-in links. Only hashes
 * are kept, in one file of mode 0600 that the command line may write while the gateway runs.
 */
import { createHash, randomBytes } from 'node:crypto';
import { readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { Clock } from '../gateway/model/clock.ts';

export type Role = 'viewer' | 'operator' | 'admin';

export interface Principal {
  readonly name: string;
  readonly role: Role;
}

export interface Access {
  byToken(token: string): Principal | undefined;
  bySession(session: string): Principal | undefined;
  /** The token is shown once: only its hash is kept. Refuses a name that is taken. */
  createToken(name: string, role: Role, lifetimeMs?: number): string | undefined;
  /** Ends its sessions, too. False when there is none of this name. */
  revokeToken(name: string): boolean;
  /** A secret for a link that signs somebody in once. */
  createLink(role: Role): string;
  /** Opens a session for a token or an unused link; the session's secret goes into a cookie. */
  signIn(secret: string): { readonly session: string; readonly maxAgeMs: number } | undefined;
  signOut(session: string): void;
  /** True until somebody has a token or has signed in: then a set-up link is due. */
  isUntouched(): boolean;
}

const sessionMs = 12 * 3_600_000;
const linkMs = 24 * 3_600_000;
/** The oldest sessions end above this number; the file is written as a whole for each sign-in. */
const sessionsMax = 2_000;

const entry = z.object({
  kind: z.enum(['token', 'session', 'link']),
  name: z.string(),
  role: z.enum(['viewer', 'operator', 'admin']),
  hash: z.string(),
  expiresAt: z.number().optional(),
});
const file = z.object({ version: z.literal(1), entries: z.array(entry) });
type Entry = z.infer<typeof entry>;

/** `configured` are the tokens written in the configuration; they are never put into the file. */
export function openAccess(
  dataDir: string,
  clock: Clock,
  configured: readonly { name: string; role: Role; token: string }[] = [],
): Access {
  const path = join(dataDir, 'access.json');
  const fromConfig = new Map(
    configured.map(({ token, name, role }) => [hashOf(token), { name, role }]),
  );
  let known: readonly Entry[] = [];
  let byHash = new Map<string, Entry>();
  let readAt = '';

  /** Reads the file again when it has changed, which the command line does. */
  function refresh(): void {
    const stat = statSync(path, { throwIfNoEntry: false });
    const stamp = stat === undefined ? '' : `${stat.mtimeMs}:${stat.size}:${stat.ino}`;
    if (stamp === readAt) return;
    readAt = stamp;
    known = stat === undefined ? [] : file.parse(JSON.parse(readFileSync(path, 'utf8'))).entries;
    byHash = new Map(known.map((one) => [one.hash, one]));
  }

  function save(entries: readonly Entry[]): void {
    const alive = withoutOldest(entries.filter(isAlive));
    const temporary = `${path}.${process.pid}.tmp`;
    const text = JSON.stringify({ version: 1, entries: alive }, null, 1);
    writeFileSync(temporary, text, { mode: 0o600, flush: true });
    renameSync(temporary, path);
    refresh();
  }

  const isAlive = (one: Entry) => one.expiresAt === undefined || one.expiresAt > clock.now();

  function find(secret: string, kind: Entry['kind']): Entry | undefined {
    refresh();
    const found = byHash.get(hashOf(secret));
    return found?.kind === kind && isAlive(found) ? found : undefined;
  }

  function add(kind: Entry['kind'], principal: Principal, lifetimeMs?: number): string {
    const secret = `${kind === 'token' ? 'fg_' : ''}${randomBytes(32).toString('base64url')}`;
    const expires = lifetimeMs === undefined ? {} : { expiresAt: clock.now() + lifetimeMs };
    save([...known, { kind, ...principal, hash: hashOf(secret), ...expires }]);
    return secret;
  }

  function byToken(token: string): Principal | undefined {
    return fromConfig.get(hashOf(token)) ?? principalOf(find(token, 'token'));
  }

  refresh();
  return {
    byToken,
    bySession: (session) => principalOf(find(session, 'session')),
    createToken(name, role, lifetimeMs) {
      refresh();
      const isTaken = known.some(
        (one) => one.kind === 'token' && one.name === name && isAlive(one),
      );
      return isTaken ? undefined : add('token', { name, role }, lifetimeMs);
    },
    revokeToken(name) {
      refresh();
      const isOf = (one: Entry) => one.kind !== 'link' && one.name === name;
      if (!known.some((one) => one.kind === 'token' && isOf(one))) return false;
      save(known.filter((one) => !isOf(one)));
      return true;
    },
    createLink(role) {
      refresh();
      return add('link', { name: 'set-up link', role }, linkMs);
    },
    signIn(secret) {
      const link = find(secret, 'link');
      const principal = principalOf(link) ?? byToken(secret);
      if (principal === undefined) return undefined;
      if (link !== undefined) known = known.filter((one) => one !== link);
      return { session: add('session', principal, sessionMs), maxAgeMs: sessionMs };
    },
    signOut(session) {
      const found = find(session, 'session');
      if (found !== undefined) save(known.filter((one) => one !== found));
    },
    isUntouched() {
      refresh();
      return !known.some((one) => one.kind !== 'link' && isAlive(one));
    },
  };
}

/** However many people sign in, no token is lost to them. */
function withoutOldest(entries: readonly Entry[]): readonly Entry[] {
  const surplus = entries.filter(({ kind }) => kind === 'session').slice(0, -sessionsMax);
  if (surplus.length === 0) return entries;
  const gone = new Set(surplus);
  return entries.filter((one) => !gone.has(one));
}

/**
 * Secrets are long and random, so a plain hash is enough, and looking it up tells nothing by its
 * time.
 */
function hashOf(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}

function principalOf(found: Entry | undefined): Principal | undefined {
  return found === undefined ? undefined : { name: found.name, role: found.role };
}

const ranks: Readonly<Record<Role, number>> = { viewer: 0, operator: 1, admin: 2 };

export function mayAct(principal: Principal, needed: Role): boolean {
  return ranks[principal.role] >= ranks[needed];
}
