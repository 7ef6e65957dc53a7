/** A device as the registry knows it. Its keys are write-only: no field of this type holds one. */
import type { SeriesLimits } from '../../config/quality-schema.ts';
import type { FieldRule } from '../../decoders/field-rule.ts';
import type { Location } from './uplink.ts';

/** `.` and `..` would be taken out of a path before it is sent [RFC 3986, section 5.2.4]. */
export const deviceIdPattern = /^(?!\.{1,2}$)[A-Za-z0-9_.:-]{1,64}$/;

/** True for an id that may stand in a topic, a tag, a path and a CSV cell as it is. */
export function isDeviceId(text: string): boolean {
  return deviceIdPattern.test(text);
}

export interface Device {
  /** A LoRaWAN device's id is its devEui in 16 lower-case hex digits. */
  readonly id: string;
  readonly kind: 'lorawan' | 'cellular';
  readonly name?: string;
  readonly agency?: string;
  readonly area?: string;
  readonly location?: Location;
  /** The id of a device model, or any name for one that is not known here. */
  readonly model?: string;
  /** Which firmware of its model, where they differ; the last one if absent. */
  readonly firmware?: string;
  /** A built-in codec or a script, also with its version; that of its model if absent. */
  readonly codec?: string;
  readonly activation?: 'otaa' | 'abp';
  /** Whether it may count its frames anew under the same keys; for `abp` only. */
  readonly counterReset?: 'never' | 'after-silence' | 'always';
  readonly macVersion?: string;
  readonly joinEui?: string;
  readonly devAddr?: string;
  readonly tags?: Readonly<Record<string, string>>;
  /** How its fields are read: before the rules of its model, and those before its codec's. */
  readonly mapping?: readonly FieldRule[];
  /** What is asked of its values, over the limits of its model and of the configuration. */
  readonly limits?: readonly SeriesLimits[];
}

/** A device as it is worked with: with all that its model gives it. */
export interface SettledDevice extends Device {
  readonly modelLimits?: readonly SeriesLimits[];
  /** Names the rules of device and model; absent where there are none. */
  readonly mappingVersion?: string;
}

/**
 * The keys of one LoRaWAN session, 16 bytes each. A 1.0.x session has only `fNwkSIntKey`, which
 * that version calls NwkSKey, in all three network places.
 */
export interface SessionKeys {
  readonly appSKey: Buffer;
  readonly fNwkSIntKey: Buffer;
  readonly sNwkSIntKey: Buffer;
  readonly nwkSEncKey: Buffer;
}

/** What the frame verifier needs to know of a session; the registry holds it in memory only. */
export interface Session {
  /** Of a session that was seen to be joined; it tells two of one device and DevAddr apart. */
  readonly id?: string;
  readonly deviceId: string;
  /** 8 lower-case hex digits. */
  readonly devAddr: string;
  readonly macVersion: '1.0' | '1.1';
  readonly keys: SessionKeys;
}
