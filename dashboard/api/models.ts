/** `/models`: device models, from imports and put by people. `/unmapped`: what wants a mapping. */
import { type Request, type RequestHandler, Router } from 'express';
import { modelIdPattern, readModelSettings } from '../../gateway/codecs/models/model-input.ts';
import type { DeviceRegistry } from '../../gateway/lorawan/device-registry.ts';
import type { Device } from '../../gateway/model/device.ts';
import {
  codecOfModel,
  type DeviceModel,
  macVersionOfModel,
} from '../../gateway/model/device-model.ts';
import type { DashboardParts } from '../parts.ts';
import type { ModelJson, ModelsJson, UnmappedJson } from '../protocol-models.ts';
import { rows } from '../request/parameters.ts';
import { Problem } from '../request/problem.ts';
import { cursorTextOf, integerOf, textOf } from '../request/query.ts';
import { needs } from '../session.ts';

export function modelsRouter(parts: DashboardParts, json: RequestHandler): Router {
  const router = Router();
  const { models } = parts;
  router.get('/models', (request, response) => {
    response.json(list(request, parts));
  });
  router.get('/models/:id', async (request, response) => {
    response.json(await one(String(request.params['id']), parts));
  });
  router.put('/models/:id', needs('admin'), json, async (request, response) => {
    const id = String(request.params['id']);
    if (!modelIdPattern.test(id)) {
      throw new Problem(422, 'the id is a text of 1 to 128 characters on one line');
    }
    const read = readModelSettings(request.body);
    if ('problems' in read) {
      throw new Problem(422, read.problems[0]?.detail ?? 'not a device model', {
        errors: [...read.problems],
      });
    }
    const isNew = models.get(id) === undefined;
    const refusal = await models.put(id, read.settings);
    if (refusal !== undefined) throw new Problem(409, refusal);
    response.status(isNew ? 201 : 200).json(await one(id, parts));
  });
  router.delete('/models/:id', needs('admin'), async (request, response) => {
    const id = String(request.params['id']);
    for await (const device of devicesNaming(id, parts.registry)) {
      const detail = `${device.id} names it, and there may be more: give them another model first`;
      throw new Problem(409, detail);
    }
    if (!(await models.delete(id))) throw new Problem(404, 'no such model');
    response.status(204).end();
  });
  router.get('/unmapped', async (request, response) => {
    response.json(await unmapped(request, parts));
  });
  return router;
}

function list(request: Request, { models }: DashboardParts): ModelsJson {
  const page = models.list({
    limit: integerOf(request, 'limit', { ...rows, fallback: 100 }),
    after: cursorTextOf(request),
    text: textOf(request, 'q'),
    codec: textOf(request, 'codec'),
  });
  const items = page.models.map((model) => modelJson(model, models.isImported(model.id)));
  const last = items.at(-1);
  return page.isMore && last !== undefined ? { items, nextCursor: last.id } : { items };
}

async function one(id: string, { models, registry }: DashboardParts): Promise<ModelJson> {
  const model = models.get(id);
  if (model === undefined) throw new Problem(404, 'no such model');
  let deviceCount = 0;
  for await (const _device of devicesNaming(id, registry)) deviceCount += 1;
  const settings = models.settingsOf(id);
  return {
    ...modelJson(model, models.isImported(id)),
    deviceCount,
    ...(settings === undefined ? {} : { settings: { ...settings } }),
  };
}

function modelJson(model: DeviceModel, isImported: boolean): ModelJson {
  const [codec, macVersion] = [codecOfModel(model), macVersionOfModel(model)];
  const { sensors, firmware, mapping, limits, ...plain } = model;
  return {
    ...plain,
    origin: isImported ? 'import' : 'own',
    sensors: [...sensors],
    firmware: [...firmware],
    ...(codec === undefined ? {} : { codec }),
    ...(macVersion === undefined ? {} : { macVersion }),
    ...(mapping === undefined ? {} : { mapping: [...mapping] }),
    ...(limits === undefined ? {} : { limits: [...limits] }),
  };
}

const pageSize = 1_000;

/** Lets the event loop turn between pages. */
async function* devicesNaming(model: string, devices: DeviceRegistry): AsyncGenerator<Device> {
  let after: string | undefined;
  do {
    const start = after === undefined ? {} : { after };
    const page = devices.list({ limit: pageSize, filter: { model }, ...start });
    yield* page.devices;
    after = page.next;
    await new Promise((resolve) => setImmediate(resolve));
  } while (after !== undefined);
}

async function unmapped(request: Request, { readings }: DashboardParts): Promise<UnmappedJson> {
  const { items, total, beyond } = await readings.unmapped({
    codec: textOf(request, 'codec'),
    model: textOf(request, 'model'),
    device: textOf(request, 'device'),
    limit: integerOf(request, 'limit', { ...rows, fallback: 100 }),
  });
  return {
    total,
    beyond,
    items: items.map(({ codec, model, min, max, firstSeen, lastSeen, suggestions, ...rest }) => ({
      ...rest,
      suggestions: [...suggestions],
      firstSeen: new Date(firstSeen).toISOString(),
      lastSeen: new Date(lastSeen).toISOString(),
      ...(codec === undefined ? {} : { codec }),
      ...(model === undefined ? {} : { model }),
      ...(min === undefined ? {} : { min }),
      ...(max === undefined ? {} : { max }),
    })),
  };
}
