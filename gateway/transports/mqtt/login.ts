/** What becomes of a login, in the words of a CONNACK. */
import type { Sender } from '../../model/inbound.ts';
import type { MqttAccount } from './options.ts';

export interface KnownLogin {
  readonly kind: 'known';
  readonly account: MqttAccount;
  readonly vouches: Sender['vouches'];
  /** Epoch milliseconds: when the password or token runs out, and the connection with it. */
  readonly validUntil?: number | undefined;
  /** For an account that may be taken away: the secret that was shown, unless a certificate was. */
  readonly device?: { readonly secretId?: string };
  /** The issuer and the key of the token that was shown. */
  readonly signedBy?: string;
  /** For an account of the configuration: a password, or nothing but a certificate. */
  readonly shown?: 'password' | 'certificate';
}

export type LoginResult =
  | KnownLogin
  | { readonly kind: 'refused'; readonly returnCode: 3 | 4 | 5; readonly reason: string };

/** CONNACK return codes [MQTT 3.1.1, table 3.1]. */
export const serverUnavailable = 3;
export const badUserNameOrPassword = 4;
export const notAuthorized = 5;

/** A network server's word is worth more than how its connection was made. */
export function known(account: MqttAccount, by: 'tls-client' | 'credential'): KnownLogin {
  const vouches = account.vouches === 'network-server' ? account.vouches : by;
  return { kind: 'known', account, vouches };
}

export function refused(returnCode: 3 | 4 | 5, reason: string): LoginResult {
  return { kind: 'refused', returnCode, reason };
}
