/** Who is asking: a bearer token or the session cookie. Signing in and out. */
import type { IncomingMessage } from 'node:http';
import { type NextFunction, type Request, type Response, Router } from 'express';
import { type Access, mayAct, type Principal, type Role } from './access.ts';
import { bodyOf } from './request/body.ts';
import { readBody, sessionInput } from './request/input.ts';
import { Problem } from './request/problem.ts';
import { knownParameters } from './request/query.ts';

const cookieName = 'fieldgate_session';
/** Failed sign-ins of one address in a minute before it has to wait. */
const failuresMax = 10;
const waitMs = 60_000;
const addressesMax = 10_000;
/** A sign-in is one token: nobody who is not known yet may have more read. */
const signInBytesMax = 4_096;

export function principalOf(request: IncomingMessage, access: Access): Principal | undefined {
  const bearer = /^Bearer ([\x21-\x7e]{1,512})$/i.exec(request.headers.authorization ?? '')?.[1];
  if (bearer !== undefined) return access.byToken(bearer);
  const session = cookieOf(request);
  return session === undefined ? undefined : access.bySession(session);
}

function cookieOf(request: IncomingMessage): string | undefined {
  const pairs = (request.headers.cookie ?? '').split(';').map((pair) => pair.trim());
  return pairs.find((pair) => pair.startsWith(`${cookieName}=`))?.slice(cookieName.length + 1);
}

/** Lets signed-in people and machines through; a write by cookie must come from our own page. */
export function authenticate(access: Access) {
  return (request: Request, response: Response, next: NextFunction): void => {
    const principal = principalOf(request, access);
    if (principal === undefined) {
      throw new Problem(401, 'send a bearer token, or sign in');
    }
    const isRead = request.method === 'GET' || request.method === 'HEAD';
    if (!isRead && request.headers.authorization === undefined && !isSameOrigin(request)) {
      throw new Problem(403, 'this request came from another site');
    }
    response.locals['principal'] = principal;
    next();
  };
}

/** Browsers name the page's origin with every write and every WebSocket handshake. */
export function isSameOrigin(request: IncomingMessage): boolean {
  const { origin, host } = request.headers;
  if (origin === undefined) return true;
  return URL.canParse(origin) && new URL(origin).host === host;
}

export function needs(role: Role) {
  return (_request: Request, response: Response, next: NextFunction): void => {
    const principal: Principal | undefined = response.locals['principal'];
    if (principal === undefined || !mayAct(principal, role)) {
      throw new Problem(403, `this needs the role ${role}`);
    }
    next();
  };
}

/** For what is written down of who did something. */
export function nameOf(principal: unknown): string {
  const hasName = typeof principal === 'object' && principal !== null && 'name' in principal;
  return hasName ? String(principal.name) : '';
}

/** `POST` and `DELETE /session`, and the one-time link of the first start. */
export function sessionRouter(access: Access): Router {
  const router = Router();
  const failures = new Map<string, { since: number; count: number }>();

  function signIn(request: Request, response: Response, secret: string): boolean {
    refuseTooMany(failures, request.ip ?? '');
    const opened = secret.length > 0 && secret.length <= 512 ? access.signIn(secret) : undefined;
    if (opened === undefined) {
      countFailure(failures, request.ip ?? '');
      return false;
    }
    const { session, maxAgeMs } = opened;
    const secure = request.secure;
    response.cookie(cookieName, session, {
      httpOnly: true,
      sameSite: 'lax',
      secure,
      path: '/',
      maxAge: maxAgeMs,
    });
    return true;
  }

  router.get('/signin', (request, response) => {
    const code = request.query['code'];
    if (typeof code === 'string' && signIn(request, response, code)) response.redirect(303, '/');
    else response.redirect(303, '/?signin=expired');
  });
  const json = bodyOf({ bytesMax: signInBytesMax });
  router.post('/api/v1/session', knownParameters, json, (request, response) => {
    const { token } = readBody(sessionInput, request.body);
    if (!isSameOrigin(request)) throw new Problem(403, 'this request came from another site');
    if (!signIn(request, response, token)) throw new Problem(401, 'no such token');
    response.status(204).end();
  });
  router.delete('/api/v1/session', knownParameters, (request, response) => {
    const session = cookieOf(request);
    if (session !== undefined && isSameOrigin(request)) access.signOut(session);
    response.clearCookie(cookieName, { path: '/' }).status(204).end();
  });
  return router;
}

function refuseTooMany(
  failures: Map<string, { since: number; count: number }>,
  address: string,
): void {
  const failed = failures.get(address);
  if (failed === undefined) return;
  const waitedMs = performance.now() - failed.since;
  if (waitedMs > waitMs) failures.delete(address);
  else if (failed.count >= failuresMax) {
    const seconds = Math.max(1, Math.ceil((waitMs - waitedMs) / 1_000));
    const headers = { 'Retry-After': String(seconds) };
    throw new Problem(429, `too many attempts: wait ${seconds} seconds`, { headers });
  }
}

function countFailure(
  failures: Map<string, { since: number; count: number }>,
  address: string,
): void {
  const failed = failures.get(address);
  if (failed !== undefined) failed.count += 1;
  else {
    if (failures.size >= addressesMax) failures.clear();
    failures.set(address, { since: performance.now(), count: 1 });
  }
}
