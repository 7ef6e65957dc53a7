/** A small reading of the UCUM grammar: enough to refuse a unit that no UCUM reader would know. */

/** Atoms that may carry a prefix, and those that may not (UCUM 2.1, tables 2 to 25). */
const metricAtoms = [
  'm',
  's',
  'g',
  'K',
  'Cel',
  'Pa',
  'V',
  'A',
  'W',
  'J',
  'S',
  'Hz',
  'lx',
  'L',
  'B',
];
const otherAtoms = ['%', 'deg', 'h', 'min', '[ppm]', '[ppb]', '[pH]'];
const prefixes = ['', 'k', 'M', 'h', 'd', 'c', 'm', 'u', 'n'];

const atoms = new Set([
  ...otherAtoms,
  ...metricAtoms.flatMap((atom) => prefixes.map((prefix) => `${prefix}${atom}`)),
]);

/**
 * UCUM has no A-weighted level; this is how the public contract writes it, and the one exception.
 */
const aWeighted = 'dB(A)';

export function isUcum(unit: string): boolean {
  if (unit === aWeighted) return true;
  return unit.split(/[./]/).every((component) => {
    const [, atom = '', annotation] = /^([^{}]*?)[2-9]?(\{[\x21-\x7e]+\})?$/.exec(component) ?? [];
    return atoms.has(atom) || (atom === '' && annotation !== undefined);
  });
}
