/** Who may send over CoAP, and to what: a token in the query or in an option, and topics. */
import { createHash } from 'node:crypto';
import type { Sender } from '../../model/inbound.ts';
import { compileAcl } from '../acl.ts';
import { isTopicName, isWithinLimits } from '../topic-filter.ts';
import { type CoapMessage, optionNumbers } from './message.ts';

export interface CoapAccount {
  readonly name: string;
  readonly token: string;
  /** Who reads what comes to `/ingest/<name>`; without it that is no place of its own. */
  readonly adapter?: string | undefined;
  readonly deviceId?: string | undefined;
  /** Topic filters beside `up/<deviceId>` of its own. */
  readonly publish: readonly string[];
  readonly vouches: Exclude<Sender['vouches'], 'tls-client'>;
}

export interface CoapRequestTarget {
  readonly account: CoapAccount;
  /** A topic, or the path of the source with its query; the token is in neither. */
  readonly route: string;
  /** Undefined for a topic. */
  readonly adapter: string | undefined;
  readonly isAllowed: boolean;
}

export type CoapTarget = CoapRequestTarget | 'unauthorized' | 'not-found';

/** Of the range for experiments [RFC 7252, section 12.2]; a proxy may leave it alone. */
export const tokenOption = 65_000;

const routeLengthMax = 1_024;
const topicLimits = { topicLevelsMax: 32, topicLengthMax: routeLengthMax };

export type CoapDoor = (message: CoapMessage) => CoapTarget;

export function createCoapDoor(accounts: readonly CoapAccount[]): CoapDoor {
  // Looked up by hash, so that the time it takes tells nothing about how much of a guess was right.
  const byToken = new Map(accounts.map((account) => [digest(account.token), entryOf(account)]));
  return (message) => {
    const query = textsOf(message, optionNumbers.uriQuery);
    const inOption = textsOf(message, tokenOption)[0];
    const token = inOption ?? queryValue(query, 'token') ?? '';
    const entry = byToken.get(digest(token));
    if (entry === undefined) return 'unauthorized';
    const place = placeOf(message, query);
    return place === undefined ? 'not-found' : targetOf(entry, place);
  };
}

interface Entry {
  readonly account: CoapAccount;
  readonly mayPublish: (topic: string) => boolean;
}

function entryOf(account: CoapAccount): Entry {
  const publish = [...account.publish, 'up/{deviceId}'];
  const acl = compileAcl(
    { publish, subscribe: [], retain: [], hide: [] },
    { username: account.name, clientId: account.name, deviceId: account.deviceId },
  );
  return { account, mayPublish: acl.mayPublish };
}

type Place = { readonly source: string; readonly query: string } | { readonly topic: string };

/**
 * `/ingest/<source>`, `/up/<deviceId>`, or any path with `?t=<topic>` as one modem platform has it.
 */
function placeOf(message: CoapMessage, query: readonly string[]): Place | undefined {
  const [first, second, ...more] = textsOf(message, optionNumbers.uriPath);
  const topic = queryValue(query, 't');
  if (topic !== undefined) return { topic };
  if (first === undefined || second === undefined || more.length > 0) return undefined;
  if (first === 'up') return { topic: `up/${second}` };
  if (first !== 'ingest') return undefined;
  const rest = query.filter((part) => !part.startsWith('token=')).map(encodeURI);
  return { source: second, query: rest.length === 0 ? '' : `?${rest.join('&')}` };
}

function targetOf({ account, mayPublish }: Entry, place: Place): CoapTarget {
  if ('source' in place) {
    const { adapter } = account;
    const isOwn = adapter !== undefined && place.source === account.name;
    const route = `/ingest/${account.name}${place.query}`;
    return isOwn && route.length <= routeLengthMax
      ? { account, route, adapter, isAllowed: true }
      : 'not-found';
  }
  const { topic: route } = place;
  if (!isTopicName(route) || !isWithinLimits(route, topicLimits)) return 'not-found';
  return { account, route, adapter: undefined, isAllowed: mayPublish(route) };
}

function textsOf({ options }: CoapMessage, number: number): string[] {
  return options
    .filter((option) => option.number === number)
    .map(({ value }) => value.toString('utf8'));
}

function queryValue(query: readonly string[], key: string): string | undefined {
  return query.find((part) => part.startsWith(`${key}=`))?.slice(key.length + 1);
}

function digest(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest('base64');
}
