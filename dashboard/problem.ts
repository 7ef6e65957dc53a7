/** Refusals in one form [RFC 9457]; nothing of the inside shows. */
import { STATUS_CODES } from 'node:http';
import type { NextFunction, Request, Response } from 'express';
import { StoreUnavailable } from '../gateway/stores/store.ts';
import type { ProblemJson } from './protocol.ts';

export class Problem extends Error {
  readonly status: number;
  readonly title: string;
  readonly errors: ProblemJson['errors'];

  constructor(status: number, title: string, detail?: string, errors?: ProblemJson['errors']) {
    super(detail ?? title);
    this.status = status;
    this.title = title;
    this.errors = errors;
  }
}

export function sendProblem(response: Response, problem: Problem): void {
  const body: ProblemJson = {
    type: 'about:blank',
    title: problem.title,
    status: problem.status,
    ...(problem.message === problem.title ? {} : { detail: problem.message }),
    ...(problem.errors === undefined ? {} : { errors: problem.errors }),
  };
  response.status(problem.status).type('application/problem+json').send(JSON.stringify(body));
}

/** The last handler: known refusals as they are, the rest logged and answered without detail. */
export function problemHandler(log: { error(fields: object, message: string): void }) {
  return (error: unknown, request: Request, response: Response, next: NextFunction) => {
    if (response.headersSent) return next(error);
    if (error instanceof Problem) return sendProblem(response, error);
    if (error instanceof StoreUnavailable) {
      return sendProblem(response, new Problem(503, 'Store unavailable', error.message));
    }
    const status = statusOf(error);
    if (status < 500) return sendProblem(response, clientProblem(status, error));
    log.error({ event: 'http-error', path: request.path, error: String(error) }, 'request failed');
    return sendProblem(response, new Problem(500, 'Internal error'));
  };
}

/** The body parser's own words may quote the body; these do not. */
function clientProblem(status: number, error: unknown): Problem {
  const title = STATUS_CODES[status] ?? 'Bad request';
  const isSyntax = status === 400 && error instanceof SyntaxError;
  return new Problem(status, title, isSyntax ? 'the body is not valid JSON' : undefined);
}

/** Express and its body parser mark what the client did wrong with a status of 4xx. */
function statusOf(error: unknown): number {
  if (typeof error !== 'object' || error === null || !('status' in error)) return 500;
  return typeof error.status === 'number' && error.status >= 400 ? error.status : 500;
}
