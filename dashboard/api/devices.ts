/** `/devices`: list, read, put, delete and import. Keys go in and never come out. */
import { type Request, type RequestHandler, Router } from 'express';
import { fromExport, rowsOfExport } from '../../gateway/lorawan/device-exports.ts';
import { type DeviceProblem, parseDeviceInput } from '../../gateway/lorawan/device-input.ts';
import { withOpenKeys } from '../../gateway/lorawan/key-envelope.ts';
import type { Device } from '../../gateway/model/device.ts';
import { codecOfModel, macVersionOfModel } from '../../gateway/model/device-model.ts';
import { parseEui64 } from '../../gateway/model/eui.ts';
import type { DashboardParts } from '../parts.ts';
import type { DeviceJson, DevicesJson } from '../protocol.ts';
import { bodyOf } from '../request/body.ts';
import { kinds, rows, yesOrNo } from '../request/parameters.ts';
import { Problem } from '../request/problem.ts';
import { choiceOf, cursorTextOf, integerOf, textOf } from '../request/query.ts';
import { nameOf, needs } from '../session.ts';
import { parseDeviceTable } from './device-table.ts';

const importRowsMax = 100_000;
const importBytesMax = 67_108_864;
/** Rows between two turns of the event loop: devices must not wait for an import. */
const importGroupSize = 200;

/** `json` reads the body of one device; an import has a larger limit of its own. */
export function devicesRouter(parts: DashboardParts, json: RequestHandler): Router {
  const router = Router();
  router.get('/devices', (request, response) => {
    response.json(list(request, parts));
  });
  router.get('/devices/:id', (request, response) => {
    response.json(one(idOf(request, parts), parts));
  });
  router.put('/devices/:id', needs('operator'), json, async (request, response) => {
    const id = idOf(request, parts);
    const isNew = parts.registry.get(id) === undefined;
    const body = bodyObject(request);
    const problems = isOther(body, id)
      ? [{ path: 'id', detail: 'Is another than that of the path. Leave it out.' }]
      : await put(withOpenKeys({ ...body, id }, parts.kekOf), parts);
    if (problems.length > 0)
      throw new Problem(422, problems[0]?.detail ?? 'not a valid device', { errors: problems });
    response.status(isNew ? 201 : 200).json(one(idOf(request, parts), parts));
  });
  router.delete('/devices/:id', needs('operator'), async (request, response) => {
    const id = idOf(request, parts);
    if (!(await parts.registry.delete(id))) throw new Problem(404, 'no such device');
    // Or a device that nobody knows any more would go on publishing.
    await parts.mqtt.credentials.revoke(id, nameOf(response.locals['principal']));
    response.status(204).end();
  });
  router.post(
    /^\/devices:import$/,
    needs('operator'),
    bodyOf({ bytesMax: importBytesMax, textTypes: ['text/csv'] }),
    async (request, response) => {
      const isAtomic = choiceOf(request, 'atomic', yesOrNo) === 'true';
      const inputs = rowsOf(request, parts);
      response.json(await (isAtomic ? importWhole : importAll)(inputs, parts));
    },
  );
  return router;
}

/** A devEui in the path is found in every spelling of it. */
function idOf(request: Request, { registry }: DashboardParts): string {
  const text = String(request.params['id']);
  return registry.get(text) === undefined ? (parseEui64(text) ?? text) : text;
}

function bodyObject(request: Request): object {
  const body: unknown = request.body;
  if (typeof body === 'object' && body !== null && !Array.isArray(body)) return body;
  throw new Problem(400, 'the body is one device as a JSON object');
}

/** Whether the body says that it is of another device than the path, in whatever spelling. */
function isOther(body: object, id: string): boolean {
  const said: unknown = 'id' in body ? body.id : id;
  return said !== id && (typeof said !== 'string' || parseEui64(said) !== id);
}

type FieldProblem = { path: string; detail: string };

function put(input: unknown, parts: DashboardParts): Promise<FieldProblem[]> {
  return putParsed(parseDeviceInput(input), parts);
}

async function putParsed(
  parsed: ReturnType<typeof parseDeviceInput>,
  { registry }: DashboardParts,
): Promise<FieldProblem[]> {
  const problems =
    'problems' in parsed ? parsed.problems : await registry.put(parsed.device, parsed.keys);
  return problems.map(asFieldProblem);
}

function asFieldProblem({ path, message, remedy }: DeviceProblem): FieldProblem {
  return { path, detail: `${message} ${remedy}`.trim() };
}

function rowsOf(request: Request, { kekOf }: DashboardParts): readonly unknown[] {
  const body: unknown = request.body;
  const rows = typeof body === 'string' ? parseDeviceTable(body) : rowsOfExport(body);
  if (rows === undefined) throw new Problem(400, 'send a JSON array or text/csv');
  if (rows.length > importRowsMax) {
    throw new Problem(413, `an import has at most ${importRowsMax} rows`);
  }
  return rows.map((row) => fromExport(row, kekOf));
}

interface ImportResult {
  readonly imported: number;
  readonly failed: number;
  readonly rows: readonly ImportRow[];
}

interface ImportRow {
  readonly row: number;
  readonly id?: string;
  readonly ok: boolean;
  readonly errors?: FieldProblem[];
}

/** All or none, in one write. */
async function importWhole(
  inputs: readonly unknown[],
  { registry }: DashboardParts,
): Promise<ImportResult> {
  const done = await registry.putAll(inputs);
  const isDone = done.every(({ problems }) => problems.length === 0);
  const notWritten = [{ path: '', detail: 'not imported: other rows are at fault' }];
  const rows = done.map(({ device, problems }, index): ImportRow => {
    const id = device?.id ?? idIn(inputs[index]);
    const row = { row: index + 1, ...(id === undefined ? {} : { id }), ok: isDone };
    if (isDone) return row;
    return { ...row, errors: problems.length > 0 ? problems.map(asFieldProblem) : notWritten };
  });
  return { imported: isDone ? rows.length : 0, failed: isDone ? 0 : rows.length, rows };
}

/** One result a row, in order; a bad row stops only itself. */
async function importAll(inputs: readonly unknown[], parts: DashboardParts): Promise<ImportResult> {
  const rows: ImportRow[] = [];
  for (let at = 0; at < inputs.length; at += importGroupSize) {
    const group = inputs.slice(at, at + importGroupSize);
    const done = group.map((input, index) => importOne(input, at + index + 1, parts));
    for (const row of await Promise.all(done)) rows.push(row);
  }
  const imported = rows.filter(({ ok }) => ok).length;
  return { imported, failed: rows.length - imported, rows };
}

async function importOne(input: unknown, row: number, parts: DashboardParts): Promise<ImportRow> {
  const parsed = parseDeviceInput(input);
  const errors = await putParsed(parsed, parts);
  const id = 'device' in parsed ? parsed.device.id : idIn(input);
  return {
    row,
    ...(id === undefined ? {} : { id }),
    ok: errors.length === 0,
    ...(errors.length > 0 && { errors }),
  };
}

function idIn(input: unknown): string | undefined {
  if (typeof input !== 'object' || input === null || !('id' in input)) return undefined;
  return typeof input.id === 'string' ? input.id.slice(0, 64) : undefined;
}

function one(id: string, parts: DashboardParts): DeviceJson {
  const { registry, catalogue } = parts;
  const device = registry.get(id);
  const lastSeen = catalogue.lastSeen(id);
  if (device !== undefined) return deviceJson(device, lastSeen, parts);
  if (lastSeen !== undefined) return heardJson(id, lastSeen);
  throw new Problem(404, 'no such device');
}

/** Registered devices and those that were only heard, in the order of their ids. */
function list(request: Request, parts: DashboardParts): DevicesJson {
  const { registry, catalogue } = parts;
  const limit = integerOf(request, 'limit', { ...rows, fallback: 100 });
  const after = cursorTextOf(request);
  const wanted = choiceOf(request, 'registered', yesOrNo);
  const filter = filterOf(request, parts);
  const start = after === undefined ? {} : { after };
  const page = wanted === 'false' ? { devices: [] } : registry.list({ ...start, limit, filter });
  const isFiltered = Object.keys(filter).length > 0;
  const heard = wanted === 'true' || isFiltered ? [] : heardOnly(after ?? '', limit + 1, parts);
  const merged = [
    ...page.devices.map((device) => deviceJson(device, catalogue.lastSeen(device.id), parts)),
    ...heard,
  ].sort((a, b) => (a.id < b.id ? -1 : 1));
  const items = merged.slice(0, limit);
  const last = items.at(-1);
  const isMore = merged.length > limit || page.next !== undefined;
  return isMore && last !== undefined ? { items, nextCursor: last.id } : { items };
}

function filterOf(request: Request, { models }: DashboardParts) {
  const kind = choiceOf(request, 'kind', kinds);
  const agency = textOf(request, 'agency');
  const area = textOf(request, 'area');
  const model = textOf(request, 'model');
  const codec = textOf(request, 'codec');
  const text = textOf(request, 'q');
  return {
    ...(kind === undefined ? {} : { kind }),
    ...(agency === undefined ? {} : { agency }),
    ...(area === undefined ? {} : { area }),
    ...(model === undefined ? {} : { model }),
    ...(codec === undefined
      ? {}
      : { codec, codecOf: (device: Device) => fromModel(device, models).fromModel?.codec }),
    ...(text === undefined ? {} : { text }),
  };
}

function heardOnly(
  after: string,
  limit: number,
  { registry, catalogue }: DashboardParts,
): DeviceJson[] {
  const found: DeviceJson[] = [];
  let from = after;
  for (;;) {
    const page = catalogue.devicesHeard(from, limit);
    for (const { id, lastSeen } of page) {
      from = id;
      if (registry.get(id) === undefined) found.push(heardJson(id, lastSeen));
      if (found.length >= limit) return found;
    }
    if (page.length === 0) return found;
  }
}

function heardJson(id: string, lastSeen: number): DeviceJson {
  const kind = /^[0-9a-f]{16}$/.test(id) ? 'lorawan' : 'cellular';
  return { id, kind, registered: false, lastSeen: new Date(lastSeen).toISOString() };
}

function deviceJson(
  device: Device,
  lastSeen: number | undefined,
  { models }: DashboardParts,
): DeviceJson {
  const { location, tags, mapping, limits, ...plain } = device;
  return {
    ...plain,
    registered: true,
    ...fromModel(device, models),
    ...(mapping === undefined ? {} : { mapping: [...mapping] }),
    ...(limits === undefined ? {} : { limits: [...limits] }),
    ...(location === undefined ? {} : { location: { ...location } }),
    ...(tags === undefined ? {} : { tags: { ...tags } }),
    ...(lastSeen === undefined ? {} : { lastSeen: new Date(lastSeen).toISOString() }),
  };
}

function fromModel(device: Device, models: DashboardParts['models']): Partial<DeviceJson> {
  const { firmware, kind } = device;
  const model = device.model === undefined ? undefined : models.get(device.model);
  if (model === undefined) return {};
  const codec = device.codec === undefined ? codecOfModel(model, firmware) : undefined;
  const isTold = kind === 'lorawan' && device.macVersion === undefined;
  const macVersion = isTold ? macVersionOfModel(model, firmware) : undefined;
  return {
    fromModel: {
      name: model.name,
      ...(codec === undefined ? {} : { codec }),
      ...(macVersion === undefined ? {} : { macVersion }),
    },
  };
}
