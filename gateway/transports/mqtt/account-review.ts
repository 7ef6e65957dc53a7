/**
 * Holds a connection against accounts that were read again: it goes on as it is, goes on under
 * another rule, or has to end.
 */
import { isDeepStrictEqual } from 'node:util';
import { createPrincipal } from './connect.ts';
import { type MqttConnection, noTopic } from './connection.ts';
import type { MqttCore } from './core.ts';
import type { MqttIdentity } from './identity.ts';
import type { KnownLogin } from './login.ts';

/** Connections that were ended, and those that may do something else than before. */
export interface AccountReview {
  readonly cut: number;
  readonly changed: number;
}

export type ReviewOutcome = 'kept' | 'changed' | { readonly reasonToGo: string };

export function reviewConnection(
  core: Pick<MqttCore, 'sessions' | 'note'>,
  connection: MqttConnection,
  identity: Pick<MqttIdentity, 'review'>,
): ReviewOutcome {
  const { principal, certificate } = connection;
  if (principal === undefined) return 'kept';
  const login = identity.review(principal.login, certificate?.names ?? []);
  if (typeof login === 'string') return { reasonToGo: login };
  if (isDeepStrictEqual(ruleOf(login), ruleOf(principal.login))) return 'kept';
  changeRule(
    core,
    connection,
    createPrincipal(login, { clientId: principal.clientId, connection }),
  );
  return 'changed';
}

/** What a login allows; how it was proven is not part of it. */
function ruleOf({ account, vouches }: KnownLogin): object {
  const { password: _password, passwordHash: _hash, ...rule } = account;
  return { ...rule, vouches };
}

/**
 * Granted filters that the new rule does not cover are taken away as by an UNSUBSCRIBE: a part of
 * one may still be allowed, but nobody has asked for that part alone.
 */
function changeRule(
  { sessions, note }: Pick<MqttCore, 'sessions' | 'note'>,
  connection: MqttConnection,
  principal: NonNullable<MqttConnection['principal']>,
): void {
  const { granted, client, address } = connection;
  const { acl, clientId } = principal;
  connection.principal = principal;
  connection.lastTopic = noTopic;
  const lost = granted.list().flatMap(({ topic }) => (acl.maySubscribe(topic) ? [] : topic));
  sessions.restrict(clientId, { acl });
  if (lost.length === 0) return;
  for (const filter of lost) granted.revoke(filter);
  client?.unsubscribe({ cmd: 'unsubscribe', unsubscriptions: lost }, (error) => {
    if (error !== undefined) note('mqtt-unsubscribe-failed', { address, clientId, error });
  });
}
