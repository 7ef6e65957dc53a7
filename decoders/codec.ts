/**
 * The seam of a payload decoder. Someone who writes one reads this file and bytes.ts, nothing else.
 */

import type { FieldRule } from './field-rule.ts';

/** One decoded value. Its quantity is a name from quantity.ts, which also fixes the unit. */
export interface DecodedValue {
  readonly quantity: string;
  /** In the quantity's own unit; text for a state. Never NaN or infinite. */
  readonly value: number | string;
  /** Tells apart several sensors of one quantity on one device: "1", "2", "soil" … */
  readonly channel?: string;
  /** Epoch milliseconds, for a sample from the device's memory; absent for "now". */
  readonly time?: number;
}

/** What a decoder that is not ours has returned, before it was mapped to quantities. */
export interface MakerFields {
  readonly data: object;
  /** In fixed names and units, if it has said it in those, too. */
  readonly normalized: unknown;
  /** The rules of the codec itself. */
  readonly rules: readonly FieldRule[];
}

export type Decoded =
  | {
      readonly ok: true;
      readonly values: readonly DecodedValue[];
      readonly warnings?: readonly string[];
      /** In its maker's own words, where they are known: a device may have them read otherwise. */
      readonly fields?: MakerFields;
    }
  | { readonly ok: false; readonly error: string };

export interface CodecInput {
  readonly bytes: Uint8Array;
  /** 1 to 223; codecs whose devices use one port only refuse the others. */
  readonly fPort: number;
}

export interface Codec {
  /** Unique, kebab-case, `<vendor>-<model>`: what the config and the device registry call it. */
  readonly name: string;
  /** The device or format as its maker writes it. */
  readonly title: string;
  /** Data sheet or format description with its revision. */
  readonly source: string;
  /** Pure; never throws, on any bytes: what it cannot read is an error in words. */
  decode(input: CodecInput): Decoded;
}
