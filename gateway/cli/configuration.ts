/**
 * Reads the configuration for a command, or says everything that is wrong with it and ends with 2.
 */
import { formatProblem, loadConfig } from '../../config/load.ts';
import type { Config } from '../../config/schema.ts';
import { crossCheck } from '../cross-check.ts';

export function readConfiguration(
  file: string | undefined,
  environment: NodeJS.ProcessEnv = process.env,
): Config | undefined {
  const checked = checkConfiguration(file, environment);
  if (checked.ok) return checked.config;
  refuse(checked.problems);
  return undefined;
}

export type CheckedConfiguration =
  | { readonly ok: true; readonly config: Config }
  | { readonly ok: false; readonly problems: readonly string[] };

/** Each problem in a line: where it stands, what is wrong, and what to do where that is known. */
export function checkConfiguration(
  file: string | undefined,
  environment: NodeJS.ProcessEnv = process.env,
): CheckedConfiguration {
  const loaded = loadConfig(file, environment);
  if (!loaded.ok) return { ok: false, problems: loaded.problems.map(formatProblem) };
  const fatal = crossCheck(loaded.config).filter(({ isFatal }) => isFatal);
  if (fatal.length === 0) return loaded;
  const problems = fatal.map(({ path, detail }) =>
    formatProblem({ at: loaded.locate(path), path, detail }),
  );
  return { ok: false, problems };
}

function refuse(lines: readonly string[]): void {
  const count = lines.length === 1 ? '1 problem' : `${lines.length} problems`;
  process.stderr.write(`fieldgate: the configuration has ${count}:\n`);
  for (const line of lines) process.stderr.write(`  ${line}\n`);
  process.exitCode = 2;
}
