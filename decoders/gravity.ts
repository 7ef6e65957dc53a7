/** Accelerometers count in shares of gravity; the vocabulary has m/s2. */

/** Standard gravity, m/s2 (3rd CGPM, 1901). */
export const standardGravity = 9.80665;
