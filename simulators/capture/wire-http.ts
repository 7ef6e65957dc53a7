/** Replays webhooks: the path of the capture under another base, a POST each, taken with 2xx. */

import { NotSent } from '../not-sent.ts';
import { createRoom, type ReplayAccount, type ReplayAccounts, type Wire } from './wire.ts';

export interface HttpWireOptions {
  /** `http://host:port`; the captured path and query follow it. */
  readonly url: string;
  readonly accounts: ReplayAccounts;
}

/** Requests under way. One at a time for each sender, so that what it sent stays in order. */
const requestsMax = 16;
const requestTimeoutMs = 30_000;
const attemptsMax = 5;
/** A receiver that says when to come again is believed up to here. */
const retryMsMax = 10_000;

export function createHttpWire({ url, accounts }: HttpWireOptions): Wire {
  const room = createRoom(requestsMax);
  const lanes = new Map<string, Promise<void>>();
  let isStopped = false;
  return {
    async send({ route, body, sender }, settled) {
      if (!(await room.enter())) return settled(new NotSent());
      const lane = sender ?? '';
      const before = lanes.get(lane) ?? Promise.resolve();
      const request = { url: new URL(route, url), body, account: accounts.of(sender) };
      const done = before
        .then(() => post(request, () => isStopped))
        .then(() => settled(), settled)
        .finally(() => {
          room.leave();
          if (lanes.get(lane) === done) lanes.delete(lane);
        });
      lanes.set(lane, done);
    },
    stop() {
      isStopped = true;
      room.stop();
    },
    close: (graceMs) => room.empty(graceMs),
  };
}

interface PostRequest {
  readonly url: URL;
  readonly body: Buffer;
  readonly account: ReplayAccount | undefined;
}

/** 429 and 503 are asked again; they say that nothing was taken. */
async function post(request: PostRequest, isStopped: () => boolean): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    const response = await fetch(request.url, {
      method: 'POST',
      headers: headersOf(request),
      body: new Uint8Array(request.body),
      signal: AbortSignal.timeout(requestTimeoutMs),
    });
    await response.arrayBuffer();
    if (response.ok) return;
    const isBusy = response.status === 429 || response.status === 503;
    if (!isBusy || attempt >= attemptsMax || isStopped()) {
      throw new Error(`POST ${request.url.pathname} answers ${response.status}`);
    }
    const seconds = Number(response.headers.get('retry-after') ?? 1);
    const pauseMs = Math.min(retryMsMax, (Number.isFinite(seconds) ? seconds : 1) * 1_000);
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}

function headersOf({ body, account }: PostRequest): Record<string, string> {
  return { 'content-type': mediaTypeOf(body), ...authorizationOf(account) };
}

/** A capture does not keep headers: the first byte tells enough. */
function mediaTypeOf(body: Buffer): string {
  const start = body.toString('latin1', 0, 100).trimStart()[0];
  if (start === '{' || start === '[') return 'application/json';
  return start === '<' ? 'application/xml' : 'application/octet-stream';
}

function authorizationOf(account: ReplayAccount | undefined): Record<string, string> {
  if (account?.token !== undefined) return { authorization: `Bearer ${account.token}` };
  if (account?.username === undefined) return {};
  const login = Buffer.from(`${account.username}:${account.password ?? ''}`).toString('base64');
  return { authorization: `Basic ${login}` };
}
