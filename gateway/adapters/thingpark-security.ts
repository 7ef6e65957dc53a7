/** How ThingPark's HTTP tunnel proves itself: the token in the query of each request. */
import { createHash, timingSafeEqual } from 'node:crypto';
import { isObject } from './document.ts';
import { openBody, rootOf } from './thingpark-body.ts';
import { parseTimestamp } from './timestamp.ts';

export interface ThingParkRequest {
  /** The query as it came, without the question mark; it holds the token. */
  readonly query: string;
  /** The object below the root key of the body. */
  readonly body: Readonly<Record<string, unknown>>;
  /** The root key of the body: `DevEUI_uplink`, `DevEUI_downlink_Sent`, `DevEUI_location` … */
  readonly root: string;
  /** The tunnel interface authentication key in hex, in either case. */
  readonly key: string;
}

const queryLengthMax = 2_048;

/**
 * True when the query's `Token` is SHA-256 over the fields of the body that its type has, the
 * query without the token and the key. Every token covers the query's `Time`, so a caller that
 * wants no replays checks that too.
 */
export function checkThingParkToken({ query, body, root, key }: ThingParkRequest): boolean {
  const fields = tokenFields(root, body);
  if (fields === undefined || key === '' || query.length > queryLengthMax) return false;
  const parameters = parametersOf(query);
  const token = parameters.find(([name]) => name === 'Token')?.[1] ?? '';
  const others = parameters.filter(([name]) => name !== 'Token');
  // Proxies reorder a query, so the order in which it is sent today is tried beside that it has.
  return [others, inSentOrder(others)].some((ordered) => {
    const text = ordered.map(([name, value]) => `${name}=${value}`).join('&');
    return isSame(token, sha256(fields + text + key.toLowerCase()));
  });
}

/** What the operator has written down in ThingPark and here. */
export interface ThingParkTunnel {
  /** The application server's id, as each query names it. */
  readonly asId: string;
  readonly key: string;
  /** How far the time in a query may be from the gateway's own. */
  readonly timeWindowMs: number;
}

/**
 * A request as it came: of this application server, not recorded and sent again later, and with a
 * right token. False for a body that cannot be read.
 */
export function isGenuineRequest(
  { query, body, now }: { readonly query: string; readonly body: Buffer; readonly now: number },
  { asId, key, timeWindowMs }: ThingParkTunnel,
): boolean {
  if (query.length > queryLengthMax) return false;
  const parameters = new Map(parametersOf(query));
  const time = parseTimestamp(parameters.get('Time') ?? '');
  const isTimely = time !== undefined && Math.abs(now - time) <= timeWindowMs;
  // Before the body is read, since that is the dear part.
  if (!isTimely || parameters.get('AS_ID') !== asId) return false;
  const message = openBody(body);
  if ('code' in message) return false;
  const root = rootOf(message) ?? '';
  const content = message.object[root];
  return isObject(content) && checkThingParkToken({ query, body: content, root, key });
}

type Parameter = readonly [name: string, value: string];

/** The hash is over decoded values; a plus sign is the one in a time zone and no blank. */
function parametersOf(query: string): Parameter[] {
  return query.split('&').map((pair) => {
    const at = pair.indexOf('=');
    return at < 0 ? [pair, ''] : [pair.slice(0, at), decoded(pair.slice(at + 1))];
  });
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

const sentOrder = ['LrnDevEui', 'LrnFPort', 'LrnInfos', 'AS_ID', 'Time'];

function inSentOrder(parameters: readonly Parameter[]): Parameter[] {
  return sentOrder.flatMap((name) => parameters.filter(([other]) => other === name));
}

/** The text of the body's part, or undefined for a type that carries no token we know. */
function tokenFields(root: string, body: ThingParkRequest['body']): string | undefined {
  const text = (name: string): string => {
    const value = body[name];
    return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
  };
  const owner = text('CustomerID');
  switch (root) {
    case 'DevEUI_uplink': {
      const frame = text('FPort') + text('FCntUp') + text('payload_hex').toLowerCase();
      return owner + text('DevEUI').toUpperCase() + frame;
    }
    case 'DevEUI_downlink_Sent':
      return owner + text('DevEUI').toUpperCase() + text('FPort') + text('FCntDn');
    case 'DevEUI_location':
      return owner + text('DevEUI').toLowerCase();
    default:
      return undefined;
  }
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function isSame(token: string, expected: string): boolean {
  const given = Buffer.from(token.toLowerCase());
  const wanted = Buffer.from(expected);
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}
