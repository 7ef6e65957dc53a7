/** The keys that a frame is opened with: from a file, or one by one on the command line. */
import { parse } from 'yaml';
import { readInputText } from './input-file.ts';

export const frameKeyNames = [
  ...(['nwkSKey', 'appSKey', 'fNwkSIntKey', 'sNwkSIntKey', 'nwkSEncKey'] as const),
  ...(['appKey', 'nwkKey'] as const),
] as const;

export type FrameKeyName = (typeof frameKeyNames)[number];

/** 16 bytes each. */
export type FrameKeys = { readonly [Name in FrameKeyName]?: Buffer };

const fileBytesMax = 65_536;

/**
 * Throws with a sentence for a person; no key is repeated in it. The file is YAML or JSON: names as
 * in the devices of the configuration, 32 hex digits each, at its top or below `keys`.
 */
export function readFrameKeys(path: string): FrameKeys {
  const text = readInputText(path);
  if (text.length > fileBytesMax) throw new Error(`${path} is too large for a file of keys`);
  const content = recordOf(parseText(path, text));
  if (content === undefined) throw new Error(`${path} holds no names with keys`);
  return keysOf(recordOf(content['keys']) ?? content, path);
}

function parseText(path: string, text: string): unknown {
  try {
    // The library's own words quote the text, and with it a key.
    return parse(text, { schema: 'failsafe', logLevel: 'error' });
  } catch {
    throw new Error(`${path} is neither YAML nor JSON`);
  }
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  return Object.fromEntries(Object.entries(value));
}

/** Other names may stand beside: a device of the configuration has many. */
export function keysOf(given: Readonly<Record<string, unknown>>, where: string): FrameKeys {
  const keys: { [Name in FrameKeyName]?: Buffer } = {};
  for (const name of frameKeyNames) {
    const value = given[name];
    if (value === undefined || value === '') continue;
    if (typeof value !== 'string' || !/^[0-9a-fA-F]{32}$/.test(value)) {
      throw new Error(`${where}: ${name} is not a key of 32 hex digits`);
    }
    keys[name] = Buffer.from(value, 'hex');
  }
  return keys;
}
