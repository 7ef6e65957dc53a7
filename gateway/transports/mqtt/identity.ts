/**
 * Who an MQTT client is: a user name with a password or a token, a client certificate, or nobody. A
 * wrong password and an unknown user get the same answer after the same work, so neither tells
 * users.
 */
import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { defaultCost, hashPassword, parsePasswordHash, verifyPassword } from '../password.ts';
import type { AccountProfile } from './accounts.ts';
import { createAttemptLimit } from './attempt-limit.ts';
import { createDeviceLogins, type DeviceLoginOptions } from './device-login.ts';
import type { OnLimit } from './limit-count.ts';
import {
  badUserNameOrPassword,
  type KnownLogin,
  known,
  type LoginResult,
  notAuthorized,
  refused,
  serverUnavailable,
} from './login.ts';
import type { MqttAccount, MqttAccountRules, MqttLimits } from './options.ts';

export interface LoginRequest {
  readonly username: string | undefined;
  readonly password: Buffer | undefined;
  readonly address: string;
  /** Common name and alternative names of a client certificate that a trusted authority signed. */
  readonly certificateNames: readonly string[];
}

const verifiedMax = 100_000;
const checksAtOnce = 2;
const attemptKeysMax = 10_000;
const attemptWindowMs = 60_000;
const attemptShutMs = 300_000;
/** Many devices may share one address behind an operator's NAT, so an address has more tries. */
const addressFactor = 10;

/** What clients without a user name may do when the configuration just lets them in. */
const everything: AccountProfile = { publish: ['#'], subscribe: ['#'], retain: ['#'] };

export interface MqttIdentity {
  login(request: LoginRequest): Promise<LoginResult>;
  /** For logins from now on. Throws, and keeps the rules there were, when a key is unsound. */
  setRules(rules: MqttAccountRules): void;
  /** What an earlier login comes to by the rules of now, or why it counts no more. */
  review(login: KnownLogin, certificateNames: readonly string[]): KnownLogin | string;
  /** False once the account is gone, or the secret that a connection was made with. */
  isStillKnown(username: string, device: NonNullable<KnownLogin['device']>): boolean;
}

export interface MqttIdentityOptions extends Omit<DeviceLoginOptions, 'isConfigured'> {
  readonly rules: MqttAccountRules;
  readonly limits: Pick<MqttLimits, 'authFailuresPerMinuteMax' | 'passwordChecksMax'>;
  readonly monotonicMs: () => number;
  readonly onLimit?: OnLimit;
}

export async function createMqttIdentity(options: MqttIdentityOptions): Promise<MqttIdentity> {
  const isConfigured = (username: string) => accounts.has(username);
  let accounts = accountsOf(options.rules);
  let anonymous = anonymousAccount(options.rules);
  let decoy = createDecoy(options.rules);
  await decoy;
  const devices = createDeviceLogins({ ...options, isConfigured });
  const checkPassword = createPasswordCheck(options.limits.passwordChecksMax);
  const { onLimit = () => {} } = options;
  const pairLimit = createLimit(options, 1);
  const addressLimit = createLimit(options, addressFactor);

  function recordFailure(pair: string, address: string): void {
    pairLimit.record(pair);
    addressLimit.record(address);
  }

  return {
    isStillKnown: devices.isStillKnown,
    setRules: (rules) => {
      devices.setRules(rules);
      accounts = accountsOf(rules);
      anonymous = anonymousAccount(rules);
      decoy = createDecoy(rules);
    },
    review: (login, certificateNames) => {
      const { account, shown, device, signedBy } = login;
      if (device !== undefined || signedBy !== undefined) return devices.review(login);
      if (shown !== undefined) {
        return reviewConfigured(login, { today: accounts.get(account.username), certificateNames });
      }
      return anonymous === undefined
        ? 'nobody comes in without a user name any more'
        : known(anonymous, 'credential');
    },
    login: async (request) => {
      const { username, password, address, certificateNames } = request;
      const byCertificate = findByCertificate(
        (name) => accounts.get(name) ?? devices.find(name),
        certificateNames,
        username,
      );
      if (byCertificate !== undefined && password === undefined) {
        const login = known(byCertificate, 'tls-client');
        const isOwn = accounts.has(byCertificate.username);
        return isOwn ? { ...login, shown: 'certificate' } : { ...login, device: {} };
      }
      if (username === undefined) {
        return anonymous === undefined
          ? refused(notAuthorized, 'no user name')
          : known(anonymous, 'credential');
      }
      const pair = `${address}\n${username}`;
      if (pairLimit.isShut(pair) || addressLimit.isShut(address)) {
        onLimit('authFailuresPerMinuteMax');
        return refused(badUserNameOrPassword, 'too many failed attempts');
      }
      const login = devices.login(username, password, byCertificate);
      if (login?.kind === 'refused') recordFailure(pair, address);
      if (login !== undefined) return login;
      const account = accounts.get(username);
      const outcome = await checkPassword(account, password ?? Buffer.alloc(0), await decoy);
      if (outcome === 'busy') {
        onLimit('passwordChecksMax');
        return refused(serverUnavailable, 'too many logins at once');
      }
      // The configuration may have been read again while the password was checked.
      const today = accounts.get(username);
      const isRight = outcome === 'right' && account !== undefined && today !== undefined;
      if (isRight && isSameSecret(account, today)) {
        return knownByPassword(today, certificateNames);
      }
      recordFailure(pair, address);
      return refused(badUserNameOrPassword, 'wrong user name or password');
    },
  };
}

/** The account of those who connect without a user name, where that is allowed. */
export const anonymousName = 'anonymous';

function anonymousAccount({
  anonymous: allowed = false,
}: MqttAccountRules): MqttAccount | undefined {
  if (allowed === false) return undefined;
  const profile = allowed === true ? everything : allowed;
  return { ...profile, username: anonymousName, vouches: 'credential' };
}

function accountsOf({ clients }: MqttAccountRules): ReadonlyMap<string, MqttAccount> {
  return new Map(clients.map((account) => [account.username, account]));
}

function knownByPassword(account: MqttAccount, certificateNames: readonly string[]): KnownLogin {
  const isNamed = isNamedBy(certificateNames, account);
  return { ...known(account, isNamed ? 'tls-client' : 'credential'), shown: 'password' };
}

/** Of a hash nobody can tell whether it is of the same password, so that any other text counts. */
function isSameSecret(one: MqttAccount, other: MqttAccount): boolean {
  return one.password === other.password && one.passwordHash === other.passwordHash;
}

function reviewConfigured(
  { account, shown }: KnownLogin,
  {
    today,
    certificateNames,
  }: { readonly today: MqttAccount | undefined; readonly certificateNames: readonly string[] },
): KnownLogin | string {
  if (today === undefined) return 'account is gone from the configuration';
  if (shown === 'certificate') {
    const isNamed = isNamedBy(certificateNames, today);
    if (!isNamed) return 'certificate is not for this account any more';
    return { ...known(today, 'tls-client'), shown };
  }
  return isSameSecret(account, today)
    ? knownByPassword(today, certificateNames)
    : 'password of the account has changed';
}

function createLimit({ limits, monotonicMs }: MqttIdentityOptions, factor: number) {
  return createAttemptLimit({
    attemptsMax: limits.authFailuresPerMinuteMax * factor,
    windowMs: attemptWindowMs,
    shutMs: attemptShutMs,
    keysMax: attemptKeysMax,
    monotonicMs,
  });
}

/**
 * The account that a certificate names, by user name or device; a user name given must be its own.
 */
function findByCertificate(
  find: (username: string) => MqttAccount | undefined,
  names: readonly string[],
  username: string | undefined,
): MqttAccount | undefined {
  if (names.length === 0) return undefined;
  if (username === undefined) {
    return names.map(find).find((account) => account !== undefined);
  }
  const account = find(username);
  if (account === undefined) return undefined;
  return isNamedBy(names, account) ? account : undefined;
}

function isNamedBy(names: readonly string[], { username, deviceId }: MqttAccount): boolean {
  return names.some((name) => name === username || name === deviceId);
}

/** A hash that no password fits, as costly as those in use, for users that do not exist. */
async function createDecoy({ clients }: MqttAccountRules): Promise<string> {
  const first = clients.find((account) => account.passwordHash !== undefined)?.passwordHash;
  const cost = first === undefined ? undefined : parsePasswordHash(first)?.cost;
  return hashPassword(randomBytes(32).toString('base64url'), cost ?? defaultCost);
}

type CheckOutcome = 'right' | 'wrong' | 'busy';

/**
 * Every failure has cost exactly one scrypt. A success is remembered as a keyed hash of the
 * password and of what it was checked against, so that a storm of reconnecting devices costs no
 * scrypt again.
 */
function createPasswordCheck(waitingMax: number) {
  const key = randomBytes(32);
  const verified = new Map<string, Buffer>();
  const slots = createSlots(checksAtOnce, waitingMax);

  return async (
    account: MqttAccount | undefined,
    password: Buffer,
    decoy: string,
  ): Promise<CheckOutcome> => {
    if (account?.password !== undefined && isSameText(password, account.password)) return 'right';
    const encoded = account?.passwordHash;
    const proof = createHmac('sha256', key).update(`${encoded}\n`).update(password).digest();
    if (account !== undefined && encoded !== undefined) {
      const remembered = verified.get(account.username);
      if (remembered !== undefined && timingSafeEqual(remembered, proof)) return 'right';
    }
    const isRight = await slots(() => verifyPassword(password, encoded ?? decoy));
    if (isRight === undefined) return 'busy';
    if (!isRight || account === undefined || encoded === undefined) return 'wrong';
    const hasRoom = verified.size < verifiedMax || verified.has(account.username);
    if (hasRoom) verified.set(account.username, proof);
    return 'right';
  };
}

function isSameText(given: Buffer, expected: string): boolean {
  const digest = (bytes: Buffer | string) => createHash('sha256').update(bytes).digest();
  return timingSafeEqual(digest(given), digest(expected));
}

/** Runs at most `atOnce` tasks; undefined when `waitingMax` others wait already. */
function createSlots(atOnce: number, waitingMax: number) {
  const waiting: (() => void)[] = [];
  let running = 0;
  return async (task: () => Promise<boolean>): Promise<boolean | undefined> => {
    if (running >= atOnce) {
      if (waiting.length >= waitingMax) return undefined;
      await new Promise<void>((resolve) => waiting.push(resolve));
    } else {
      running += 1;
    }
    try {
      return await task();
    } finally {
      // The slot goes straight to the next in line, so nobody can slip in between.
      const next = waiting.shift();
      if (next === undefined) running -= 1;
      else next();
    }
  };
}
