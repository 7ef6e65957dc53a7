/** `/codecs`: which there are, their versions, and new ones. `/devices/{id}/codec-history`. */
import { type Request, type Response, Router } from 'express';
import { codecs as builtIn } from '../../decoders/registry.ts';
import type { CodecDraft } from '../../gateway/codecs/codec-check.ts';
import {
  type CodecRecord,
  type CodecVersion,
  versionIn,
} from '../../gateway/codecs/codec-files.ts';
import type { PutOutcome } from '../../gateway/codecs/registry.ts';
import { parseReference } from '../../gateway/codecs/script.ts';
import { draftOf } from '../../gateway/codecs/script-directory.ts';
import type { SettledDevice } from '../../gateway/model/device.ts';
import { settleDevice } from '../../gateway/model/device-model.ts';
import { readRules } from '../../gateway/model/own-settings.ts';
import type { Principal } from '../access.ts';
import type { DashboardParts } from '../parts.ts';
import type { CodecHistoryJson, CodecJson, CodecsJson, CodecVersionJson } from '../protocol.ts';
import { bodyOf } from '../request/body.ts';
import { codecInput, codecMapping, readBody } from '../request/input.ts';
import { rows } from '../request/parameters.ts';
import { Problem } from '../request/problem.ts';
import { cursorTextOf, integerOf, textOf } from '../request/query.ts';
import { needs } from '../session.ts';

/** A script and its examples; the script itself has a limit of its own. */
const bodyBytesMax = 4_194_304;
const scriptTypes = ['application/javascript', 'text/javascript'];

export function codecsRouter(parts: DashboardParts): Router {
  const router = Router();
  const { registry } = parts.codecs;
  const mappingBody = bodyOf({ bytesMax: bodyBytesMax });
  router.get('/codecs', (request, response) => {
    response.json(list(request, parts));
  });
  router.get('/codecs/:id', (request, response) => {
    response.json(one(String(request.params['id']), textOf(request, 'version'), parts));
  });
  router.put('/codecs/:id', needs('admin'), draftBody(), async (request, response) => {
    const by = { origin: 'upload', name: nameOf(response) } as const;
    const id = String(request.params['id']);
    const outcome = await registry.put(id, draftIn(request), by);
    if (!outcome.ok) throw refused(outcome);
    response.status(outcome.isNew ? 201 : 200).json(one(id, undefined, parts));
  });
  router.put('/codecs/:id/mapping', needs('admin'), mappingBody, async (request, response) => {
    const id = String(request.params['id']);
    await putMapping(id, request, nameOf(response), parts);
    response.json(one(id, undefined, parts));
  });
  router.delete('/codecs/:id', needs('admin'), async (request, response) => {
    await remove(String(request.params['id']), parts);
    response.status(204).end();
  });
  router.get('/devices/:id/codec-history', (request, response) => {
    response.json(historyOf(String(request.params.id), parts));
  });
  return router;
}

/** A script as it is, or JSON with what is to be known of it. */
export function draftBody() {
  return bodyOf({ bytesMax: bodyBytesMax, textTypes: scriptTypes });
}

export function draftIn(request: Request): CodecDraft {
  const body: unknown = request.body;
  if (typeof body === 'string') return draftOf(body, undefined);
  const read = readBody(codecInput, body);
  return draftOf(read.script, read);
}

export function refused({ reason, problems }: Extract<PutOutcome, { ok: false }>): Problem {
  if (reason !== 'invalid') return new Problem(409, problems[0] ?? 'it cannot be put');
  const errors = problems.map((detail) => ({ path: 'script', detail }));
  return new Problem(422, problems[0] ?? 'it is not a codec', { errors });
}

/** Another version of the same text: what the codec gives is read by other rules. */
async function putMapping(
  id: string,
  request: Request,
  name: string,
  { codecs: { registry } }: DashboardParts,
): Promise<void> {
  const { mapping } = readBody(codecMapping, request.body);
  if (builtIn.some((one) => one.name === id)) {
    throw new Problem(409, 'a built-in codec: give the mapping to a model or a device');
  }
  const record = registry.get(id);
  const version = record && versionIn(record, undefined);
  if (record === undefined || version === undefined) throw new Problem(404, 'no such codec');
  const { rules, problems } = readRules(mapping);
  if (problems.length > 0) throw refused({ ok: false, reason: 'invalid', problems });
  const { dialect, variables } = version;
  const settings = { variables, ...(dialect && { dialect }), mapping: rules };
  const draft = { source: registry.source(version), ...settings, examples: [] };
  const origin = record.origin === 'import' ? 'import' : 'upload';
  const outcome = await registry.put(id, draft, { origin, name });
  if (!outcome.ok) throw refused(outcome);
}

function nameOf(response: Response): string {
  const principal: Principal | undefined = response.locals['principal'];
  return principal?.name ?? '';
}

function list(request: Request, { codecs: { registry } }: DashboardParts): CodecsJson {
  const limit = integerOf(request, 'limit', { ...rows, fallback: 100 });
  const after = cursorTextOf(request) ?? '';
  const all = [...builtIn.map(builtInJson), ...registry.list().map(codecJson)]
    .filter(({ id }) => id > after)
    .sort((left, right) => (left.id < right.id ? -1 : 1));
  const items = all.slice(0, limit);
  const last = items.at(-1);
  return all.length > limit && last !== undefined ? { items, nextCursor: last.id } : { items };
}

function builtInJson({ name, title, source }: (typeof builtIn)[number]): CodecJson {
  return { id: name, title, origin: 'built-in', source };
}

function codecJson({ id, title, origin, current, versions }: CodecRecord): CodecJson {
  const count = { versionCount: versions.length };
  return { id, title, origin, ...count, ...(current === undefined ? {} : { version: current }) };
}

function one(id: string, pin: string | undefined, parts: DashboardParts): CodecJson {
  const known = builtIn.find(({ name }) => name === id);
  if (known !== undefined && pin === undefined) return builtInJson(known);
  const { registry } = parts.codecs;
  const record = registry.get(id);
  if (record === undefined) throw new Problem(404, 'no such codec');
  const version = versionIn(record, pin);
  if (pin !== undefined && version === undefined)
    throw new Problem(404, 'this codec has no such version');
  return {
    ...codecJson(record),
    versions: record.versions.map(versionJson).reverse(),
    ...(version === undefined ? {} : { script: registry.source(version) }),
  };
}

function versionJson(given: CodecVersion): CodecVersionJson {
  const { version, bytes, addedAt, addedBy, dialect, variables, examples, isSound } = given;
  const mapping = given.mapping === undefined ? {} : { mapping: given.mapping };
  const told = { version, bytes, addedAt: new Date(addedAt).toISOString(), addedBy };
  const settings = { ...(dialect === undefined ? {} : { dialect }), variables: { ...variables } };
  return { ...told, ...settings, ...mapping, examples, isSound };
}

async function remove(id: string, parts: DashboardParts): Promise<void> {
  const { codecs } = parts;
  const record = codecs.registry.get(id);
  if (record === undefined) throw new Problem(404, 'no such codec');
  if (record.origin === 'directory' && record.current !== undefined) {
    throw new Problem(409, 'it comes from the directory of scripts: remove its file');
  }
  for await (const device of devicesOf(id, parts)) {
    const detail = `${device.id} uses it, and there may be more: give them another codec first`;
    throw new Problem(409, detail);
  }
  codecs.registry.delete(id);
}

const pageSize = 1_000;

/** Devices that follow or pin a codec, by themselves or their model; lets others have their turn. */
export async function* devicesOf(
  id: string,
  { registry: devices, models }: Pick<DashboardParts, 'registry' | 'models'>,
): AsyncGenerator<SettledDevice> {
  let after: string | undefined;
  do {
    const page = devices.list({ limit: pageSize, ...(after === undefined ? {} : { after }) });
    const settled = page.devices.map((one) => settleDevice(one, models.get(one.model ?? '')));
    yield* settled.filter(({ codec = '' }) => parseReference(codec).id === id);
    after = page.next;
    await new Promise((resolve) => setImmediate(resolve));
  } while (after !== undefined);
}

function historyOf(device: string, { codecs }: DashboardParts): CodecHistoryJson {
  const rows = codecs.history.rowsOf(device);
  return {
    device,
    items: rows.map(({ from, codec }) => ({
      fromSeq: from,
      ...referenceJson(codec),
    })),
  };
}

/** `id@version#rules`, of which either half may be missing. */
function referenceJson(text: string) {
  const [reference = '', mapping] = text.split('#');
  const at = reference.lastIndexOf('@');
  const known = { codec: reference.slice(0, at), version: reference.slice(at + 1) };
  const told = reference === '' ? { codec: null } : known;
  return { ...told, ...(mapping === undefined ? {} : { mapping }) };
}
