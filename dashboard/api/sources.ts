/** `GET /sources`: where the gateway listens, who sends to it, how much, and what is wrong. */
import { Router } from 'express';
import type { Source } from '../../gateway/pipeline/source-board.ts';
import type { DashboardParts } from '../parts.ts';
import type { SourceJson, SourcesJson } from '../protocol.ts';

export function sourcesRouter({
  sourceBoard,
  listening,
  clock,
}: Pick<DashboardParts, 'sourceBoard' | 'listening' | 'clock'>): Router {
  const router = Router();
  router.get('/sources', (_request, response) => {
    const { since, sources } = sourceBoard.report();
    const body: SourcesJson = {
      now: textOf(clock.now()),
      since: textOf(since),
      listening: listening().map(({ name, host, port }) => ({ name, host, port })),
      items: sources.map(sourceJson),
    };
    response.json(body);
  });
  return router;
}

function sourceJson({ messageLagMs, deriveLagMs, ...source }: Source): SourceJson {
  return {
    adapter: source.adapter,
    credential: source.credential,
    transport: source.transport,
    lastSeen: textOf(source.lastSeen),
    messages: { ...source.messages },
    uplinks: { ...source.uplinks },
    outcomes: { ...source.outcomes },
    faults: source.faults.map((each) => ({ ...each, lastSeen: textOf(each.lastSeen) })),
    ...(messageLagMs === undefined ? {} : { messageLagSeconds: messageLagMs / 1_000 }),
    ...(deriveLagMs === undefined ? {} : { deriveLagSeconds: deriveLagMs / 1_000 }),
  };
}

function textOf(time: number): string {
  return new Date(time).toISOString();
}
