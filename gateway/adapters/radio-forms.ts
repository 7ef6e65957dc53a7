/** Radio values as AT commands report them: an index for dBm or dB, and one for "unknown". */

/** `cesq` is LTE in AT+CESQ [3GPP TS 27.007 as in Nordic's AT reference], `nr` its 5G fields. */
export type RadioForm = 'cesq' | 'nr' | 'csq';

interface Index {
  readonly scale: number;
  readonly offset: number;
  readonly indexMax: number;
  /** What the last index stands for: "that or more". */
  readonly valueMax: number;
}

const indexes = {
  'cesq rsrp': { scale: 1, offset: -140, indexMax: 97, valueMax: -44 },
  'cesq rsrq': { scale: 0.5, offset: -19.5, indexMax: 34, valueMax: -3 },
  'nr rsrp': { scale: 1, offset: -156, indexMax: 126, valueMax: -31 },
  'nr rsrq': { scale: 0.5, offset: -43, indexMax: 126, valueMax: 20 },
  'nr sinr': { scale: 0.5, offset: -23, indexMax: 127, valueMax: 40 },
  'csq rssi': { scale: 2, offset: -113, indexMax: 31, valueMax: -51 },
} as const;

const indexesByName = new Map<string, Index>(Object.entries(indexes));

/** Whether this field has such a form at all. */
export function hasForm(form: RadioForm, field: string): boolean {
  return indexesByName.has(`${form} ${field}`);
}

/** dBm or dB; undefined for 99, 255 and whatever else is no index of this form. */
export function fromIndex(form: RadioForm, field: string, index: number): number | undefined {
  const found = indexesByName.get(`${form} ${field}`);
  if (found === undefined || !Number.isInteger(index)) return undefined;
  if (index < 0 || index > found.indexMax) return undefined;
  return Math.min(index * found.scale + found.offset, found.valueMax);
}
