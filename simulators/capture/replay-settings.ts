/**
 * What an operator gives a replay in files, since secrets do not belong into arguments: accounts
 * by the sender's name in the capture, and keys for signing frames anew. YAML or JSON.
 */
import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';
import type { SigningSession } from './frame-signing.ts';
import type { ReplayAccount, ReplayAccounts } from './wire.ts';

/** A file that is not of its form; the sentence is for the operator. */
export class SettingsUnreadable extends Error {
  readonly code = 'SETTINGS_UNREADABLE';
}

const fileBytesMax = 50_000_000;

/** `default` is for every sender that is not named. */
export async function readAccounts(file: string): Promise<ReplayAccounts> {
  const accounts = new Map<string, ReplayAccount>();
  for (const [name, value] of Object.entries(await readFields(file))) {
    const fields = fieldsOf(value, `${file}: ${name}`);
    accounts.set(name, {
      ...textField(fields, 'username', `${file}: ${name}`),
      ...textField(fields, 'password', `${file}: ${name}`),
      ...textField(fields, 'token', `${file}: ${name}`),
    });
  }
  return { of: (sender) => accounts.get(sender ?? 'default') ?? accounts.get('default') };
}

export const noAccounts: ReplayAccounts = { of: () => undefined };

/** `sessions:` a list of `devAddr`, `nwkSKey`, `appSKey` and `as:` the same of the test network. */
export async function readSigningKeys(file: string): Promise<SigningSession[]> {
  const { sessions } = await readFields(file);
  if (!Array.isArray(sessions)) throw new SettingsUnreadable(`${file} has no list of sessions`);
  return sessions.map((entry: unknown, index) => {
    const place = `${file}: sessions[${index}]`;
    const fields = fieldsOf(entry, place);
    const as = fieldsOf(fields['as'], `${place}.as`);
    return {
      ...sessionOf(fields, place),
      as: { ...sessionOf(as, `${place}.as`), ...counterOf(as, place) },
    };
  });
}

function sessionOf(fields: Fields, place: string) {
  return {
    devAddr: hexField(fields, 'devAddr', { place, bytes: 4 }),
    nwkSKey: Buffer.from(hexField(fields, 'nwkSKey', { place, bytes: 16 }), 'hex'),
    appSKey: Buffer.from(hexField(fields, 'appSKey', { place, bytes: 16 }), 'hex'),
  };
}

function counterOf({ fCnt }: Fields, place: string): { fCnt?: number } {
  if (fCnt === undefined) return {};
  if (typeof fCnt === 'number' && Number.isInteger(fCnt) && fCnt >= 0 && fCnt < 2 ** 32) {
    return { fCnt };
  }
  throw new SettingsUnreadable(`${place}.as.fCnt is no counter of 32 bits`);
}

type Fields = Readonly<Record<string, unknown>>;

async function readFields(file: string): Promise<Fields> {
  const text = await readFile(file, 'utf8');
  if (text.length > fileBytesMax) throw new SettingsUnreadable(`${file} is too large`);
  let value: unknown;
  try {
    value = parse(text);
  } catch {
    // The parser's own words would show the line, and with it a secret.
    throw new SettingsUnreadable(`${file} is no YAML`);
  }
  return fieldsOf(value, file);
}

function fieldsOf(value: unknown, place: string): Fields {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return Object.fromEntries(Object.entries(value));
  }
  throw new SettingsUnreadable(`${place} has no names with values`);
}

/** What is not there is not there; undefined is what an account's field would not take. */
function textField(fields: Fields, name: string, place: string): Readonly<Record<string, string>> {
  const value = fields[name];
  if (value === undefined) return {};
  if (typeof value === 'string') return { [name]: value };
  throw new SettingsUnreadable(`${place}: ${name} is no text`);
}

function hexField(
  fields: Fields,
  name: string,
  { place, bytes }: { place: string; bytes: number },
): string {
  const value = fields[name];
  if (typeof value === 'string' && /^[0-9a-f]+$/i.test(value) && value.length === 2 * bytes) {
    return value.toLowerCase();
  }
  throw new SettingsUnreadable(`${place}: ${name} is not of ${2 * bytes} hex digits, in quotes`);
}
