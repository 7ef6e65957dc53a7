/**
 * `/credentials`: the MQTT credentials of single devices, for administrators. A secret is drawn
 * here and answered once; what is kept is a hash.
 */
import { type Request, type RequestHandler, Router } from 'express';
import type { CredentialView } from '../operators.ts';
import type { DashboardParts } from '../parts.ts';
import { bodyOf } from '../request/body.ts';
import { credentialsInput, readBody, rotateInput } from '../request/input.ts';
import { rows } from '../request/parameters.ts';
import { Problem } from '../request/problem.ts';
import { cursorTextOf, integerOf } from '../request/query.ts';
import { nameOf, needs } from '../session.ts';

/** As much as so many devices with long names take. */
const bodyBytesMax = 1_048_576;

export function credentialsRouter(
  { mqtt, clock }: Pick<DashboardParts, 'mqtt' | 'clock'>,
  json: RequestHandler,
): Router {
  const { credentials } = mqtt;
  const router = Router();
  const admin = needs('admin');
  router.get('/credentials', admin, (request, response) => {
    const limit = integerOf(request, 'limit', { ...rows, fallback: 100 });
    const page = credentials.list({ after: cursorTextOf(request) ?? '', limit: limit + 1 });
    const items = page.slice(0, limit).map(credentialJson);
    const last = page[limit - 1];
    const isMore = page.length > limit && last !== undefined;
    response.json(isMore ? { items, nextCursor: last.deviceId } : { items });
  });
  const manyJson = bodyOf({ bytesMax: bodyBytesMax });
  router.post('/credentials', admin, manyJson, async (request, response) => {
    const { devices, application } = readBody(credentialsInput, request.body);
    const wanted = devices.map(({ deviceId, agency }) => ({ deviceId, agency, application }));
    const items = await credentials.create(wanted, nameOf(response.locals['principal']));
    response.json({ items });
  });
  router.post(/^\/credentials\/(?<id>[^/]+):rotate$/, admin, json, async (request, response) => {
    const { overlapHours } = readBody(rotateInput, request.body ?? {});
    const until = clock.now() + overlapHours * 3_600_000;
    const by = nameOf(response.locals['principal']);
    const secret = await credentials.rotate(idOf(request), { until, by });
    if (secret === undefined) throw unknownDevice();
    const oldUntil = new Date(until).toISOString();
    response.json({ deviceId: idOf(request), secret, oldUntil });
  });
  router.delete('/credentials/:id', admin, async (request, response) => {
    const by = nameOf(response.locals['principal']);
    if (!(await credentials.revoke(idOf(request), by))) throw unknownDevice();
    response.status(204).end();
  });
  return router;
}

function idOf(request: Request): string {
  return String(request.params['id']);
}

function unknownDevice(): Problem {
  return new Problem(404, 'the device has no credential');
}

function credentialJson({ secrets, ...account }: CredentialView): object {
  const times = secrets.map(({ validUntil }) =>
    validUntil === undefined ? {} : { validUntil: new Date(validUntil).toISOString() },
  );
  return { ...account, secrets: times };
}
