/**
 * What a codec script may use. Every limit has its default here and its name in the configuration.
 */

export interface CodecLimits {
  /** Wall clock of one call, milliseconds. */
  readonly timeLimitMs: number;
  /** Heap of one call with the script itself, bytes. */
  readonly memoryBytesMax: number;
  /** Stack of one call, bytes. */
  readonly stackBytesMax: number;
  /** Characters of what one call returns, as JSON. */
  readonly resultCharactersMax: number;
  /** Values in what one call returns, plain or not. */
  readonly resultFieldsMax: number;
  /** Bytes of one script. */
  readonly scriptBytesMax: number;
  /** Scripts read from the directory. */
  readonly scriptsMax: number;
}

export const codecLimits: CodecLimits = {
  timeLimitMs: 100,
  memoryBytesMax: 16_777_216,
  stackBytesMax: 262_144,
  resultCharactersMax: 65_536,
  resultFieldsMax: 1_000,
  scriptBytesMax: 524_288,
  scriptsMax: 2_000,
};
