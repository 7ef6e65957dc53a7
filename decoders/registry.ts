/** The built-in codecs: to add one, write its folder and name it here. */
import { cayenneLpp } from './cayenne-lpp/codec.ts';
import type { Codec } from './codec.ts';
import { draginoLht65 } from './dragino-lht65/codec.ts';
import { elsysGeneric } from './elsys-generic/codec.ts';
import { milesightEm300 } from './milesight-em300/codec.ts';
import { milesightEm300Di } from './milesight-em300-di/codec.ts';

export const codecs: readonly Codec[] = [
  cayenneLpp,
  draginoLht65,
  elsysGeneric,
  milesightEm300,
  milesightEm300Di,
];

const byName: ReadonlyMap<string, Codec> = new Map(codecs.map((codec) => [codec.name, codec]));

/** Safe for any text from outside. */
export function findCodec(name: string): Codec | undefined {
  return byName.get(name);
}
