/** `/derive`: kept uplinks derived again after a codec or a device was mended, and how far that is. */
import { type RequestHandler, type Response, Router } from 'express';
import type { Principal } from '../access.ts';
import type { DashboardAgain, DashboardParts } from '../parts.ts';
import type { DeriveJson } from '../protocol.ts';
import { deriveInput, readBody } from '../request/input.ts';
import { Problem } from '../request/problem.ts';
import { needs } from '../session.ts';

export function deriveRouter(
  { deriveAgain, ledger }: DashboardParts,
  json: RequestHandler,
): Router {
  const router = Router();
  router.get('/derive', (_request, response) => {
    response.json(stateJson(deriveAgain.state()));
  });
  router.post('/derive', needs('admin'), json, (request, response) => {
    const wish = readBody(deriveInput, request.body);
    const from = Math.max(wish.from, ledger.tail());
    const begun = deriveAgain.start({ ...wish, from, startedBy: nameOf(response) });
    if (begun === undefined) throw new Problem(409, 'another one is under way');
    response.status(202).json(stateJson(begun));
  });
  router.delete('/derive', needs('admin'), (_request, response) => {
    if (!deriveAgain.stop()) throw new Problem(404, 'nothing is derived again now');
    response.status(204).end();
  });
  return router;
}

function nameOf(response: Response): string {
  const principal: Principal | undefined = response.locals['principal'];
  return principal?.name ?? '';
}

function stateJson(state: ReturnType<DashboardAgain['state']>): DeriveJson {
  if (state === undefined) return { state: 'none' };
  const { startedAt, endedAt, ...rest } = state;
  return {
    ...rest,
    startedAt: new Date(startedAt).toISOString(),
    ...(endedAt === undefined ? {} : { endedAt: new Date(endedAt).toISOString() }),
  };
}
