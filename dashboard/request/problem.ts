/**
 * Refusals in one form [RFC 9457]; nothing of the inside shows. None has a type of its own: the
 * type is `about:blank`, the title is the phrase of the status [section 4.2.1], and what is wrong
 * and what would be right stands in `detail`.
 */
import type { NextFunction, Request, Response } from 'express';
import { statusPhrase } from '../../gateway/model/status-phrase.ts';
import { StoreUnavailable } from '../../gateway/stores/store.ts';
import type { ProblemJson } from '../protocol.ts';

interface More {
  readonly errors?: ProblemJson['errors'];
  /** Of the answer, such as `Retry-After`. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** Seconds after which a viewer may ask again for what was too much or not there. */
const retryAfterSeconds = 5;

export class Problem extends Error {
  readonly status: number;
  readonly errors: ProblemJson['errors'];
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, detail: string, { errors, headers = {} }: More = {}) {
    super(detail);
    this.status = status;
    this.errors = errors;
    this.headers = { ...ownHeaders(status), ...headers };
  }
}

/** What an answer of this status must say, or says best [RFC 9110, sections 15.5.2 and 15.6.4]. */
function ownHeaders(status: number): Record<string, string> {
  if (status === 401) return { 'WWW-Authenticate': 'Bearer realm="fieldgate"' };
  return status === 503 ? { 'Retry-After': String(retryAfterSeconds) } : {};
}

export function problemJson({ status, message, errors }: Problem): ProblemJson {
  const said = { type: 'about:blank', title: statusPhrase(status), status, detail: message };
  return { ...said, ...(errors === undefined ? {} : { errors }) };
}

export function sendProblem(response: Response, problem: Problem): void {
  response
    .status(problem.status)
    .set(problem.headers)
    .type('application/problem+json')
    .send(JSON.stringify(problemJson(problem)));
}

/** The last handler: known refusals as they are, the rest logged and answered without detail. */
export function problemHandler(log: { error(fields: object, message: string): void }) {
  return (error: unknown, request: Request, response: Response, next: NextFunction) => {
    if (response.headersSent) return next(error);
    if (error instanceof Problem) return sendProblem(response, error);
    if (error instanceof StoreUnavailable) {
      return sendProblem(response, new Problem(503, `the store is unavailable: ${error.message}`));
    }
    const status = statusOf(error);
    if (status < 500) return sendProblem(response, clientProblem(status, error));
    log.error({ event: 'http-error', path: request.path, error: String(error) }, 'request failed');
    return sendProblem(response, new Problem(500, 'it failed inside; the log says more'));
  };
}

/** The body parser's own words may quote the body; these do not. */
function clientProblem(status: number, error: unknown): Problem {
  if (status === 400 && error instanceof SyntaxError) {
    return new Problem(400, 'the body is not valid JSON');
  }
  const { type, limit } = { type: undefined, limit: undefined, ...Object(error) };
  if (status === 413 && typeof limit === 'number') {
    return new Problem(413, `the body has more than ${limit} bytes`);
  }
  if (type === 'charset.unsupported') return new Problem(415, 'send the body in UTF-8');
  if (type === 'encoding.unsupported') {
    const headers = { 'Accept-Encoding': 'gzip, deflate, br' };
    return new Problem(415, 'compress the body by gzip, deflate or br, or not at all', { headers });
  }
  if (status === 404) return new Problem(404, 'nothing is here');
  return new Problem(status, 'the request cannot be read');
}

/** Express and its body parser mark what the client did wrong with a status of 4xx. */
function statusOf(error: unknown): number {
  if (typeof error !== 'object' || error === null || !('status' in error)) return 500;
  return typeof error.status === 'number' && error.status >= 400 ? error.status : 500;
}
