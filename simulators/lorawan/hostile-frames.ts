/** Frames as somebody would make who has no key: noise, and real ones changed. */
import { createHash } from 'node:crypto';

/** The same sequence for the same seed, on every machine. */
export function createNoise(seed: number) {
  let pool = Buffer.alloc(0);
  let count = 0;
  let at = 0;
  function byte(): number {
    if (at >= pool.length) {
      pool = createHash('sha512').update(`${seed} ${count}`).digest();
      count += 1;
      at = 0;
    }
    at += 1;
    return pool.readUInt8(at - 1);
  }
  const below = (limit: number): number => (byte() * 65_536 + byte() * 256 + byte()) % limit;
  return { byte, below, bytes: (length: number) => Buffer.from(Array.from({ length }, byte)) };
}

type Noise = ReturnType<typeof createNoise>;

/** Every other one is noise of any length; the rest began as a real frame. */
export function hostileFrame(real: readonly Buffer[], noise: Noise): Buffer {
  const origin = real[noise.below(real.length)] ?? Buffer.alloc(0);
  switch (noise.below(8)) {
    case 0:
      return mutated(origin, noise, 1);
    case 1:
      return mutated(origin, noise, 1 + noise.below(8));
    case 2:
      return origin.subarray(0, noise.below(origin.length));
    case 3:
      return Buffer.concat([origin, noise.bytes(1 + noise.below(20))]);
    case 4:
      // The header that the receiver knows, and anything behind it.
      return Buffer.concat([origin.subarray(0, 8), noise.bytes(noise.below(60))]);
    default:
      return noise.bytes(noise.below(80));
  }
}

function mutated(origin: Buffer, noise: Noise, flips: number): Buffer {
  const frame = Buffer.from(origin);
  for (let flip = 0; flip < flips; flip += 1) {
    const place = noise.below(frame.length);
    frame[place] = frame.readUInt8(place) ^ (1 << noise.below(8));
  }
  return frame;
}
