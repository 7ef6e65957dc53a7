/** The seam between deriving and judging: readings go in without a flag and have one afterwards. */
import type { Device } from '../../model/device.ts';
import type { Reading } from '../../model/reading.ts';

/** A reading whose quality is still to be settled; 3 says that its time is not believed. */
export type Unjudged = { -readonly [Field in keyof Reading]: Reading[Field] };

/**
 * Settles the quality of the readings of one entry, all of one device. Returns earlier readings
 * that turn out to be worse than was told when they came: they replace those.
 */
export type Judge = (
  readings: readonly Unjudged[],
  device: Device | undefined,
) => readonly Reading[];
