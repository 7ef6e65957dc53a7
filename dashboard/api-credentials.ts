/**
 * `/credentials`: the MQTT credentials of single devices, for administrators. A secret is drawn
 * here and answered once; what is kept is a hash.
 */
import { type Request, type RequestHandler, Router } from 'express';
import { isDeviceId } from '../gateway/model/device.ts';
import { bodyOf } from './body.ts';
import type { CredentialView } from './operators.ts';
import type { DashboardParts } from './parts.ts';
import { Problem } from './problem.ts';
import { integerOf, textOf } from './query.ts';
import { nameOf, needs } from './session.ts';

/** In one request: a client that asks for more asks again, and can tell how far it is. */
const devicesAtOnceMax = 1_000;
const textMax = 128;
/** As much as so many devices with long names take. */
const bodyBytesMax = 1_048_576;
const overlapHoursMax = 8_784;
const defaultOverlapHours = 72;

export function credentialsRouter(
  { mqtt, clock }: Pick<DashboardParts, 'mqtt' | 'clock'>,
  json: RequestHandler,
): Router {
  const { credentials } = mqtt;
  const router = Router();
  const admin = needs('admin');
  router.get('/credentials', admin, (request, response) => {
    const limit = integerOf(request, 'limit', { min: 1, max: 1_000, fallback: 100 });
    const page = credentials.list({ after: textOf(request, 'cursor') ?? '', limit: limit + 1 });
    const items = page.slice(0, limit).map(credentialJson);
    const last = page[limit - 1];
    const isMore = page.length > limit && last !== undefined;
    response.json(isMore ? { items, nextCursor: last.deviceId } : { items });
  });
  const manyJson = bodyOf({ bytesMax: bodyBytesMax });
  router.post('/credentials', admin, manyJson, async (request, response) => {
    const { devices, application } = readDevices(request.body);
    const wanted = devices.map((device) => ({ ...device, application }));
    const items = await credentials.create(wanted, nameOf(response.locals['principal']));
    response.json({ items });
  });
  router.post(/^\/credentials\/(?<id>[^/]+):rotate$/, admin, json, async (request, response) => {
    const until = clock.now() + readHours(request.body) * 3_600_000;
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

/** Refuses fields that it does not know, as all that change something do. */
function fieldsOf(body: unknown, known: readonly string[]): ReadonlyMap<string, unknown> {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new Problem(400, `send a JSON object with ${known.join(' and ')}`);
  }
  const fields = new Map<string, unknown>(Object.entries(body));
  const unknown = [...fields.keys()].find((name) => !known.includes(name));
  if (unknown !== undefined) throw new Problem(400, `unknown field ${unknown}`);
  return fields;
}

function readDevices(body: unknown) {
  const fields = fieldsOf(body, ['devices', 'application']);
  const rows: unknown = fields.get('devices');
  if (!Array.isArray(rows) || rows.length === 0 || rows.length > devicesAtOnceMax) {
    throw new Problem(400, `devices is a list of 1 to ${devicesAtOnceMax}`);
  }
  const devices = rows.map((row: unknown) => {
    const device = fieldsOf(row, ['deviceId', 'agency']);
    const deviceId = readText(device, 'deviceId');
    if (deviceId === undefined || !isDeviceId(deviceId)) {
      throw new Problem(400, `${deviceId} is no device id`);
    }
    return { deviceId, agency: readText(device, 'agency') };
  });
  return { devices, application: readText(fields, 'application') };
}

function readText(fields: ReadonlyMap<string, unknown>, name: string): string | undefined {
  const value = fields.get(name);
  if (value === undefined || (typeof value === 'string' && value.length <= textMax)) return value;
  throw new Problem(400, `${name} is a text of at most ${textMax} characters`);
}

function readHours(body: unknown): number {
  const hours = fieldsOf(body ?? {}, ['overlapHours']).get('overlapHours') ?? defaultOverlapHours;
  if (typeof hours === 'number' && hours >= 0 && hours <= overlapHoursMax) return hours;
  throw new Problem(400, `overlapHours is from 0 to ${overlapHoursMax}`);
}
