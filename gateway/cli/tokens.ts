/** `fieldgate token`: bearer tokens for machines, made and taken away. */
import { resolve } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { openAccess, type Role } from '../../dashboard/access.ts';
import { makeDataDirectory } from '../ledger/data-directory.ts';
import { systemClock } from '../model/clock.ts';
import { readConfiguration } from './configuration.ts';

interface TokenOptions {
  readonly config?: string;
  readonly name: string;
  readonly role: Role;
  readonly days?: number;
  readonly json?: boolean;
}

export function tokenCommand(): Command {
  const create = new Command('create')
    .description('make a bearer token; it is shown once, and the running gateway takes it at once')
    .option('-c, --config <file>', 'YAML configuration, for its dataDir')
    .requiredOption('--name <name>', 'who or what will use it', parseName)
    .addOption(
      new Option('--role <role>', 'what it may do')
        .choices(['viewer', 'operator', 'admin'])
        .default('viewer'),
    )
    .option('--days <number>', 'how long it holds; for ever by default', parseDays)
    .option('--json', 'print JSON')
    .action(createToken);
  const revoke = new Command('revoke')
    .description('take a bearer token away, and end the sessions opened with it')
    .option('-c, --config <file>', 'YAML configuration, for its dataDir')
    .requiredOption('--name <name>', 'its name', parseName)
    .option('--json', 'print JSON')
    .action(revokeToken);
  const command = new Command('token');
  return command.addCommand(create).addCommand(revoke);
}

/** It stands in the ledger and in logs with everything that is done with the token. */
function parseName(text: string): string {
  if (/^[^\p{Cc}]{1,64}$/u.test(text)) return text;
  throw new InvalidArgumentError('1 to 64 characters on one line');
}

function parseDays(text: string): number {
  const days = Number(text);
  if (days > 0 && days <= 36_500) return days;
  throw new InvalidArgumentError('a positive number, at most 36500');
}

function revokeToken({ config: file, name, json }: Omit<TokenOptions, 'role' | 'days'>): void {
  const config = readConfiguration(file);
  if (config === undefined) return;
  const isGone = openAccess(resolve(config.dataDir), systemClock).revokeToken(name);
  if (!isGone) throw new Error(`no token is named ${name}`);
  if (json === true) process.stdout.write(`${JSON.stringify({ name, revoked: true })}\n`);
}

function createToken({ config: file, name, role, days, json }: TokenOptions): void {
  const config = readConfiguration(file);
  if (config === undefined) return;
  const lifetime = days === undefined ? undefined : days * 86_400_000;
  const dataDir = resolve(config.dataDir);
  makeDataDirectory(dataDir);
  const token = openAccess(dataDir, systemClock).createToken(name, role, lifetime);
  if (token === undefined) throw new Error(`a token named ${name} exists already`);
  process.stdout.write(json === true ? `${JSON.stringify({ name, role, token })}\n` : `${token}\n`);
}
