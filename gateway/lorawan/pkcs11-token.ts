/**
 * A key pair on a PKCS#11 token as protection of the key file. The keys are wrapped here, with the
 * public key by RSA-OAEP [RFC 8017, 7.1], and unwrapped by the token, which its private key never
 * leaves. The token is spoken to by OpenSC's `pkcs11-tool`, a program of its own: a module of
 * whatever maker never runs inside the gateway.
 */
import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { constants, createPublicKey, type KeyObject, publicEncrypt } from 'node:crypto';
import { existsSync } from 'node:fs';
import type { KeyProtection } from './key-protection.ts';

export interface Pkcs11Options {
  /** The maker's library. */
  readonly module: string;
  readonly tokenLabel: string;
  readonly keyLabel: string;
  readonly pin: string;
  /** Of RSA-OAEP and its mask. */
  readonly hash: 'sha1' | 'sha256';
  /** `pkcs11-tool`, or the path of it. */
  readonly tool: string;
}

/** A token over a network may take its time; one that takes longer is not there. */
const callTimeoutMs = 30_000;
const answerBytesMax = 1_048_576;
/** The PIN goes by the environment of the one call: arguments are for everybody to read. */
const pinVariable = 'PKCS11_PIN';
const ownPrefix = 'FIELDGATE';
const modulusBitsMin = 2_048;

const hashWords = {
  sha1: ['--hash-algorithm', 'SHA-1', '--mgf', 'MGF1-SHA1'],
  sha256: ['--hash-algorithm', 'SHA256', '--mgf', 'MGF1-SHA256'],
} as const;

/** Nothing is asked of the token before a key is wrapped or unwrapped. */
export function pkcs11Protection(options: Pkcs11Options): KeyProtection {
  const { keyLabel, hash, tokenLabel } = options;
  const found: { id?: string; publicKey?: KeyObject } = {};
  const name = `the key ${keyLabel} on the token ${tokenLabel}`;

  const keyId = () => {
    found.id ??= findKey(options, name);
    return found.id;
  };

  const publicKey = () => {
    found.publicKey ??= readPublicKey(options, keyId(), name);
    return found.publicKey;
  };

  function unwrap(wrapped: Buffer): Buffer {
    // By its id: the tool takes any private key it meets when it is given a label.
    const words = [
      '--decrypt',
      '--id',
      keyId(),
      '--mechanism',
      'RSA-PKCS-OAEP',
      ...hashWords[hash],
    ];
    return askToken(options, words, `${name} does not open the key file`, wrapped);
  }

  return {
    kind: 'pkcs11',
    wrap(key) {
      const padding = { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: hash };
      const wrapped = publicEncrypt({ key: publicKey(), ...padding }, key);
      if (unwrap(wrapped).equals(key)) return wrapped;
      throw new Error(`PKCS#11: what was wrapped for ${name} does not open with it again`);
    },
    unwrap,
  };
}

/** The id of the private key with the label, in hex. */
function findKey(options: Pkcs11Options, name: string): string {
  const words = ['--list-objects', '--type', 'privkey'];
  const text = askToken(options, words, 'the objects of the token cannot be listed').toString();
  const ids = text
    .split(/^(?=Private Key Object)/m)
    .filter((part) => fieldOf(part, 'label') === options.keyLabel)
    .map((part) => fieldOf(part, 'ID')?.replaceAll(/[^0-9a-fA-F]/g, ''));
  const [id, ...others] = ids;
  if (ids.length === 0) {
    throw new Error(`PKCS#11: ${name} is not there: make an RSA key pair of this label`);
  }
  if (others.length > 0) throw new Error(`PKCS#11: ${name} is there ${ids.length} times`);
  if (id === undefined || id === '') throw new Error(`PKCS#11: ${name} has no id (CKA_ID)`);
  return id;
}

function fieldOf(text: string, field: string): string | undefined {
  return new RegExp(`^ *${field}: *(.*?) *$`, 'm').exec(text)?.[1];
}

function readPublicKey(options: Pkcs11Options, id: string, name: string): KeyObject {
  const words = ['--read-object', '--type', 'pubkey', '--id', id];
  const der = askToken(options, words, `the public part of ${name} is not there`);
  const key = parsePublicKey(der);
  const bits = key?.asymmetricKeyDetails?.modulusLength ?? 0;
  if (key?.asymmetricKeyType !== 'rsa' || bits < modulusBitsMin) {
    throw new Error(`PKCS#11: ${name} is no RSA key of ${modulusBitsMin} bits or more`);
  }
  return key;
}

function parsePublicKey(der: Buffer): KeyObject | undefined {
  try {
    return createPublicKey({ key: der, format: 'der', type: 'spki' });
  } catch {
    return undefined;
  }
}

/**
 * One attempt with the PIN and no more: a token locks itself after a few wrong ones. But a token in
 * software is not there for a moment while another process changes it, and no PIN was tried then.
 */
function askToken(
  options: Pkcs11Options,
  words: readonly string[],
  failure: string,
  input: Buffer = Buffer.alloc(0),
): Buffer {
  const { module, tokenLabel, tool, pin } = options;
  if (!existsSync(module)) {
    throw new Error(`PKCS#11: there is no module ${module}: see keys.protection.module`);
  }
  const login = ['--module', module, '--token-label', tokenLabel, '--login'];
  const call = () =>
    spawnSync(tool, [...login, '--pin', `env:${pinVariable}`, ...words], {
      ...{ input, timeout: callTimeoutMs, maxBuffer: answerBytesMax },
      env: { ...foreignEnvironment(), LC_ALL: 'C', [pinVariable]: pin },
    });
  let result = call();
  for (let looks = 1; looks < looksMax && isWithoutToken(result); looks += 1) {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, lookAgainMs);
    result = call();
  }
  if (result.status === 0) return result.stdout;
  throw new Error(`PKCS#11: ${reasonOf(result, options) ?? `${failure} (${lastWords(result)})`}`);
}

/** For a token that is not there, and between two looks. */
const looksMax = 3;
const lookAgainMs = 200;

function isWithoutToken({ stderr }: SpawnSyncReturns<Buffer>): boolean {
  return /No slot with.* found/.test(String(stderr));
}

/** Modules find their settings in variables of their own; our secrets are none of theirs. */
function foreignEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !name.startsWith(ownPrefix)),
  );
}

/** What the tool's words mean for the operator; undefined for words that are not known. */
function reasonOf(
  result: SpawnSyncReturns<Buffer>,
  { module, tokenLabel, tool }: Pkcs11Options,
): string | undefined {
  const { error, stderr } = result;
  if (error !== undefined) {
    return 'code' in error && error.code === 'ENOENT'
      ? `${tool} is not installed (Debian package opensc)`
      : `${tool} did not come to its end within ${callTimeoutMs / 1_000} s: ${error.message}`;
  }
  const said = stderr.toString();
  if (said.includes('Failed to load pkcs11 module')) return `${module} is no PKCS#11 module`;
  if (isWithoutToken(result)) return `no token is named ${tokenLabel}`;
  if (said.includes('CKR_PIN_LOCKED')) return `the PIN of the token ${tokenLabel} is locked`;
  if (/CKR_PIN_(INCORRECT|INVALID|LEN_RANGE)/.test(said)) {
    return `the PIN of the token ${tokenLabel} is wrong; it was tried once`;
  }
  return undefined;
}

function lastWords({ stderr }: SpawnSyncReturns<Buffer>): string {
  const lines = stderr
    .toString()
    .split('\n')
    .map((line) => line.trim());
  return (
    lines
      .filter((line) => line.startsWith('error:'))
      .at(-1)
      ?.slice(0, 200) ?? 'no reason given'
  );
}
