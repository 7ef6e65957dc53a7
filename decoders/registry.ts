/** The built-in codecs: to add one, write its folder and name it here. */
import { browanTbhv110 } from './browan-tbhv110/codec.ts';
import { cayenneLpp } from './cayenne-lpp/codec.ts';
import type { Codec } from './codec.ts';
import { decentlabDlLid } from './decentlab-dl-lid/codec.ts';
import { decentlabDlPm } from './decentlab-dl-pm/codec.ts';
import { draginoLdds75 } from './dragino-ldds75/codec.ts';
import { draginoLht65 } from './dragino-lht65/codec.ts';
import { draginoLse01 } from './dragino-lse01/codec.ts';
import { elsysGeneric } from './elsys-generic/codec.ts';
import { milesightAm307 } from './milesight-am307/codec.ts';
import { milesightEm300 } from './milesight-em300/codec.ts';
import { milesightEm300Di } from './milesight-em300-di/codec.ts';
import { milesightEm310Udl } from './milesight-em310-udl/codec.ts';
import { seeedS2120 } from './seeed-s2120/codec.ts';
import { sensoneoSingleSensor } from './sensoneo-single-sensor/codec.ts';
import { talkpoolOy1110 } from './talkpool-oy1110/codec.ts';

export const codecs: readonly Codec[] = [
  browanTbhv110,
  cayenneLpp,
  decentlabDlLid,
  decentlabDlPm,
  draginoLdds75,
  draginoLht65,
  draginoLse01,
  elsysGeneric,
  milesightAm307,
  milesightEm300,
  milesightEm300Di,
  milesightEm310Udl,
  seeedS2120,
  sensoneoSingleSensor,
  talkpoolOy1110,
];

const byName: ReadonlyMap<string, Codec> = new Map(codecs.map((codec) => [codec.name, codec]));

/** Safe for any text from outside. */
export function findCodec(name: string): Codec | undefined {
  return byName.get(name);
}
