/**
 * Randomness that a seed fixes for ever: a stream (sfc32, public domain) for drawing a scenario,
 * and noise as a pure function of (key, time) for its curves, so that a device's value at a time
 * does not depend on what was asked before.
 */
import { createHash } from 'node:crypto';

export interface Random {
  /** Uniform in [0, 1). */
  next(): number;
  /** Uniform integer in [low, high]. */
  integer(low: number, high: number): number;
  /** Uniform in [low, high). */
  between(low: number, high: number): number;
}

/** Any text is a seed; equal texts give equal streams on every machine. */
export function createRandom(seed: string): Random {
  const digest = createHash('sha256').update(seed).digest();
  let a = digest.readUInt32LE(0);
  let b = digest.readUInt32LE(4);
  let c = digest.readUInt32LE(8);
  let counter = 1;
  const next = (): number => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return (sum >>> 0) / 4294967296;
  };
  return {
    next,
    integer: (low, high) => low + Math.floor(next() * (high - low + 1)),
    between: (low, high) => low + next() * (high - low),
  };
}

/** A key of the noise below, derived from words so that two curves never share one. */
export function noiseKey(...words: readonly string[]): number {
  return createHash('sha256').update(words.join('\n')).digest().readUInt32LE(0);
}

/** Uniform in [0, 1), a pure function of key and step. */
export function hashNoise(key: number, step: number): number {
  const high = Math.floor(step / 4294967296);
  let bits = (key ^ Math.imul(step | 0, 0x9e3779b1) ^ Math.imul(high, 0x85ebca77)) | 0;
  bits = Math.imul(bits ^ (bits >>> 16), 0x7feb352d);
  bits = Math.imul(bits ^ (bits >>> 15), 0x846ca68b);
  return ((bits ^ (bits >>> 16)) >>> 0) / 4294967296;
}

/** A smooth curve in [-1, 1] that forgets itself after about one period. */
export function smoothNoise(key: number, time: number, periodMs: number): number {
  const place = time / periodMs;
  const step = Math.floor(place);
  const part = place - step;
  const weight = part * part * (3 - 2 * part);
  const from = hashNoise(key, step);
  const to = hashNoise(key, step + 1);
  return (from + (to - from) * weight) * 2 - 1;
}
