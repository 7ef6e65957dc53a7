/** `GET /devices/{id}/link`: how well a device is heard, from its newest uplinks in the ledger. */
import { type Request, Router } from 'express';
import type { LedgerEntry } from '../../gateway/ledger/ledger.ts';
import {
  type HeardUplink,
  type LinkPeriod,
  linkQualityOf,
} from '../../gateway/lorawan/link-quality.ts';
import { parseEui64 } from '../../gateway/model/eui.ts';
import type { DashboardParts } from '../parts.ts';
import type { LinkJson } from '../protocol.ts';
import { rows } from '../request/parameters.ts';
import { Problem } from '../request/problem.ts';
import { integerOf } from '../request/query.ts';

/** Entries of the ledger that are read to find the uplinks. */
const entriesMax = 4_000;
const pageSize = 200;
/** MHDR, DevAddr, FCtrl, FCnt, FPort and MIC, where the frame itself was not seen. */
const frameOverhead = 13;

export function linkRouter(parts: DashboardParts): Router {
  const router = Router();
  router.get('/devices/:id/link', (request, response) => {
    response.json(linkOf(request, parts));
  });
  return router;
}

function linkOf(request: Request, parts: DashboardParts): LinkJson {
  const text = String(request.params['id']);
  const id = parts.registry.get(text) === undefined ? (parseEui64(text) ?? text) : text;
  const limit = integerOf(request, 'limit', { ...rows, fallback: 200 });
  if (parts.registry.get(id) === undefined && parts.catalogue.lastSeen(id) === undefined) {
    throw new Problem(404, 'no such device');
  }
  const uplinks = newestUplinks(id, limit, parts);
  const { gateways, trend, received, lost, resets, airtimeSeconds } = linkQualityOf(uplinks);
  const expected = received + lost;
  return {
    ...{ device: id, received, lost, resets },
    lossRatio: expected > 0 ? rounded(Math.max(0, lost) / expected) : 0,
    airtimeSeconds: rounded(airtimeSeconds),
    gateways: gateways.map(({ lastHeard, ...rest }) => ({ ...rest, lastHeard: time(lastHeard) })),
    trend: trend.map(periodJson),
  };
}

/** The oldest first. */
function newestUplinks(id: string, limit: number, parts: DashboardParts): HeardUplink[] {
  const { catalogue, ledger } = parts;
  const found: HeardUplink[] = [];
  let before = Number.MAX_SAFE_INTEGER;
  for (let read = 0; read < entriesMax && found.length < limit; ) {
    const seqs = catalogue.find({ device: id, before, limit: pageSize }) ?? [];
    for (const seq of seqs) {
      const entry = found.length < limit ? ledger.get(seq) : undefined;
      const heard = entry && heardUplink(entry, parts);
      if (heard !== undefined) found.push(heard);
      before = seq;
    }
    if (seqs.length === 0) break;
    read += seqs.length;
  }
  return found.reverse();
}

function heardUplink(entry: LedgerEntry, { ledger }: DashboardParts): HeardUplink | undefined {
  const { item, outcome, seq } = entry;
  if (item.kind !== 'payload' || outcome !== 'accepted') return undefined;
  const { fCnt, txInfo, devAddr = '', session = '', phyPayload, frmPayload } = item;
  if (fCnt === undefined && item.rxInfo.length === 0) return undefined;
  const later = ledger.copiesOf(seq).flatMap(receptionsOf);
  return {
    time: item.rxTime ?? entry.receivedAt,
    session: `${devAddr}/${session}`,
    size: phyPayload?.length ?? frameOverhead + (frmPayload?.length ?? 0),
    rxInfo: [...item.rxInfo, ...later],
    ...(fCnt === undefined ? {} : { fCnt }),
    ...(txInfo === undefined ? {} : { txInfo }),
  };
}

function receptionsOf({ item }: LedgerEntry) {
  return item.kind === 'payload' ? item.rxInfo : [];
}

function periodJson({ from, to, airtimeSeconds, ...rest }: LinkPeriod): LinkJson['trend'][number] {
  return { ...rest, from: time(from), to: time(to), airtimeSeconds: rounded(airtimeSeconds) };
}

const time = (ms: number): string => new Date(ms).toISOString();
const rounded = (value: number): number => Math.round(value * 10_000) / 10_000;
