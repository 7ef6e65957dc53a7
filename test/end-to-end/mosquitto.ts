/** Publishes with Debian's mosquitto_pub: a client that nobody here wrote. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Account } from './accounts.ts';

export interface Publication {
  readonly port: number;
  readonly account: Account;
  readonly topic: string;
  readonly payload: Buffer;
}

/** With QoS 1 it ends with 0 only after the PUBACK. Resolves with its exit code and its words. */
export async function mosquittoPub(publication: Publication): Promise<string> {
  const { port, account, topic, payload } = publication;
  const login = ['-u', account.username, '-P', account.password];
  const place = ['-h', '127.0.0.1', '-p', String(port)];
  const child = spawn('mosquitto_pub', [...place, ...login, '-q', '1', '-t', topic, '-s']);
  let words = '';
  child.stderr.on('data', (bytes: Buffer) => {
    words += bytes.toString();
  });
  child.stdin.end(payload);
  const [code] = await once(child, 'close');
  return `${code} ${words}`.trim();
}
