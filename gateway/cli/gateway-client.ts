/** How a command asks a running gateway: by its HTTP API, with a token. */
import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import type { ProblemJson } from '../../dashboard/protocol.ts';
import { readConfiguration } from './configuration.ts';

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

/** Undefined, with the exit code set, when the configuration or the words are wrong. */
export function gatewayClient(options: GatewayOptions): GatewayClient | undefined {
  const base = addressOf(options);
  if (base === undefined) return undefined;
  const token = tokenOf(options);
  if (token === undefined) return undefined;
  return {
    async ask(method, path, body) {
      const response = await fetch(`${base}/api/v1${path}`, {
        method,
        headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      }).catch((error: unknown) => {
        const remedy = 'start it, or give its address with --url';
        throw new Error(`no gateway answers at ${base} (${causeOf(error)}): ${remedy}`);
      });
      const text = await response.text();
      if (!response.ok) throw new Error(refusalIn(text, response.status));
      return text === '' ? undefined : JSON.parse(text);
    },
  };
}

function addressOf({ url, config: file }: GatewayOptions): string | undefined {
  if (url !== undefined) {
    if (URL.canParse(url) && /^https?:$/.test(new URL(url).protocol)) return url.replace(/\/$/, '');
    return refuseWords('--url begins with http:// or https://');
  }
  if (file === undefined) return 'http://127.0.0.1:8080';
  const http = readConfiguration(file)?.http;
  if (http === undefined) return undefined;
  return (http.publicUrl ?? `http://${http.host}:${http.port}`).replace(/\/$/, '');
}

function tokenOf({ tokenFile }: GatewayOptions): string | undefined {
  const token =
    tokenFile === undefined ? process.env['FIELDGATE_TOKEN'] : readFileSync(tokenFile, 'utf8');
  if (token === undefined || token.trim() === '') {
    return refuseWords('give --token-file, or a token in the variable FIELDGATE_TOKEN');
  }
  return token.trim();
}

function refuseWords(text: string): undefined {
  process.stderr.write(`fieldgate: ${text}\n`);
  process.exitCode = 2;
}

function causeOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof Error ? cause.message : String(error);
}

function refusalIn(text: string, status: number): string {
  if (status === 401)
    return 'the gateway does not know the token (`fieldgate token create` makes one)';
  try {
    const { title, detail, errors = [] }: ProblemJson = JSON.parse(text);
    return [detail ?? title, ...errors.slice(1).map((one) => one.detail)].join('\n  ');
  } catch {
    return `the gateway answers ${status}`;
  }
}
