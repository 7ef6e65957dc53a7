/** The bounds of a question to a store, so that no question can cost the gateway its memory. */
import { isDeviceId } from '../model/device.ts';
import type { AggregateQuery, ReadingQuery } from './store.ts';

/** The most readings in one page, and one more that tells whether there is another page. */
export const pageLengthMax = 10_001;
/** The most windows that one aggregation may span, empty ones included. */
export const windowsMax = 100_000;
/** A query that takes longer than this is given up. */
export const queryTimeoutMs = 10_000;

/** The question was refused for its size or form; the API answers it with a 400. */
export class QueryRefused extends Error {
  readonly code = 'QUERY_REFUSED';
}

/** Throws QueryRefused; false when the answer is empty without asking the store. */
export function checkReadingQuery(query: ReadingQuery): boolean {
  checkLimit(query.limit, pageLengthMax);
  checkRange(query);
  return isDeviceId(query.device) && query.from < query.to;
}

/** Throws QueryRefused; false when the answer is empty without asking the store. */
export function checkAggregateQuery(query: AggregateQuery): boolean {
  checkLimit(query.limit, windowsMax);
  checkRange(query);
  if (!Number.isSafeInteger(query.everyMs) || query.everyMs < 1) {
    throw new QueryRefused('a window is at least one whole millisecond long');
  }
  if ((query.to - query.from) / query.everyMs > windowsMax) {
    throw new QueryRefused(`the range spans more than ${windowsMax} windows; take longer ones`);
  }
  return isDeviceId(query.device) && query.from < query.to;
}

function checkLimit(limit: number, limitMax: number): void {
  if (!Number.isInteger(limit) || limit < 1 || limit > limitMax) {
    throw new QueryRefused(`the limit is a whole number from 1 to ${limitMax}`);
  }
}

function checkRange(range: { readonly from: number; readonly to: number }): void {
  if (!Number.isSafeInteger(range.from) || !Number.isSafeInteger(range.to)) {
    throw new QueryRefused('a range is given in whole milliseconds');
  }
}
