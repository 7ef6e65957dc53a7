/** `fieldgate codecs import DIR`: a checkout of a device repository into the data directory. */
import { join, resolve } from 'node:path';
import { Command } from 'commander';
import { type ImportReport, importAll } from '../codecs/import/import-all.ts';
import { openCodecRegistry } from '../codecs/registry.ts';
import { createSandbox } from '../codecs/sandbox.ts';
import { systemClock } from '../model/clock.ts';
import { readConfiguration } from './configuration.ts';
import { assertInputDirectory } from './input-file.ts';

interface ImportOptions {
  readonly config?: string;
  readonly vendor?: string;
  readonly json?: boolean;
}

export function importCommand(): Command {
  return new Command('import')
    .description('codecs and device models of a device repository; a running gateway has them too')
    .argument('<directory>', 'a checkout: device repository, device profiles or TS013 packages')
    .option('-c, --config <file>', 'YAML configuration, for its dataDir')
    .option('--vendor <id>', 'of this vendor only')
    .option('--json', 'print JSON')
    .action(run);
}

/** Exit codes: 0 all taken, 1 some were at fault, 2 there is nothing to import. */
async function run(directory: string, { config: file, vendor, json }: ImportOptions) {
  const config = readConfiguration(file);
  if (config === undefined) return;
  assertInputDirectory(directory);
  const { directory: _scripts, ...limits } = config.codecs;
  const dataDir = resolve(config.dataDir);
  const sandbox = createSandbox({ limits });
  const registry = openCodecRegistry({
    ...{ limits, sandbox, clock: systemClock },
    directory: join(dataDir, 'codecs'),
  });
  const report = await importAll({
    ...{ directory, registry, modelsDirectory: join(dataDir, 'models') },
    ...(vendor === undefined ? {} : { vendor }),
    onProgress({ vendors, models, added, replaced, unchanged }) {
      if (process.stderr.isTTY !== true) return;
      const codecs = added + replaced + unchanged;
      process.stderr.write(`\r\u001b[K${vendors} vendors, ${models} models, ${codecs} codecs`);
    },
  }).finally(() => sandbox.close());
  if (process.stderr.isTTY === true) process.stderr.write('\r\u001b[K');
  if (json === true) process.stdout.write(`${JSON.stringify(report)}\n`);
  else print(report);
  if (report.vendors === 0) process.exitCode = 2;
  else if (report.problems.length > 0) process.exitCode = 1;
}

function print(report: ImportReport): void {
  const { problems, remarks, vendors, models, added, replaced, unchanged, refused } = report;
  const say = (text: string) => process.stdout.write(`${text.replace(/\p{Cc}/gu, ' ')}\n`);
  for (const problem of problems) say(`left out  ${problem}`);
  for (const remark of remarks) say(`taken     ${remark}`);
  if (vendors === 0) say('nothing found of a layout that is known');
  say(`${vendors} vendors, ${models} device models`);
  say(`codecs: ${added} new, ${replaced} replaced, ${unchanged} unchanged, ${refused} refused`);
}
