/** The radio state of a modem from the fields, objects or AT answers that a mapping names. */
import type { RadioNumberSpec, RadioSpec } from '../../../config/mapping-schema.ts';
import { isObject } from '../document.ts';
import type { Collection } from '../measurements.ts';
import { type RadioField, radioFieldOf } from '../radio.ts';
import { fromIndex, hasForm } from '../radio-forms.ts';
import { readRadioText } from '../radio-lines.ts';
import { type Context, inside, type Read, report, type Scope } from './context.ts';
import { compileText } from './fields.ts';
import { noteContent } from './measurement-rules.ts';
import { compileNumber } from './numbers.ts';
import { compileOpenSource } from './source.ts';

export type CollectRadio = (context: Context, collection: Collection) => void;

const numbers = ['rsrp', 'rsrq', 'sinr', 'rssi', 'band', 'arfcn', 'pci', 'tac', 'cellId'] as const;
const texts = ['rat', 'mcc', 'mnc', 'plmn'] as const;

/** Later ones win: what an object says of itself, then answers, then single fields. */
export function compileRadio(spec: RadioSpec, scope: Scope): CollectRadio {
  const steps = [
    ...knownSteps(spec, scope),
    ...lineSteps(spec, scope),
    ...numbers.flatMap((field) => fieldStep(field, compileRadioNumber(field, spec[field], scope))),
    ...texts.flatMap((field) => {
      const text = spec[field];
      return fieldStep(
        field,
        text === undefined ? undefined : compileText(text, inside(scope, field)),
      );
    }),
  ];
  if (steps.length === 0) report(scope, 'reads nothing');
  return (context, collection) => {
    for (const step of steps) step(context, collection);
  };
}

function knownSteps({ known }: RadioSpec, scope: Scope): CollectRadio[] {
  if (known === undefined) return [];
  const read = noteContent(compileOpenSource(known.from, inside(scope, 'known.from')));
  return [
    (context, { radioFields }) => {
      const values = read(context);
      if (!isObject(values)) return;
      for (const key of Object.keys(values)) {
        const field = radioFieldOf(key, values[key]);
        if (field !== undefined) radioFields.set(field, values[key]);
      }
    },
  ];
}

function lineSteps({ line }: RadioSpec, scope: Scope): CollectRadio[] {
  if (line === undefined) return [];
  const read = noteContent(compileOpenSource(line.from, inside(scope, 'line.from')));
  return [
    (context, { radioFields }) => {
      const text = read(context);
      if (typeof text === 'string') readRadioText(text, radioFields);
    },
  ];
}

function fieldStep(field: RadioField, read: Read<number | string> | undefined): CollectRadio[] {
  if (read === undefined) return [];
  const noted = noteContent(read);
  return [
    (context, { radioFields }) => {
      const value = noted(context);
      if (value !== undefined) radioFields.set(field, value);
    },
  ];
}

function compileRadioNumber(
  field: (typeof numbers)[number],
  spec: RadioNumberSpec | undefined,
  outer: Scope,
): Read<number> | undefined {
  if (spec === undefined) return undefined;
  const scope = inside(outer, field);
  const read = compileNumber(spec, scope);
  const { form } = spec;
  if (form === undefined) return read;
  if (!hasForm(form, field)) report(scope, `${field} has no form ${form}`);
  return (context) => {
    const index = read(context);
    return index === undefined ? undefined : fromIndex(form, field, index);
  };
}
