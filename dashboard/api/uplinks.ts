/** `GET /uplinks`: the ledger as it is, with verdicts, faults and the bytes as they came. */
import { type Request, Router } from 'express';
import type { LedgerEntry, Outcome } from '../../gateway/ledger/ledger.ts';
import { type FaultCode, faultSentences } from '../../gateway/model/fault.ts';
import type { DashboardParts } from '../parts.ts';
import type { UplinkJson, UplinksJson } from '../protocol-uplinks.ts';
import { outcomes, rows, seqMax, uplinkCursor } from '../request/parameters.ts';
import { Problem } from '../request/problem.ts';
import {
  choiceOf,
  cursorTextOf,
  entrySeqOf,
  integerOf,
  refusal,
  textOf,
} from '../request/query.ts';
import { uplinkJson } from './uplink-json.ts';

const faultCodes = Object.keys(faultSentences).filter(isFaultCode);
/** Entries looked at for one answer when a filter has no index of its own. */
const scannedMax = 20_000;

interface Wish {
  readonly device: string | undefined;
  readonly outcome: Outcome | undefined;
  readonly fault: FaultCode | undefined;
  readonly limit: number;
  readonly from: { readonly after: number } | { readonly before: number };
}

export function uplinksRouter(parts: DashboardParts): Router {
  const router = Router();
  router.get('/uplinks', (request, response) => {
    response.json(list(wishOf(request), parts));
  });
  router.get('/uplinks/:seq', (request, response) => {
    const entry = parts.ledger.get(entrySeqOf(request.params.seq));
    if (entry === undefined) throw new Problem(404, 'no ledger entry has this seq');
    response.json(whole(entry, parts));
  });
  return router;
}

function wishOf(request: Request): Wish {
  return {
    device: textOf(request, 'device'),
    outcome: choiceOf(request, 'outcome', outcomes),
    fault: choiceOf(request, 'fault', faultCodes),
    limit: integerOf(request, 'limit', { ...rows, fallback: 100 }),
    from:
      cursorOf(request) ??
      (request.query['after'] === undefined
        ? { before: Number.MAX_SAFE_INTEGER }
        : { after: integerOf(request, 'after', { min: 0, max: seqMax, fallback: 0 }) }),
  };
}

function cursorOf(request: Request): Wish['from'] | undefined {
  const text = cursorTextOf(request);
  if (text === undefined) return undefined;
  const match = uplinkCursor.exec(text);
  const seq = Number(match?.[2]);
  if (match === null || seq > seqMax)
    throw refusal('cursor', 'is not one that this gateway gave out');
  return match[1] === 'a' ? { after: seq } : { before: seq };
}

/** Oldest first after a seq; newest first otherwise. The cursor goes on in the same direction. */
function list(wish: Wish, parts: DashboardParts): UplinksJson {
  const items: UplinkJson[] = [];
  let at = wish.from;
  let scanned = 0;
  for (;;) {
    const page = pageOf(wish, at, parts);
    for (const entry of page) {
      at = 'after' in at ? { after: entry.seq } : { before: entry.seq };
      scanned += 1;
      const json = uplinkJson(entry, parts);
      if (fits(json, wish)) items.push(json);
      if (items.length >= wish.limit || scanned >= scannedMax)
        return { items, nextCursor: cursorFor(at) };
    }
    if (page.length === 0) return { items };
  }
}

function cursorFor(at: Wish['from']): string {
  return 'after' in at ? `a${at.after}` : `b${at.before}`;
}

function fits(json: UplinkJson, { device, outcome, fault }: Wish): boolean {
  if (device !== undefined && json.device !== device) return false;
  if (outcome !== undefined && json.outcome !== outcome) return false;
  return fault === undefined || json.fault?.code === fault;
}

/** The next entries by the index that narrows most, or by the ledger itself. */
function pageOf(
  wish: Wish,
  at: Wish['from'],
  { catalogue, ledger }: DashboardParts,
): LedgerEntry[] {
  const { device, outcome, fault } = wish;
  const limit = Math.min(500, Math.max(wish.limit, 50));
  const found = catalogue.find({
    ...(device === undefined ? {} : { device }),
    ...(outcome === undefined ? {} : { outcome }),
    ...(fault === undefined ? {} : { fault }),
    ...pastRemoved(at, ledger),
    limit,
  });
  if (found !== undefined) return found.flatMap((seq) => ledger.get(seq) ?? []);
  if ('after' in at) return ledger.read(at.after, limit);
  const before = Math.min(at.before, ledger.head() + 1);
  return ledger.read(Math.max(before - 1 - limit, 0), Math.min(limit, before - 1)).reverse();
}

/** The catalogue may still name entries that the ledger has let go, its oldest. */
function pastRemoved(at: Wish['from'], ledger: DashboardParts['ledger']): Wish['from'] {
  return 'after' in at ? { after: Math.max(at.after, ledger.tail() - 1) } : at;
}

/** One entry with the bytes as they came and every reception of its frame. */
function whole(entry: LedgerEntry, parts: DashboardParts): UplinkJson {
  const json = uplinkJson(entry, parts);
  const held =
    entry.body instanceof Uint8Array ? entry.body : parts.ledger.get(entry.body.seq)?.body;
  return held instanceof Uint8Array ? { ...json, body: held.toString('base64') } : json;
}

function isFaultCode(text: string): text is FaultCode {
  return Object.hasOwn(faultSentences, text);
}
