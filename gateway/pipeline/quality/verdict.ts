/**
 * What the tests say of one value, in one number: three bits a test. It is kept for every value, so
 * it has to be small, and the flag of the value follows from it alone.
 *
 * Tests and flags are those of QARTOD (U.S. IOOS, Manual for Real-Time Quality Control of Water
 * Level Data 2.1, tests 1 to 8, 10 and 11). Its test 9, the multi-variate test, asks whether a
 * companion variable has moved along; which one that is nobody has said, so it is not made.
 */
import type { Quality } from '../../model/reading.ts';

/** In the order of the manual; a test's place here is its place in the number. */
export const tests = [
  'gap',
  'syntax',
  'location',
  'gross_range',
  'climatology',
  'spike',
  'rate_of_change',
  'flat_line',
  'attenuated_signal',
  'neighbour',
] as const;

export type Test = (typeof tests)[number];

/** A number with what every test has said. */
export type Verdict = number;

export const gap = 0;
export const syntax = 3;
export const location = 6;
export const grossRange = 9;
export const climatology = 12;
export const spike = 15;
export const rateOfChange = 18;
export const flatLine = 21;
export const attenuatedSignal = 24;
export const neighbour = 27;

/** What a test can say of a value; "not evaluated" is where it has said nothing. */
export const pass = 1;
export const suspect = 3;
export const fail = 4;
/** The gap test alone: values before this one did not come. */
const missingBits = 5;
export const missing: Verdict = missingBits << gap;

const allBits = 7;
/** Everything but the gap test, whose "missing" says nothing against the value that came. */
const failBits = 0o4444444440;
const suspectBits = 0o2222222222;
/** Gap and syntax speak of the message; only a test of the value itself may call it good. */
const passBits = 0o1111111100;

/** 4 before 3 before 1; 2 where no test of the value itself was made, however sound its form. */
export function flagOf(verdict: Verdict): Quality {
  if ((verdict & failBits) !== 0) return 4;
  if ((verdict & suspectBits) !== 0) return 3;
  return (verdict & passBits) === 0 ? 2 : 1;
}

/** The flag that one test has given. */
function flagIn(verdict: Verdict, place: number): Quality {
  const bits = (verdict >> place) & allBits;
  if (bits === pass || bits === suspect || bits === fail) return bits;
  return bits === missingBits ? 9 : 2;
}

/** The flag of every test by its name, for people. */
export function explain(verdict: Verdict): Record<Test, Quality> {
  const [one, two, three, four, five, six, seven, eight, nine, ten] = tests.map((_test, place) =>
    flagIn(verdict, place * 3),
  );
  return {
    gap: one ?? 2,
    syntax: two ?? 2,
    location: three ?? 2,
    gross_range: four ?? 2,
    climatology: five ?? 2,
    spike: six ?? 2,
    rate_of_change: seven ?? 2,
    flat_line: eight ?? 2,
    attenuated_signal: nine ?? 2,
    neighbour: ten ?? 2,
  };
}
