/** Who asks, where a proxy of our own may stand in front. */
import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';

/**
 * With `trustProxy` the last address of X-Forwarded-For, which that proxy has written itself: those
 * before it are what its client claims.
 */
export function clientAddress(request: IncomingMessage, trustProxy: boolean): string | undefined {
  const told = trustProxy ? (request.headers['x-forwarded-for'] ?? '') : '';
  const last = String(told).split(',').at(-1)?.trim() ?? '';
  return isIP(last) === 0 ? request.socket.remoteAddress : last;
}
