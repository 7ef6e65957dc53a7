/** `--filter key=value`: which messages of a capture are meant. */
import { type CapturedMessage, vias } from './message.ts';

export type Filter = (message: CapturedMessage) => boolean;

/** A filter that cannot be read; the sentence is for the operator. */
export class FilterUnreadable extends Error {
  readonly code = 'FILTER_UNREADABLE';
}

const filtersMax = 100;

/**
 * `via`, `route`, `sender`, `device` take texts with `*` for anything and commas for "or"; `text`
 * is found within the body; `from` (included) and `to` (not included) are RFC 3339 times. All
 * filters must agree; without any, every message is meant.
 */
export function parseFilters(texts: readonly string[]): Filter {
  if (texts.length > filtersMax) throw new FilterUnreadable(`at most ${filtersMax} filters`);
  const filters = texts.map(parseFilter);
  return (message) => filters.every((filter) => filter(message));
}

function parseFilter(text: string): Filter {
  const at = text.indexOf('=');
  const [key, value] = [text.slice(0, Math.max(at, 0)), text.slice(at + 1)];
  if (at < 1 || value === '') throw new FilterUnreadable(`${text} is not of the form key=value`);
  switch (key) {
    case 'via':
      return viaFilter(value);
    case 'route':
      return matching(value, ({ route }) => route);
    case 'sender':
      return matching(value, ({ sender }) => sender ?? '');
    case 'device':
      return matching(value, ({ device }) => device ?? '');
    case 'text':
      return ({ body }) => body.includes(value);
    case 'from': {
      const from = timeOf(value);
      return (message) => message.at >= from;
    }
    case 'to': {
      const to = timeOf(value);
      return (message) => message.at < to;
    }
    default:
      throw new FilterUnreadable(`${key} is none of via, route, sender, device, text, from and to`);
  }
}

function viaFilter(value: string): Filter {
  const wanted = value.split(',');
  const odd = wanted.find((one) => !vias.some((via) => via === one));
  if (odd !== undefined) throw new FilterUnreadable(`${odd} is none of ${vias.join(', ')}`);
  return ({ via }) => wanted.includes(via);
}

function matching(value: string, read: (message: CapturedMessage) => string): Filter {
  const patterns = value.split(',').map((pattern) => pattern.split('*'));
  return (message) => patterns.some((parts) => isMatch(read(message), parts));
}

/** The parts between stars, in their order; found one after the other, without backtracking. */
function isMatch(text: string, parts: readonly string[]): boolean {
  const [head = '', ...others] = parts;
  if (others.length === 0) return text === head;
  const tail = others.pop() ?? '';
  if (!text.startsWith(head) || text.length < head.length + tail.length) return false;
  let place = head.length;
  for (const part of others) {
    const found = text.indexOf(part, place);
    if (found === -1) return false;
    place = found + part.length;
  }
  return text.endsWith(tail) && text.length - tail.length >= place;
}

function timeOf(text: string): number {
  const time = /^\d{4}-\d\d-\d\dT.*(Z|[+-]\d\d:\d\d)$/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(time)) throw new FilterUnreadable(`${text} is no RFC 3339 time`);
  return time;
}
