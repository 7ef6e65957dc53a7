/**
 * Webhooks: `POST /ingest/{source}` for network servers and modems that push over HTTP. It listens
 * on no port of its own: its router is mounted on the server that has one.
 */
import { randomUUID } from 'node:crypto';
import express, { type NextFunction, type Request, type Response, Router } from 'express';
import type { Inbound } from '../../model/inbound.ts';
import { statusPhrase } from '../../model/status-phrase.ts';
import { createFloodLimit, type FloodLimit } from '../flood-limit.ts';
import { createInFlight, type InFlight } from '../in-flight.ts';
import type { Receive, Transport } from '../transport.ts';
import type { TransportHooks } from '../transport-hooks.ts';
import { demandOf, type HttpSource, isGenuine, isOverBody } from './http-source.ts';

export interface HttpPushLimits {
  readonly bodyBytesMax: number;
  readonly queryLengthMax: number;
  /** Of one source; above it 429. As many may come at once after a second of silence. */
  readonly requestsPerSecondMax: number;
  /** Requests of all sources between their head and their receipt; above it 503. */
  readonly inFlightMax: number;
  /** How long a stop waits for receipts. */
  readonly stopTimeoutMs: number;
}

export interface HttpPushOptions {
  readonly sources: readonly HttpSource[];
  readonly limits: HttpPushLimits;
}

export interface HttpPush extends Transport {
  readonly router: Router;
  /** Holds from the next request on; one whose head has been read goes on under the earlier. */
  setSources(sources: readonly HttpSource[]): void;
}

interface Pushing {
  readonly limits: HttpPushLimits;
  readonly sourceOf: (name: string) => HttpSource | undefined;
  readonly receive: Receive;
  readonly hooks: TransportHooks;
  readonly flood: FloodLimit;
  readonly inFlight: InFlight;
  readonly readBody: express.RequestHandler;
  readonly connectionOf: (request: Request) => string;
}

/** Why a request was refused: a closed list, since it becomes a label. */
type Reason =
  | 'unknown-source'
  | 'unauthorized'
  | 'media-type'
  | 'too-large'
  | 'flood'
  | 'busy'
  | 'broken-off';

const retryAfterSeconds = 5;
/** Sources whose rate is remembered: as many as the configuration may have. */
const sourcesMax = 1_000;

export function createHttpPush(
  options: HttpPushOptions,
  receive: Receive,
  hooks: TransportHooks,
): HttpPush {
  const { limits } = options;
  let byName = byNameOf(options.sources);
  const inFlight = createInFlight();
  const pushing: Pushing = {
    limits,
    sourceOf: (name) => byName.get(name),
    receive,
    hooks,
    inFlight,
    flood: createFloodLimit({
      perSecondMax: limits.requestsPerSecondMax,
      burstMax: limits.requestsPerSecondMax,
      keysMax: sourcesMax,
      monotonicMs: hooks.monotonicMs,
    }),
    connectionOf: createConnectionNames(),
    // An inflated body could be a thousand times its size on the wire, so none is inflated.
    readBody: express.raw({ limit: limits.bodyBytesMax, type: () => true, inflate: false }),
  };
  let isStopping = false;
  const router = Router({ caseSensitive: true });
  router.post('/ingest/:source', (request, response, next) => {
    if (isStopping || inFlight.count() >= limits.inFlightMax) return refuseBusy(pushing, response);
    inFlight.track(push(pushing, request, response)).catch(next);
  });
  router.all('/ingest/:source', (_request: Request, response: Response, _next: NextFunction) => {
    response.set('Allow', 'POST');
    answerProblem(response, 405, 'use POST');
  });
  return {
    router,
    setSources: (next) => {
      byName = byNameOf(next);
    },
    start: async () => [],
    stop: async () => {
      isStopping = true;
      await inFlight.settle(limits.stopTimeoutMs);
    },
  };
}

function byNameOf(sources: readonly HttpSource[]): ReadonlyMap<string, HttpSource> {
  return new Map(sources.map((source) => [source.name, source]));
}

async function push(pushing: Pushing, request: Request, response: Response): Promise<void> {
  const { hooks, limits } = pushing;
  const refuse = (status: number, reason: Reason, detail: string) => {
    hooks.onTurnedAway('http', reason);
    // What is left of an unread body is not worth reading: the client starts over.
    if (!request.complete) response.set('Connection', 'close');
    answerProblem(response, status, detail);
  };
  const source = pushing.sourceOf(String(request.params['source']));
  if (source === undefined) return refuse(404, 'unknown-source', 'no source has this name');
  const query = queryOf(request.url);
  if (query.length > limits.queryLengthMax)
    return refuse(414, 'too-large', 'the query is too long');
  const head = { header: (name: string) => request.get(name), query: query.slice(1) };
  const refuseCredential = () => {
    const { challenge, wanted } = demandOf(source.auth);
    response.set('WWW-Authenticate', challenge);
    refuse(401, 'unauthorized', `${wanted} is missing or wrong`);
  };
  const waitsForBody = isOverBody(source.auth);
  if (!waitsForBody && !isGenuine(source.auth, head)) return refuseCredential();
  if (!isReadable(request.get('content-type'))) {
    response.set({ Accept: readableTypes, 'Accept-Post': readableTypes });
    return refuse(415, 'media-type', 'send JSON, XML, CBOR, protobuf, text or plain bytes');
  }
  const body = await readBody(pushing, request, response);
  if ('status' in body && body.status === 415) response.set('Accept-Encoding', 'identity');
  if ('status' in body) return refuse(body.status, body.reason, body.detail);
  if (waitsForBody && !isGenuine(source.auth, { ...head, body: body.bytes })) {
    return refuseCredential();
  }
  // After the proof, so that strangers cannot use up what belongs to the source.
  if (!pushing.flood.admit(source.name)) {
    response.set('Retry-After', '1');
    return refuse(429, 'flood', 'this source sends more than its limit');
  }
  await deliver(
    pushing,
    inboundOf(pushing, { source, query, request, body: body.bytes }),
    response,
  );
}

/** The only way to 204: the receiver has it on disk, or has written down why it is no use. */
async function deliver({ receive }: Pushing, inbound: Inbound, response: Response): Promise<void> {
  try {
    await receive(inbound);
  } catch {
    response.set('Retry-After', String(retryAfterSeconds));
    answerProblem(response, 503, 'it could not be written down: send it again');
    return;
  }
  response.status(204).end();
}

interface Proven {
  readonly source: HttpSource;
  readonly query: string;
  readonly request: Request;
  readonly body: Buffer;
}

function inboundOf(
  { hooks, connectionOf }: Pushing,
  { source, query, request, body }: Proven,
): Inbound {
  const { name, adapter, vouches, deviceId } = source;
  return {
    transport: 'http',
    route: `/ingest/${name}${query}`,
    adapter,
    body,
    receivedAt: hooks.clock.now(),
    sender: {
      credential: name,
      connection: connectionOf(request),
      vouches,
      ...(deviceId === undefined ? {} : { deviceId }),
    },
    dup: false,
  };
}

/**
 * A name for each socket. A request that got no answer is sent again on another one, so equal bytes
 * on one socket are two messages.
 */
function createConnectionNames(): (request: Request) => string {
  const names = new WeakMap<object, string>();
  return ({ socket }) => {
    const name = names.get(socket) ?? randomUUID();
    names.set(socket, name);
    return name;
  };
}

/** With its question mark, as it was sent: adapters read `event=up` from it. */
function queryOf(url: string): string {
  const at = url.indexOf('?');
  return at < 0 || at === url.length - 1 ? '' : url.slice(at);
}

/** What is said of it in a refusal [RFC 9110, section 15.5.16]. */
const readableTypes =
  'application/json, application/xml, text/xml, application/cbor, application/protobuf, ' +
  'application/octet-stream, text/plain';
const readable =
  /^(?:application\/(?:[\w.-]+\+)?(?:json|xml|cbor|octet-stream|protobuf|x-protobuf)|text\/(?:plain|xml))\s*(?:;|$)/i;

/** Many devices send no type at all; forms and files of a browser are no business of theirs. */
function isReadable(contentType: string | undefined): boolean {
  return contentType === undefined || contentType === '' || readable.test(contentType);
}

type Body =
  | { readonly bytes: Buffer }
  | { readonly status: number; readonly reason: Reason; readonly detail: string };

function readBody({ readBody: read, limits }: Pushing, request: Request, response: Response) {
  return new Promise<Body>((resolve) => {
    read(request, response, (error: unknown) => {
      const body: unknown = request.body;
      if (error === undefined) resolve({ bytes: Buffer.isBuffer(body) ? body : Buffer.alloc(0) });
      else resolve(refusalOf(error, limits.bodyBytesMax));
    });
  });
}

function refusalOf(error: unknown, bytesMax: number): Body {
  const status = typeof error === 'object' && error !== null && 'status' in error && error.status;
  if (status === 413) {
    return { status, reason: 'too-large', detail: `the body has more than ${bytesMax} bytes` };
  }
  if (status === 415) return { status, reason: 'media-type', detail: 'send it uncompressed' };
  return { status: 400, reason: 'broken-off', detail: 'the body did not arrive whole' };
}

function refuseBusy({ hooks }: Pushing, response: Response): void {
  const reason: Reason = 'busy';
  hooks.onTurnedAway('http', reason);
  response.set('Retry-After', String(retryAfterSeconds));
  answerProblem(response, 503, 'too many requests are waiting: send it again');
}

/** [RFC 9457] */
function answerProblem(response: Response, status: number, detail: string): void {
  if (response.headersSent) return;
  const title = statusPhrase(status);
  response
    .status(status)
    .type('application/problem+json')
    .send(JSON.stringify({ type: 'about:blank', title, status, detail }));
}
