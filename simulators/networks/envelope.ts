/** A message as a network or a modem sends it: where to, by topic or path, and the bytes. */
export interface Envelope {
  readonly topic: string;
  readonly payload: Buffer;
}
