/** How a command asks a running gateway: by its HTTP API, with a token. */
import type { Command } from 'commander';
import { answerOf } from './gateway-answer.ts';
import { readInputText } from './input-file.ts';
import { WordsRefused } from './words-refused.ts';

export interface GatewayOptions {
  readonly config?: string;
  readonly url?: string;
  readonly tokenFile?: string;
}

export interface GatewayClient {
  /** The answer, parsed. Rejects with the gateway's own words when it refuses. */
  ask(method: string, path: string, body?: unknown): Promise<unknown>;
}

export function withGatewayOptions(command: Command): Command {
  return command
    .option('-c, --config <file>', 'YAML configuration, for its HTTP address')
    .option('--url <url>', 'address of the running gateway')
    .option('--token-file <file>', 'file with a token; else the variable FIELDGATE_TOKEN');
}

/**
 * Undefined, with the exit code set, when the configuration is wrong; throws when the words are.
 */
export async function gatewayClient(options: GatewayOptions): Promise<GatewayClient | undefined> {
  const base = await addressOf(options);
  if (base === undefined) return undefined;
  const token = tokenOf(options.tokenFile);
  return { ask: (method, path, body) => answerOf({ base, token }, { method, path, body }) };
}

/** `said` is the option or argument that the address stands in. */
export function baseOf(said: string, address: string): string {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:') {
    throw new WordsRefused(`${said} is an address such as http://127.0.0.1:8080`);
  }
  if (url.username !== '' || url.password !== '') {
    throw new WordsRefused(`${said} takes no user name and no password: a token stands for both`);
  }
  return `${url.origin}${url.pathname}`.replace(/\/+$/, '');
}

async function addressOf({ url, config: file }: GatewayOptions): Promise<string | undefined> {
  if (url !== undefined) return baseOf('--url', url);
  if (file === undefined) return 'http://127.0.0.1:8080';
  // Most go by --url: they need not wait for all that a configuration is checked against.
  const { readConfiguration } = await import('./configuration.ts');
  const http = readConfiguration(file)?.http;
  if (http === undefined) return undefined;
  return (http.publicUrl ?? `http://${http.host}:${http.port}`).replace(/\/$/, '');
}

/** A header takes no line breaks or letters beyond Latin: such a file holds something else. */
export function tokenOf(file: string | undefined): string {
  const text = file === undefined ? process.env['FIELDGATE_TOKEN'] : readInputText(file);
  const token = text?.trim() ?? '';
  const place = file ?? 'the variable FIELDGATE_TOKEN';
  if (token === '' && file !== undefined) throw new WordsRefused(`${file}: has no token in it`);
  if (token === '') {
    throw new WordsRefused('give --token-file, or a token in the variable FIELDGATE_TOKEN');
  }
  if (/^[\x21-\x7e]{1,4096}$/.test(token)) return token;
  throw new WordsRefused(`${place}: is no token, which is one word of plain letters`);
}
