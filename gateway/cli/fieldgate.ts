#!/usr/bin/env -S node --max-semi-space-size=32
/**
 * The command line. Exit codes: 0 done, 1 it did not work, 2 the words or the configuration are
 * wrong.
 */
import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { commandEntries } from './command-entries.ts';
import { plainWords } from './plain-words.ts';

function version(): string {
  const text = readFileSync(new URL('../../../package.json', import.meta.url), 'utf8');
  const parsed: unknown = JSON.parse(text);
  if (typeof parsed !== 'object' || parsed === null || !('version' in parsed)) return 'unknown';
  return String(parsed.version);
}

/** Commander hands these settings on only to commands that it makes itself. */
function withOurExitCodes(command: Command): Command {
  for (const inner of command.commands) withOurExitCodes(inner);
  return command.exitOverride().showHelpAfterError('(--help shows what can be said)');
}

/** The first word is the command: before it stand only `--help`, `--version` and `help`. */
function namedIn(words: readonly string[]): string | undefined {
  return words.find((word) => word !== 'help' && !word.startsWith('-'));
}

const program = new Command('fieldgate')
  .description('IoT connectivity gateway for LoRa and 5G field sensors.')
  .version(version())
  .showHelpAfterError('(--help shows what can be said)')
  .exitOverride();
const named = namedIn(process.argv.slice(2));
for (const { name, summary, load } of commandEntries) {
  const command = name === named ? await load() : new Command(name);
  program.addCommand(withOurExitCodes(command.description(summary)));
}

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2;
  else {
    process.stderr.write(`fieldgate: ${plainWords(error)}\n`);
    process.exitCode = 1;
  }
}
