#!/usr/bin/env -S node --max-semi-space-size=32
/**
 * The command line. Exit codes: 0 done, 1 it did not work, 2 the words or the configuration are
 * wrong.
 */
import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { codecsCommand } from './codecs.ts';
import { configCommand } from './config.ts';
import { decodeCommand } from './decode.ts';
import { deriveCommand } from './derive.ts';
import { devicesCommand } from './devices.ts';
import { frameCommand } from './frame.ts';
import { keysCommand } from './keys.ts';
import { modelsCommand, unmappedCommand } from './models.ts';
import { plainWords } from './plain-words.ts';
import { recordCommand } from './record.ts';
import { replayCommand } from './replay.ts';
import { hashPasswordCommand, tokenCommand } from './secrets.ts';
import { serveCommand } from './serve.ts';
import { simulateCommand } from './simulate.ts';

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

const program = new Command('fieldgate')
  .description('IoT connectivity gateway for LoRa and 5G field sensors.')
  .version(version())
  .showHelpAfterError('(--help shows what can be said)')
  .exitOverride();
for (const command of [
  serveCommand(),
  configCommand(),
  codecsCommand(),
  decodeCommand(),
  deriveCommand(),
  frameCommand(),
  keysCommand(),
  modelsCommand(),
  recordCommand(),
  replayCommand(),
  simulateCommand(),
  devicesCommand(),
  tokenCommand(),
  hashPasswordCommand(),
  unmappedCommand(),
]) {
  program.addCommand(withOurExitCodes(command));
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
