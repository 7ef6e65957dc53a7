/** `fieldgate hash-password`. No secret is ever taken from the arguments. */
import { Command } from 'commander';
import { hashPassword } from '../transports/password.ts';

export function hashPasswordCommand(): Command {
  return new Command('hash-password').action(async () => {
    const password = (await readStandardInput()).replace(/\r?\n$/, '');
    if (password.length < 8) throw new Error('a password has at least 8 characters');
    process.stdout.write(`${await hashPassword(password)}\n`);
  });
}

async function readStandardInput(): Promise<string> {
  if (process.stdin.isTTY) process.stderr.write('Password, then Enter and Ctrl-D: ');
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString('utf8');
}
