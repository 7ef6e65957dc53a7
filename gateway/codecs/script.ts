/** A codec script with what is known of it, and the request for a call of it. */
import { createHash } from 'node:crypto';
import type { CodecLimits } from './limits.ts';
import type { SandboxCall, SandboxScript } from './sandbox-messages.ts';

export const dialects = ['decodeUplink', 'Decode', 'Decoder'] as const;
export type Dialect = (typeof dialects)[number];

export interface Script extends SandboxScript {
  readonly id: string;
  readonly title: string;
  /** The function that reads uplinks; the first of `dialects` that the script has if absent. */
  readonly dialect?: Dialect;
  readonly variables: Readonly<Record<string, string>>;
}

/** The version of a script: the SHA-256 of its text, in 64 hex digits. */
export function versionOf(source: string): string {
  return createHash('sha256').update(source).digest('hex');
}

export interface UplinkInput {
  readonly bytes: Uint8Array;
  readonly fPort: number;
  /** When the network received it, epoch milliseconds. */
  readonly time: number;
  /** The device's own, over those of the script. */
  readonly variables?: Readonly<Record<string, string>>;
}

export function uplinkCall(script: Script, input: UplinkInput, limits: CodecLimits): SandboxCall {
  return callOf(limits, input.time, {
    kind: 'uplink',
    isStrict: true,
    dialect: script.dialect,
    bytes: Array.from(input.bytes),
    fPort: input.fPort,
    variables: { ...script.variables, ...input.variables },
  });
}

/** `request` is what the guest program reads, without the limits and the time. */
export function callOf(limits: CodecLimits, time: number, request: object): SandboxCall {
  const { resultCharactersMax: charactersMax, resultFieldsMax: fieldsMax } = limits;
  const all = { ...request, recvTime: time, charactersMax, fieldsMax };
  return { time, request: JSON.stringify(all) };
}
