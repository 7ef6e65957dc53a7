/** The Fieldgate that a simulation asks what has become of its messages. */
import { readFile } from 'node:fs/promises';
import type { GatewayDoor } from '../../simulators/load/gateway-check.ts';
import { type SimulateOptions, WordsRefused } from './simulate-options.ts';

export async function gatewayOf({
  gateway,
  tokenFile,
}: SimulateOptions): Promise<GatewayDoor | undefined> {
  if (gateway === undefined) return undefined;
  const url = URL.canParse(gateway) ? new URL(gateway) : undefined;
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:') {
    throw new WordsRefused('--gateway begins with http:// or https://');
  }
  const token =
    tokenFile === undefined ? process.env['FIELDGATE_TOKEN'] : await readFile(tokenFile, 'utf8');
  if (token === undefined || token.trim() === '') {
    throw new WordsRefused('give --token-file, or a token in the variable FIELDGATE_TOKEN');
  }
  return { url: gateway.replace(/\/$/, ''), token: token.trim() };
}
