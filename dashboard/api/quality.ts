/** `GET /uplinks/{seq}/quality`: what each quality test has found of the readings of an uplink. */
import { Router } from 'express';
import { unitOf } from '../../decoders/mapping.ts';
import type { DashboardParts } from '../parts.ts';
import type { QualityFlag } from '../protocol.ts';
import { Problem } from '../request/problem.ts';
import { entrySeqOf } from '../request/query.ts';

interface QualityJson {
  seq: number;
  items: {
    quantity: string;
    channel?: string;
    value: number | string;
    unit: string;
    time: string;
    quality: QualityFlag;
    /** By the name of the test; 2 where it said nothing. */
    tests: Readonly<Record<string, QualityFlag>>;
    limits: object;
    /** Who says each of the limits. */
    limitsFrom: Readonly<Record<string, string>>;
  }[];
}

export function qualityRouter({ ledger, readings }: DashboardParts): Router {
  const router = Router();
  router.get('/uplinks/:seq/quality', async (request, response) => {
    const seq = entrySeqOf(request.params.seq);
    const entry = ledger.get(seq);
    if (entry === undefined) throw new Problem(404, 'no ledger entry has this seq');
    const explained = await readings.explain(seq);
    const answer: QualityJson = {
      seq,
      items: explained.map(({ time, ...rest }) => ({
        ...rest,
        unit: unitOf(rest.quantity),
        time: new Date(time).toISOString(),
      })),
    };
    response.json(answer);
  });
  return router;
}
