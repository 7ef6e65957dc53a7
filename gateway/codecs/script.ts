/** A codec script with what is known of it, and the request for a call of it. */
import { createHash } from 'node:crypto';
import type { FieldRule } from '../../decoders/field-rule.ts';
import { uplinkLayout } from './guest-program.ts';
import type { RequestCall, SandboxCall, SandboxScript } from './sandbox-messages.ts';

export const dialects = ['decodeUplink', 'Decode', 'Decoder'] as const;
export type Dialect = (typeof dialects)[number];

/** What is to be known of a script beside its text, and what its results hang on. */
export interface ScriptSettings {
  /** The function that reads uplinks; the first of `dialects` that the script has if absent. */
  readonly dialect?: Dialect;
  readonly variables: Readonly<Record<string, string>>;
  /** How the fields of its results are read, before what their names say by themselves. */
  readonly mapping?: readonly FieldRule[];
}

export interface Script extends SandboxScript, ScriptSettings {
  readonly id: string;
  readonly version: string;
  readonly title: string;
}

/** What the sandbox knows a script by: the SHA-256 of its text, in 64 hex digits. */
export function versionOf(source: string): string {
  return createHash('sha256').update(source).digest('hex');
}

/**
 * The version of a codec: the hash of its text, as `sha256sum` gives it. A dialect, variables or a
 * mapping change what it gives, and so its version, too.
 */
export function codecVersion(key: string, settings: ScriptSettings): string {
  const { dialect, variables, mapping = [] } = settings;
  const named = Object.entries(variables).sort(([left], [right]) => (left < right ? -1 : 1));
  if (dialect === undefined && named.length === 0 && mapping.length === 0) return key;
  const rules = mapping.length === 0 ? [] : [mapping];
  return versionOf(JSON.stringify([key, dialect ?? null, named, ...rules]));
}

/** A device's codec: the current version of an id, or one version for good. */
export interface CodecReference {
  readonly id: string;
  /** The first hex digits of the version, at least `pinLengthMin` of them. */
  readonly pin?: string;
}

const pinLengthMin = 8;

export function parseReference(text: string): CodecReference {
  const at = text.lastIndexOf('@');
  const pin = text.slice(at + 1);
  const isPin = at > 0 && pin.length >= pinLengthMin && /^[0-9a-f]{1,64}$/.test(pin);
  return isPin ? { id: text.slice(0, at), pin } : { id: text };
}

export interface UplinkInput {
  readonly bytes: Uint8Array;
  readonly fPort: number;
  /** When the network received it, epoch milliseconds. */
  readonly time: number;
  /** The device's own, over those of the script. */
  readonly variables?: Readonly<Record<string, string>>;
}

export function uplinkCall(script: Script, input: UplinkInput): SandboxCall {
  const { bytes, fPort, time } = input;
  const { dialect } = script;
  const variables = { ...script.variables, ...input.variables };
  if (bytes.length > uplinkLayout.bytesMax) {
    const request = { kind: 'uplink', isStrict: true, dialect, bytes: Array.from(bytes), fPort };
    return callOf(time, { ...request, variables });
  }
  const isPlain = dialect === undefined && Object.keys(variables).length === 0;
  const settings = isPlain ? '' : JSON.stringify({ dialect, variables });
  return { bytes: latin1Of(bytes), fPort, time, settings };
}

function latin1Of({ buffer, byteOffset, length }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, length).toString('latin1');
}

/** `request` is what the guest program reads, without the time. */
export function callOf(time: number, request: object): RequestCall {
  return { time, request: JSON.stringify({ ...request, recvTime: time }) };
}
