/** `POST /codecs/{id}:dryrun`: what a new version would change; nothing of it is kept. */
import { type Request, Router } from 'express';
import { draftScript } from '../../gateway/codecs/codec-check.ts';
import { withKept } from '../../gateway/codecs/registry.ts';
import type { SettledDevice } from '../../gateway/model/device.ts';
import { settleDevice } from '../../gateway/model/device-model.ts';
import { type DryRunReport, dryRun } from '../../gateway/pipeline/codec-dry-run.ts';
import type { DashboardParts } from '../parts.ts';
import type { DryRunJson } from '../protocol-dry-run.ts';
import { rows } from '../request/parameters.ts';
import { Problem } from '../request/problem.ts';
import { integerOf, textOf } from '../request/query.ts';
import { needs } from '../session.ts';
import { devicesOf, draftBody, draftIn, refused } from './codecs.ts';

/** Devices whose uplinks are looked at; the first by their ids. */
const devicesMax = 1_000;

export function codecDryRunRouter(parts: DashboardParts): Router {
  const router = Router();
  /** One at a time: each may take as long as its calls may. */
  let isUnderWay = false;
  const path = /^\/codecs\/([^/:]+):dryrun$/;
  router.post(path, needs('admin'), draftBody(), async (request, response) => {
    if (isUnderWay) throw new Problem(409, 'another dry run is under way');
    isUnderWay = true;
    try {
      response.json(await run(String(request.params['0']), request, parts));
    } finally {
      isUnderWay = false;
    }
  });
  return router;
}

async function run(id: string, request: Request, parts: DashboardParts): Promise<DryRunJson> {
  const { codecs, ledger, catalogue } = parts;
  const limit = integerOf(request, 'uplinks', { ...rows, fallback: 100 });
  const devices = await devicesFor(id, textOf(request, 'device'), parts);
  const draft = withKept(draftIn(request), codecs.registry.get(id));
  const problems = await codecs.registry.check(id, draft);
  if (problems.length > 0) throw refused({ ok: false, reason: 'invalid', problems });
  const after = draftScript(id, draft);
  const before = codecs.registry.script(id);
  const scripts = codecs.tryOut((name) => (name === 'after' ? after : before));
  try {
    const report = await dryRun(devices, limit, { ledger, catalogue, scripts });
    return { version: after.version, ...reportJson(report) };
  } finally {
    await scripts.close();
  }
}

/** Those that follow the codec: a new version does not reach the ones that pin another. */
async function devicesFor(
  id: string,
  device: string | undefined,
  parts: DashboardParts,
): Promise<SettledDevice[]> {
  const { registry, models } = parts;
  if (device !== undefined) {
    const known = registry.get(device);
    if (known === undefined) throw new Problem(404, 'no such device');
    return [settleDevice(known, models.get(known.model ?? ''))];
  }
  const found: SettledDevice[] = [];
  for await (const one of devicesOf(id, parts)) {
    if (one.codec === id) found.push(one);
    if (found.length >= devicesMax) break;
  }
  return found;
}

function reportJson({ differences, ...counts }: DryRunReport): Omit<DryRunJson, 'version'> {
  return {
    ...counts,
    differences: differences.map(({ receivedAt, readings, ...uplink }) => ({
      ...uplink,
      receivedAt: new Date(receivedAt).toISOString(),
      readings: readings.map(({ time, ...reading }) => ({
        ...reading,
        ...(time === undefined ? {} : { time: new Date(time).toISOString() }),
      })),
    })),
  };
}
