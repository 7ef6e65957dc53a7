/** Refusals of what never becomes a request: Node would answer them without a body. */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { Problem, problemJson } from './problem.ts';

/** What Node's parser says of it; all else cannot be read [RFC 9112, section 3]. */
const known = new Map<unknown, Problem>([
  ['HPE_HEADER_OVERFLOW', new Problem(431, 'address and headers are longer than they may be')],
  ['HPE_CHUNK_EXTENSIONS_OVERFLOW', new Problem(413, 'the extensions of a chunk are too long')],
  ['ERR_HTTP_REQUEST_TIMEOUT', new Problem(408, 'the request did not arrive whole in time')],
]);
const unreadable = new Problem(400, 'this is not HTTP/1.1 as it can be read');

export function refuseUnreadable(server: Server): void {
  const busy = new WeakSet<Duplex>();
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    busy.add(request.socket);
    response.once('close', () => busy.delete(request.socket));
  });
  server.on('clientError', (error: Error, socket) => {
    // In the middle of an answer, another one would be taken for its rest.
    if (!socket.writable || busy.has(socket)) socket.destroy();
    else endWith(socket, known.get('code' in error ? error.code : undefined) ?? unreadable);
  });
  server.on('checkExpectation', (_request, response: ServerResponse) => {
    const body = problemJson(new Problem(417, 'only 100-continue can be expected'));
    const text = JSON.stringify(body);
    response.writeHead(body.status, {
      'Content-Type': 'application/problem+json',
      'Content-Length': Buffer.byteLength(text),
    });
    response.end(text);
  });
}

/** Where there is no response to write to: the answer by hand, and the end of the connection. */
export function endWith(socket: Duplex, problem: Problem): void {
  const body = problemJson(problem);
  const text = JSON.stringify(body);
  const head = [
    `HTTP/1.1 ${body.status} ${body.title}`,
    'Connection: close',
    'Content-Type: application/problem+json',
    `Content-Length: ${Buffer.byteLength(text)}`,
  ];
  socket.once('finish', () => socket.destroy());
  socket.end(`${head.join('\r\n')}\r\n\r\n${text}`);
}
