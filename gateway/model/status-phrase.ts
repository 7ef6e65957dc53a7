/** The names of HTTP status codes, where Node's own list is older than [RFC 9110, section 15]. */
import { STATUS_CODES } from 'node:http';

const renamed = new Map([
  [413, 'Content Too Large'],
  [422, 'Unprocessable Content'],
]);

export function statusPhrase(status: number): string {
  return renamed.get(status) ?? STATUS_CODES[status] ?? 'Unknown';
}
