/** The metrics of one message as measurements and radio state, as far as they can be named. */
import type { Measurement, Radio } from '../../model/uplink.ts';
import { nameLengthMax, textLengthMax } from '../measurements.ts';
import { isPersonalIdentifier, isPersonalText } from '../personal.ts';
import { isRadioGroup, type RadioFields, radioFieldOf, readRadio } from '../radio.ts';
import type { Birth, Described } from './birth-book.ts';
import type { Metric } from './payload.ts';
import { needsType, type Plain, plainValue } from './value.ts';

export interface Measured {
  readonly measurements: readonly Measurement[];
  readonly radio?: Radio;
  /** Values whose alias or type no birth has told. */
  readonly unnamed: number;
  /** Values that are no measurement: data sets, files, texts of the length of a document. */
  readonly skipped: number;
}

/** `defaultTime` is for metrics without a time of their own. */
export function measure(
  metrics: readonly Metric[],
  birth: Birth | undefined,
  defaultTime: number | undefined,
): Measured {
  const measurements: Measurement[] = [];
  const radioFields: RadioFields = new Map();
  let unnamed = 0;
  let skipped = 0;
  for (const metric of metrics) {
    const { value } = metric;
    if (metric.isNull || value === undefined) continue;
    const described = describe(metric, birth);
    if (described === undefined || needsType(value, described.dataType)) {
      unnamed += 1;
      continue;
    }
    if (isControl(described.name) || isPersonalIdentifier(described.name)) continue;
    const plain = plainValue(value, described.dataType);
    if (plain === undefined || isTooLong(described.name, plain)) skipped += 1;
    else if (typeof plain === 'string' && isPersonalText(plain)) continue;
    else if (!takeRadio(metric, described.name, plain, radioFields)) {
      const time = metric.time ?? defaultTime;
      const measurement = { name: described.name, value: plain };
      measurements.push(time === undefined ? measurement : { ...measurement, time });
    }
  }
  const radio = readRadio(radioFields);
  const counts = { measurements, unnamed, skipped };
  return radio === undefined ? counts : { ...counts, radio };
}

/** What the message says itself goes before what the birth said. */
function describe(metric: Metric, birth: Birth | undefined): Described | undefined {
  const { name, alias, dataType } = metric;
  const known =
    name !== undefined && name !== ''
      ? birth?.byName.get(name)
      : alias === undefined
        ? undefined
        : birth?.byAlias.get(alias);
  const ownName = name === undefined || name === '' ? known?.name : name;
  if (ownName === undefined) return undefined;
  return { name: ownName, dataType: dataType === 0 ? (known?.dataType ?? 0) : dataType };
}

/** The protocol's own metrics: they steer a node and measure nothing. */
function isControl(name: string): boolean {
  return name === 'bdSeq' || name.startsWith('Node Control/') || name.startsWith('Device Control/');
}

function isTooLong(name: string, plain: Plain): boolean {
  return name.length > nameLengthMax || (typeof plain === 'string' && plain.length > textLengthMax);
}

/** The radio state has one time, that of the message: an older value stays a measurement. */
function takeRadio(metric: Metric, name: string, plain: Plain, fields: RadioFields): boolean {
  if (metric.isHistorical) return false;
  const [key = '', group] = name.split('/').reverse();
  const field = radioFieldOf(key, plain);
  if (field === undefined) return false;
  if (group !== undefined && !isRadioGroup(group, { [key]: plain })) return false;
  fields.set(field, plain);
  return true;
}
