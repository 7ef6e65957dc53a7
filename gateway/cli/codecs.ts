/** `fieldgate codecs check DIR`: runs every example of a device repository in the sandbox. */
import { Command } from 'commander';
import { findExamples } from '../codecs/check/find-examples.ts';
import { type Checked, runExamples } from '../codecs/check/run-examples.ts';
import { codecLimits } from '../codecs/limits.ts';
import { createSandbox } from '../codecs/sandbox.ts';
import { systemClock } from '../model/clock.ts';
import { importCommand } from './codecs-import.ts';
import { dryRunCommand, mapCommand, putCommand } from './codecs-upload.ts';
import { assertInputDirectory } from './input-file.ts';

export function codecsCommand(): Command {
  const check = new Command('check')
    .description('run every example of a device repository, and say which pass')
    .argument('<directory>', 'a checkout: device repository, device profiles or TS013 packages')
    .option('--json', 'print JSON')
    .action((directory: string, { json }: { json?: boolean }) =>
      checkAll(directory, json === true),
    );
  return new Command('codecs')
    .addCommand(check)
    .addCommand(importCommand())
    .addCommand(dryRunCommand())
    .addCommand(putCommand())
    .addCommand(mapCommand());
}

/** Exit codes: 0 all passed, 1 some did not or could not be read, 2 there is nothing to check. */
async function checkAll(directory: string, asJson: boolean): Promise<void> {
  assertInputDirectory(directory);
  const { examples, problems } = findExamples(directory);
  const sandbox = createSandbox({ limits: codecLimits });
  const progress = createProgress(examples.length);
  const checked = await runExamples(examples, {
    directory,
    sandbox,
    limits: codecLimits,
    now: systemClock.now(),
    onProgress: progress.show,
  });
  progress.clear();
  await sandbox.close();
  const hasFailed = checked.some(({ verdict }) => verdict.outcome === 'failed');
  if (asJson) process.stdout.write(`${JSON.stringify(jsonOf(checked, problems))}\n`);
  else printText(checked, problems);
  if (checked.length === 0) process.exitCode = 2;
  if (hasFailed || problems.length > 0) process.exitCode = 1;
}

const outcomes = ['passed', 'failed', 'skipped'] as const;
const kinds = ['uplink', 'encode', 'downlink'] as const;

function summaryOf(checked: readonly Checked[]) {
  return kinds.map((kind) => {
    const own = checked.filter(({ example }) => example.kind === kind);
    const counts = outcomes.map((outcome) => [
      outcome,
      own.filter(({ verdict }) => verdict.outcome === outcome).length,
    ]);
    const byRule = own.filter(
      ({ verdict }) => verdict.outcome === 'passed' && verdict.rules.length > 0,
    );
    return { kind, total: own.length, ...Object.fromEntries(counts), byRule: byRule.length };
  });
}

function jsonOf(checked: readonly Checked[], problems: readonly string[]) {
  const examples = checked.map(({ example, verdict }) => ({
    file: example.file,
    script: example.script,
    kind: example.kind,
    description: example.description,
    ...verdict,
  }));
  return { summary: summaryOf(checked), problems, examples };
}

/** What came from files is shown without control characters: a terminal obeys them. */
function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, ' ');
}

function printText(checked: readonly Checked[], problems: readonly string[]): void {
  for (const { example, verdict } of checked) {
    if (verdict.outcome === 'passed') continue;
    const why = verdict.outcome === 'failed' ? verdict.difference : verdict.reason;
    const place = `${example.file}: ${example.kind} ${JSON.stringify(example.description)}`;
    process.stdout.write(`${verdict.outcome}  ${printable(place)}\n        ${printable(why)}\n`);
  }
  for (const problem of problems) process.stdout.write(`unreadable  ${printable(problem)}\n`);
  for (const { kind, total, passed, failed, skipped, byRule } of summaryOf(checked)) {
    if (total === 0) continue;
    const rule = byRule === 0 ? '' : ` (${byRule} by a rule of its platform)`;
    process.stdout.write(
      `${kind}: ${passed} of ${total} passed${rule}, ${failed} failed, ${skipped} skipped\n`,
    );
  }
  if (checked.length === 0) process.stdout.write('no examples found\n');
}

/** On a terminal only: logs and pipes want no moving line. */
function createProgress(total: number) {
  const isShown = process.stderr.isTTY === true;
  const write = (text: string) => {
    if (isShown) process.stderr.write(`\r\u001b[K${text}`);
  };
  return {
    show: (done: number) => write(`checked ${done} of ${total} examples`),
    clear: () => write(''),
  };
}
