/** `/derive`: kept uplinks derived again after a codec or a device was mended, and how far that is. */
import { type Request, type RequestHandler, type Response, Router } from 'express';
import type { Principal } from './access.ts';
import type { DashboardAgain, DashboardParts } from './parts.ts';
import { Problem } from './problem.ts';
import type { DeriveJson } from './protocol.ts';
import { needs } from './session.ts';

export function deriveRouter(
  { deriveAgain, ledger }: DashboardParts,
  json: RequestHandler,
): Router {
  const router = Router();
  router.get('/derive', (_request, response) => {
    response.json(stateJson(deriveAgain.state()));
  });
  router.post('/derive', needs('admin'), json, (request, response) => {
    const wish = wishIn(request);
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

const fields = ['from', 'device', 'codec'];

function wishIn(request: Request): { from: number; device?: string; codec?: string } {
  const body: unknown = request.body;
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new Problem(400, 'send {"from": seq}, and device or codec if wanted');
  }
  const unknown = Object.keys(body).find((name) => !fields.includes(name));
  if (unknown !== undefined) {
    throw new Problem(400, `unknown field ${unknown}; known: ${fields.join(', ')}`);
  }
  const { from, device, codec } = { from: undefined, device: undefined, codec: undefined, ...body };
  if (!isSeq(from)) throw new Problem(400, 'from is a ledger seq, from 1');
  if (!isName(device)) throw new Problem(400, 'device is the id of a device');
  if (!isName(codec)) throw new Problem(400, 'codec is the id of a codec');
  return {
    from,
    ...(device === undefined ? {} : { device }),
    ...(codec === undefined ? {} : { codec }),
  };
}

function isSeq(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 1;
}

function isName(value: unknown): value is string | undefined {
  return value === undefined || (typeof value === 'string' && /^.{1,128}$/.test(value));
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
