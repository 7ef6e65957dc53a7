#!/usr/bin/env -S node --max-semi-space-size=32
/**
 * The command line. Exit codes: 0 done, 1 it did not work, 2 the words or the configuration are
 * wrong.
 */
import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { commandEntries } from './command-entries.ts';
import { pathOfFault, plainWords } from './plain-words.ts';
import { WordsRefused } from './words-refused.ts';

const exitCodes = `Exit codes: 0 done, 1 it did not work, 2 the words or the configuration are wrong; a\nfile that the words name and that cannot be opened is 2.`;

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

const emptyWord = 'is empty: if a variable was meant, it is not set';

/** `--device ""` would often mean all of them, and comes of a variable that is not set. */
function refuseEmptyWords(command: Command): Command {
  for (const inner of command.commands) refuseEmptyWords(inner);
  for (const option of command.options) {
    command.on(`option:${option.name()}`, (value: unknown) => {
      if (value === '') command.error(`error: ${option.long ?? option.flags} ${emptyWord}`);
    });
  }
  return command.hook('preAction', (_, { args }) => {
    if (args.includes('')) command.error(`error: an argument ${emptyWord}`);
  });
}

/** A file that the words name and that cannot be opened is the words' fault, wherever it is met. */
function isOfTheWords(error: unknown): boolean {
  if (error instanceof WordsRefused) return true;
  const path = pathOfFault(error);
  return path !== undefined && process.argv.slice(2).some((word) => word.endsWith(path));
}

/** The first word is the command: before it stand only `--help`, `--version` and `help`. */
function namedIn(words: readonly string[]): string | undefined {
  return words.find((word) => word !== 'help' && !word.startsWith('-'));
}

const program = new Command('fieldgate')
  .description('IoT connectivity gateway for LoRa and 5G field sensors.')
  .version(version())
  .addHelpText('after', `\n${exitCodes}`)
  .showHelpAfterError('(--help shows what can be said)')
  .exitOverride();
const named = namedIn(process.argv.slice(2));
for (const { name, summary, load } of commandEntries) {
  const command = name === named ? await load() : new Command(name);
  program.addCommand(refuseEmptyWords(withOurExitCodes(command.description(summary))));
}

// Whoever reads has read enough, as `head` has.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit();
  throw error;
});

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2;
  else {
    process.stderr.write(`fieldgate: ${plainWords(error)}\n`);
    process.exitCode = isOfTheWords(error) ? 2 : 1;
  }
}
