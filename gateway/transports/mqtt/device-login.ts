/**
 * Logins of single devices that the configuration does not list: by a secret that provisioning has
 * drawn, or by a token of an issuer that the configuration trusts.
 */

import { verifySecret } from '../password.ts';
import {
  type AccountProfile,
  type DeviceAccount,
  type DeviceAccountBook,
  noDeviceAccounts,
  noProfile,
} from './accounts.ts';
import type { LoginResult } from './login.ts';
import { badUserNameOrPassword, type KnownLogin, known, refused } from './login.ts';
import type { MqttAccount, MqttAccountRules } from './options.ts';
import { createTokenCheck, isTokenShaped, marksOf, type TokenCheck } from './token.ts';

export type DeviceRules = Pick<MqttAccountRules, 'deviceProfile' | 'tokenIssuers'>;

export interface DeviceLoginOptions {
  readonly deviceAccounts?: DeviceAccountBook | undefined;
  readonly rules: DeviceRules;
  /** Epoch milliseconds, which tokens and overlaps are given in. */
  readonly now: () => number;
  /** Accounts of the configuration are the operator's: nobody else makes a login for them. */
  readonly isConfigured: (username: string) => boolean;
}

export interface DeviceLogins {
  find(username: string): MqttAccount | undefined;
  /** Undefined when the password may still be one of the configuration. */
  login(
    username: string,
    password: Buffer | undefined,
    byCertificate: MqttAccount | undefined,
  ): LoginResult | undefined;
  /** Throws, and keeps those there were, when a key is unsound. */
  setRules(rules: DeviceRules): void;
  /** What such a login comes to by the rules of now, or why it counts no more. */
  review(login: KnownLogin): KnownLogin | string;
  /** False once the account is gone, or the secret that a connection was made with. */
  isStillKnown(username: string, device: NonNullable<KnownLogin['device']>): boolean;
}

export function createDeviceLogins(options: DeviceLoginOptions): DeviceLogins {
  const { deviceAccounts: book = noDeviceAccounts, now, isConfigured } = options;
  let { deviceProfile, tokens, marks } = readRules(options.rules, now);

  function deviceOf(username: string): DeviceAccount | undefined {
    return isConfigured(username) ? undefined : book.find(username);
  }

  function find(username: string): MqttAccount | undefined {
    const device = deviceOf(username);
    return device === undefined ? undefined : accountOf(device, deviceProfile);
  }

  /** The user name is the device's id or the word `jwt`. */
  function loginByToken(result: TokenCheck, username: string): LoginResult {
    const refuse = (reason: string) => refused(badUserNameOrPassword, `token: ${reason}`);
    if (result.kind === 'invalid') return refuse(result.reason);
    const { deviceId, agency, application, profile, expiresAt, signedBy } = result;
    if (username !== deviceId && username !== 'jwt') {
      return refuse('for another device than the user name');
    }
    if (isConfigured(deviceId)) return refuse('for an account of the configuration');
    const account = { username: deviceId, deviceId, agency, application };
    const login = known(accountOf(account, profile), 'credential');
    return { ...login, validUntil: expiresAt, signedBy };
  }

  function loginBySecret(
    username: string,
    password: Buffer,
    byCertificate: MqttAccount | undefined,
  ): KnownLogin | undefined {
    const device = deviceOf(username);
    const nowMs = now();
    const shown = device?.secrets.find(
      ({ hash, validUntil }) =>
        (validUntil === undefined || validUntil > nowMs) && verifySecret(password, hash),
    );
    if (device === undefined || shown === undefined) return undefined;
    const by = byCertificate?.username === username ? 'tls-client' : 'credential';
    const login = known(accountOf(device, deviceProfile), by);
    return { ...login, validUntil: shown.validUntil, device: { secretId: shown.id } };
  }

  function isStillKnown(
    username: string,
    { secretId }: NonNullable<KnownLogin['device']>,
  ): boolean {
    const device = deviceOf(username);
    if (device === undefined || secretId === undefined) return device !== undefined;
    return device.secrets.some(({ id }) => id === secretId);
  }

  return {
    find,
    login: (username, password, byCertificate) => {
      if (password === undefined) return undefined;
      const text = tokens === undefined ? '' : password.toString('latin1');
      if (tokens !== undefined && isTokenShaped(text)) return loginByToken(tokens(text), username);
      return loginBySecret(username, password, byCertificate);
    },
    setRules: (rules) => {
      ({ deviceProfile, tokens, marks } = readRules(rules, now));
    },
    review: (login) => {
      const { account, device, signedBy } = login;
      if (isConfigured(account.username)) return 'the configuration has an account of this name';
      if (device === undefined) {
        const profile = marks.get(signedBy ?? '');
        if (profile === undefined) return 'issuer or key of the token is not trusted any more';
        const { username, deviceId = username, agency, application } = account;
        const device = { username, deviceId, agency, application };
        return { ...login, account: accountOf(device, profile) };
      }
      const today = find(account.username);
      const isKnown = today !== undefined && isStillKnown(account.username, device);
      return isKnown ? { ...login, account: today } : 'credential was revoked';
    },
    isStillKnown,
  };
}

/** Without an issuer there is no check for tokens: then a password may look as it likes. */
function readRules(
  { deviceProfile = noProfile, tokenIssuers = [] }: DeviceRules,
  now: () => number,
) {
  const tokens = tokenIssuers.length === 0 ? undefined : createTokenCheck(tokenIssuers, now);
  return { deviceProfile, tokens, marks: marksOf(tokenIssuers) };
}

function accountOf(
  device: Omit<DeviceAccount, 'secrets'>,
  { publish, subscribe, retain, hide }: AccountProfile,
): MqttAccount {
  const { username, deviceId, agency, application } = device;
  const filters = { publish, subscribe, retain, hide };
  return { ...filters, username, deviceId, agency, application, vouches: 'credential' };
}
