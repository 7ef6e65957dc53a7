/** The derive worker beside the ingest thread: it knows the devices, and a crash of it is told. */
import { readFileSync } from 'node:fs';
import type { Config } from '../../config/schema.ts';
import type { Holdings } from '../holdings/holdings.ts';
import type { Hub } from '../live/hub.ts';
import type { Log } from '../log.ts';
import type { DeviceRegistry } from '../lorawan/device-registry.ts';
import type { Clock } from '../model/clock.ts';
import { type DeriveProcess, startDeriveProcess } from '../pipeline/derive-process.ts';
import type { FromWorker } from '../pipeline/worker-messages.ts';
import { type AgainControl, createAgainControl } from './derive-again.ts';

export interface Derivation {
  readonly derive: DeriveProcess;
  readonly deriveAgain: AgainControl;
  /** Why nothing is derived at present; undefined while it runs. */
  fault(): string | undefined;
}

interface DerivationParts {
  readonly config: Config;
  readonly holdings: Pick<Holdings, 'dataDir' | 'registry' | 'models' | 'codecs' | 'ledger'>;
  readonly hub: Hub;
  readonly log: Log;
  readonly clock: Clock;
  readonly onMessage: (message: FromWorker) => void;
}

export function startDerivation(parts: DerivationParts): Derivation {
  const { config, hub, log, clock } = parts;
  const { dataDir, registry, models, codecs, ledger } = parts.holdings;
  let crash = 'starting';
  const derive = startDeriveProcess({
    program: new URL('./worker.js', import.meta.url),
    settings: () => ({
      ...workerSettings(dataDir, config, registry),
      models: models.all(),
    }),
    onMessage(message) {
      deriveAgain.take(message);
      parts.onMessage(message);
    },
    onCrash(reason) {
      crash = reason;
      hub.resetSender();
      log.error({ event: 'derive-crashed', reason }, 'derive worker crashed; it starts again');
    },
  });
  registry.onChange((change) =>
    derive.device(change.id, change.kind === 'put' ? change.device : undefined),
  );
  models.onChange((id, model) => derive.model(id, model));
  codecs.registry.onChange((id) => derive.codec(id));
  const deriveAgain = createAgainControl({
    ...{ dataDir, clock, head: () => ledger.head() },
    tell: (job) => derive.deriveAgain(job),
  });
  return { derive, deriveAgain, fault: () => (derive.isRunning() ? undefined : crash) };
}

function workerSettings(dataDir: string, config: Config, registry: DeviceRegistry) {
  const { store, codecs, quality } = config;
  const { directory: _directory, ...limits } = codecs;
  return {
    dataDir,
    store,
    devices: [...allDevices(registry)],
    codecs: { limits, programVersion: readProgramVersion() },
    quality: { rules: quality.limits, seriesMax: quality.seriesMax },
  };
}

/** The compiled program lies in `dist/gateway`. */
function readProgramVersion(): string {
  const text = readFileSync(new URL('../../../package.json', import.meta.url), 'utf8');
  const parsed: unknown = JSON.parse(text);
  const isNamed = typeof parsed === 'object' && parsed !== null && 'version' in parsed;
  return isNamed ? String(parsed.version) : 'unknown';
}

function* allDevices(registry: DeviceRegistry) {
  let after: string | undefined;
  do {
    const page = registry.list({ limit: 1_000, ...(after === undefined ? {} : { after }) });
    yield* page.devices;
    after = page.next;
  } while (after !== undefined);
}
