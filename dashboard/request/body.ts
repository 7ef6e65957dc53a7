/** Bodies of the types that a path takes; every other type is refused before it is read. */
import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import express, { type Request, type RequestHandler } from 'express';
import { Problem } from './problem.ts';

export interface BodyOptions {
  readonly bytesMax: number;
  /** Types beside JSON whose bodies are handed on as text. */
  readonly textTypes?: readonly string[];
}

const jsonType = 'application/json';

/**
 * Any JSON value comes through, `null` too: the path says what it expects instead. Without a body
 * nothing is read. Another type is 415 with the types that would do [RFC 9110, sections 12.5.1 and
 * 15.5.16; Linked Data Platform, section 7.1.1 for Accept-Post].
 */
export function bodyOf({ bytesMax, textTypes = [] }: BodyOptions): RequestHandler {
  const types = [jsonType, ...textTypes];
  const json = express.json({ type: jsonType, limit: bytesMax, strict: false, verify });
  const text = express.text({ type: [...textTypes], limit: bytesMax, verify });
  return (request, response, next) => {
    // Null without a body, false with one of another type or of none.
    const type = request.is(types);
    if (type === null || isEmpty(request)) next();
    else if (type === false) throw refusal(request, types);
    else (type === jsonType ? json : text)(request, response, next);
  };
}

/**
 * JSON is UTF-8 [RFC 8259, section 8.1]. What is not would be read with other characters in its
 * place, and stored so. A table may be in whatever its type says.
 */
function verify(request: IncomingMessage, _response: unknown, body: Buffer, charset: string): void {
  const isUtf8Named = charset === 'utf-8';
  if (!isUtf8Named && typeOf(request) === jsonType)
    throw new Problem(415, 'send the body in UTF-8');
  if (isUtf8Named && !isUtf8(body)) throw new Problem(400, 'the body is not valid UTF-8');
}

function typeOf({ headers }: IncomingMessage): string {
  return (headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
}

/** `Content-Length: 0`, as browsers send it with a POST of nothing. */
function isEmpty(request: Request): boolean {
  return request.headers['content-length'] === '0';
}

function refusal(request: Request, types: readonly string[]): Problem {
  const accepted = types.join(', ');
  const headers: Record<string, string> = { Accept: accepted };
  if (request.method === 'POST') headers['Accept-Post'] = accepted;
  const given = request.headers['content-type'] === undefined ? 'it has none' : 'it has another';
  return new Problem(415, `send the body with Content-Type ${types.join(' or ')}; ${given}`, {
    headers,
  });
}
