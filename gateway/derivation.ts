/** The derive worker beside the ingest thread: it knows the devices, and a crash of it is told. */
import { resolve } from 'node:path';
import type { Config } from '../config/schema.ts';
import type { Holdings } from './holdings.ts';
import type { Hub } from './live/hub.ts';
import type { Log } from './log.ts';
import type { DeviceRegistry } from './lorawan/device-registry.ts';
import { type DeriveProcess, startDeriveProcess } from './pipeline/derive-process.ts';
import type { FromWorker } from './pipeline/worker-messages.ts';

export interface Derivation {
  readonly derive: DeriveProcess;
  /** Why nothing is derived at present; undefined while it runs. */
  fault(): string | undefined;
}

interface DerivationParts {
  readonly config: Config;
  readonly holdings: Pick<Holdings, 'dataDir' | 'registry'>;
  readonly hub: Hub;
  readonly log: Log;
  readonly onMessage: (message: FromWorker) => void;
}

export function startDerivation(parts: DerivationParts): Derivation {
  const { config, hub, log } = parts;
  const { dataDir, registry } = parts.holdings;
  let crash = 'starting';
  const derive = startDeriveProcess({
    program: new URL('./worker.js', import.meta.url),
    settings: () => workerSettings(dataDir, config, registry),
    onMessage: parts.onMessage,
    onCrash(reason) {
      crash = reason;
      hub.resetSender();
      log.error({ event: 'derive-crashed', reason }, 'derive worker crashed; it starts again');
    },
  });
  registry.onChange((change) =>
    derive.device(change.id, change.kind === 'put' ? change.device : undefined),
  );
  return { derive, fault: () => (derive.isRunning() ? undefined : crash) };
}

function workerSettings(dataDir: string, config: Config, registry: DeviceRegistry) {
  const { store, codecs, quality } = config;
  const { directory, ...limits } = codecs;
  const scripts = directory === undefined ? {} : { directory: resolve(directory) };
  return {
    dataDir,
    store,
    devices: [...allDevices(registry)],
    codecs: { ...scripts, limits },
    quality: { rules: quality.limits, seriesMax: quality.seriesMax },
  };
}

function* allDevices(registry: DeviceRegistry) {
  let after: string | undefined;
  do {
    const page = registry.list({ limit: 1_000, ...(after === undefined ? {} : { after }) });
    yield* page.devices;
    after = page.next;
  } while (after !== undefined);
}
