/**
 * The codec scripts of a running gateway: the registry in the data directory, kept level with the
 * directory of scripts and with what another process writes into the registry.
 */
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Config } from '../../config/schema.ts';
import { watchDirectory } from '../codecs/directory-watch.ts';
import { type CodecRegistry, openCodecRegistry } from '../codecs/registry.ts';
import { createRestingSandbox } from '../codecs/resting-sandbox.ts';
import type { Script } from '../codecs/script.ts';
import { openScriptCodecs, type ScriptCodecs } from '../codecs/script-codecs.ts';
import { createScriptWatch } from '../codecs/script-watch.ts';
import { type CodecHistoryReader, openCodecHistory } from '../ledger/codec-history.ts';
import type { Log } from '../log.ts';
import type { Clock } from '../model/clock.ts';

export interface CodecRoom {
  readonly registry: CodecRegistry;
  readonly history: CodecHistoryReader;
  /** Scripts in a sandbox of their own, for a dry run; the caller closes it. */
  tryOut(script: (name: string) => Script | undefined): ScriptCodecs;
  /** What is wrong with scripts at present; the last good version of each is in use. */
  problems(): readonly string[];
  close(): Promise<void>;
}

/** Resolves when the directory of scripts has been read. */
export async function openCodecRoom(
  { codecs }: Pick<Config, 'codecs'>,
  dataDir: string,
  { clock, log }: { readonly clock: Clock; readonly log: Log },
): Promise<CodecRoom> {
  const { directory: given, ...limits } = codecs;
  const warn = (detail: string) =>
    log.warn({ event: 'codec-problem', detail }, 'a codec script is at fault');
  const sandbox = createRestingSandbox({ limits });
  const own = join(dataDir, 'codecs');
  mkdirSync(own, { recursive: true, mode: 0o700 });
  const registry = openCodecRegistry({ limits, sandbox, clock, directory: own });
  registry.problems().forEach(warn);
  const scripts = createScriptWatch({
    ...{ registry, limits, onProblem: warn },
    directory: given === undefined ? undefined : resolve(given),
    onTaken: (id) => log.info({ event: 'codec-taken', codec: id }, 'a codec script was read'),
  });
  const history = openCodecHistory(dataDir);
  await scripts.scan();
  // `fieldgate codecs import` writes there while the gateway runs.
  const changes = watchDirectory(own, () => registry.refresh());
  return {
    registry,
    history,
    tryOut: (script) => openScriptCodecs({ limits, script }),
    problems: () => [...registry.problems(), ...scripts.problems()],
    async close() {
      changes.close();
      await scripts.close();
      await Promise.all([sandbox.close(), history.close()]);
    },
  };
}
