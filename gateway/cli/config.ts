/** `fieldgate config print` and `config check`. */
import { Command } from 'commander';
import { formatProblem, loadConfig } from '../../config/load.ts';
import { annotatedDefaults } from '../../config/print.ts';
import { configJsonSchema } from '../../config/schema.ts';
import { crossCheck } from '../cross-check.ts';

interface CheckOptions {
  readonly config?: string;
  readonly json?: boolean;
}

export function configCommand(): Command {
  const print = new Command('print')
    .description('print every setting with its default and a sentence')
    .option('--json-schema', 'print the JSON Schema instead, for editors')
    .action(({ jsonSchema }: { jsonSchema?: boolean }) => {
      process.stdout.write(
        jsonSchema === true
          ? `${JSON.stringify(configJsonSchema(), null, 2)}\n`
          : annotatedDefaults(),
      );
    });
  const check = new Command('check')
    .description('read a configuration and the environment, and say everything that is wrong')
    .argument('[file]', 'YAML configuration; without one, the environment alone is read')
    .option('-c, --config <file>', 'the same, as the other commands take it')
    .option('--json', 'print the problems as JSON')
    .action((file: string | undefined, { config, json }: CheckOptions) => {
      if (file !== undefined && config !== undefined) check.error('error: two files; give one');
      checkFile(file ?? config, json === true);
    });
  return new Command('config').addCommand(print).addCommand(check);
}

function checkFile(file: string | undefined, asJson: boolean): void {
  const loaded = loadConfig(file, process.env);
  const problems = loaded.ok
    ? crossCheck(loaded.config).map(({ path, detail }) => ({
        at: loaded.locate(path),
        path,
        detail,
      }))
    : loaded.problems;
  if (asJson) process.stdout.write(`${JSON.stringify({ ok: problems.length === 0, problems })}\n`);
  else if (problems.length === 0) process.stdout.write(`${file ?? 'environment'}: no problems\n`);
  else for (const problem of problems) process.stderr.write(`${formatProblem(problem)}\n`);
  if (problems.length > 0) process.exitCode = 2;
}
