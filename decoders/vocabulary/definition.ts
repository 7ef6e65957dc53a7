/** What a quantity is made of. The tables beside this file hold the vocabulary, by theme. */

export interface Names {
  readonly az: string;
  readonly ru: string;
  readonly en: string;
}

export interface Measure {
  /** UCUM; empty for a pure number. */
  readonly unit: string;
  /** The plausible range, both ends included: what a working sensor in a town can report. */
  readonly min: number;
  readonly max: number;
  /** A power of ten at most 1: values are rounded to it, so that 7.1 never becomes 7.1000000001. */
  readonly resolution: number;
  readonly names: Names;
}

export interface StateWord {
  readonly names: Names;
  /** Other words that devices use for it, in lower case. */
  readonly spellings?: readonly string[];
}

export interface State {
  /** The words for true and false, and for 1 and 0; absent where the state is no yes or no. */
  readonly whenTrue?: string;
  readonly whenFalse?: string;
  readonly states: Readonly<Record<string, StateWord>>;
  readonly names: Names;
}
