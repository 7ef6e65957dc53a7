/** `/clients`, `/bans` and `/audit`: who is connected over MQTT, who may not, and who did what. */
import { type Request, type RequestHandler, Router } from 'express';
import type { Ban } from '../../gateway/transports/mqtt/bans.ts';
import type { MqttClientView } from '../../gateway/transports/mqtt/options.ts';
import type { MqttOperators } from '../operators.ts';
import type { DashboardParts } from '../parts.ts';
import { banInput, readBody } from '../request/input.ts';
import { auditPlaces, rows } from '../request/parameters.ts';
import { Problem } from '../request/problem.ts';
import { cursorTextOf, integerOf, textOf } from '../request/query.ts';
import { nameOf, needs } from '../session.ts';

interface Page<Item> {
  readonly items: readonly Item[];
  readonly nextCursor?: string;
}

export function clientsRouter(
  { mqtt, clock }: Pick<DashboardParts, 'mqtt' | 'clock'>,
  json: RequestHandler,
): Router {
  const router = Router();
  const admin = needs('admin');
  router.get('/clients', admin, (request, response) => {
    response.json(listClients(request, mqtt.clients()));
  });
  router.post(/^\/clients\/(?<id>[^/]+):disconnect$/, admin, (request, response) => {
    const id = String(request.params['id']);
    if (!mqtt.disconnect(id, nameOf(response.locals['principal']))) {
      throw new Problem(404, 'no such client is connected');
    }
    response.status(204).end();
  });
  router.get('/bans', admin, (_request, response) => {
    response.json({ items: mqtt.bans().map(banJson) });
  });
  router.post('/bans', admin, json, async (request, response) => {
    const by = nameOf(response.locals['principal']);
    const { seconds, ...input } = readBody(banInput, request.body);
    const ban = await mqtt.ban({ ...input, by, until: clock.now() + seconds * 1_000 });
    if (ban === undefined) throw new Problem(409, 'there are too many bans: lift some first');
    response.status(201).json(banJson(ban));
  });
  router.delete('/bans/:id', admin, async (request, response) => {
    const by = nameOf(response.locals['principal']);
    if (!(await mqtt.lift(String(request.params['id']), by))) {
      throw new Problem(404, 'no such ban');
    }
    response.status(204).end();
  });
  router.get('/audit', admin, async (request, response) => {
    response.json(await readAudit(request, mqtt));
  });
  return router;
}

/** In the order of their ids, which is what the cursor is. */
function listClients(request: Request, connected: readonly MqttClientView[]): Page<object> {
  const limit = integerOf(request, 'limit', { ...rows, fallback: 100 });
  const after = cursorTextOf(request) ?? '';
  const text = textOf(request, 'q')?.toLowerCase() ?? '';
  const isWanted = ({ clientId, username, address }: MqttClientView): boolean =>
    clientId > after &&
    [clientId, username, address].some((field) => field.toLowerCase().includes(text));
  const wanted = connected
    .filter(isWanted)
    .sort((left, right) => (left.clientId < right.clientId ? -1 : 1));
  const page = wanted.slice(0, limit);
  const items = page.map(clientJson);
  const last = page.at(-1);
  const isMore = wanted.length > limit && last !== undefined;
  return isMore ? { items, nextCursor: last.clientId } : { items };
}

function clientJson({ since, ...client }: MqttClientView): object {
  return { ...client, since: new Date(since).toISOString() };
}

function banJson({ since, until, ...ban }: Ban): object {
  const times = { since: new Date(since).toISOString(), until: new Date(until).toISOString() };
  return { ...ban, ...times };
}

async function readAudit(request: Request, mqtt: MqttOperators): Promise<Page<object>> {
  const limit = integerOf(request, 'limit', { ...rows, fallback: 100 });
  const before = integerOf(request, 'cursor', { ...auditPlaces, fallback: auditPlaces.max });
  const event = textOf(request, 'event');
  const found = await mqtt.audit({ before, limit, ...(event === undefined ? {} : { event }) });
  const items = found.map(({ at, ...entry }) => ({ ...entry, at: new Date(at).toISOString() }));
  const last = items.at(-1);
  const isMore = items.length === limit && last !== undefined;
  return isMore ? { items, nextCursor: String(last.seq) } : { items };
}
