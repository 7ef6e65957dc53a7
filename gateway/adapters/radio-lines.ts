/**
 * Answers of AT commands that a modem passes on as text: `+CESQ:`, `+CSQ:` and `+QENG:` of the
 * serving cell. Their layout differs by technology, and `-` stands for what is not available.
 */
import type { Radio } from '../model/uplink.ts';
import type { RadioField, RadioFields } from './radio.ts';
import { fromIndex, type RadioForm } from './radio-forms.ts';

/** One answer has at most 3 lines of about 90 characters. */
const textLengthMax = 1_024;
const answer = /^\+(CESQ|CSQ|QENG):\s*(.*)$/;

/**
 * The answer in a value of a message: as it was printed, or its numbers alone below a key that
 * names the command. Undefined for anything else, which may be the state of a sensor.
 */
export function radioTextOf(key: string, value: unknown): string | undefined {
  if (typeof value === 'string' && value.length > textLengthMax) return undefined;
  if (typeof value === 'string' && /\+(?:CESQ|CSQ|QENG):/.test(value)) return value;
  const command = /^(?:at)?[+_]?(cesq|csq)$/i.exec(key)?.[1];
  if (command === undefined || !/^\d{1,3}(?:, ?\d{1,3})*$/.test(String(value))) return undefined;
  return `+${command.toUpperCase()}: ${value}`;
}

/** Adds what the answers in the text say to `fields`; lines of anything else are passed over. */
export function readRadioText(text: string, fields: RadioFields): void {
  if (text.length > textLengthMax) return;
  for (const line of text.split(/[\r\n]+/)) {
    const [, command, rest] = answer.exec(line.trim()) ?? [];
    if (command === undefined || rest === undefined) continue;
    const values = rest.split(',').map((value) => value.trim().replace(/^"(.*)"$/, '$1'));
    if (command === 'CESQ') readCesq(values, fields);
    else if (command === 'CSQ') putIndex(fields, 'csq', 'rssi', values[0]);
    else readQeng(values, fields);
  }
}

/** rxlev, ber, rscp, ecno, rsrq, rsrp; 5G modems add ss_rsrq, ss_rsrp and ss_sinr. */
function readCesq(values: readonly string[], fields: RadioFields): void {
  putIndex(fields, 'cesq', 'rsrq', values[4]);
  putIndex(fields, 'cesq', 'rsrp', values[5]);
  putIndex(fields, 'nr', 'rsrq', values[6]);
  putIndex(fields, 'nr', 'rsrp', values[7]);
  putIndex(fields, 'nr', 'sinr', values[8]);
}

function putIndex(
  fields: RadioFields,
  form: RadioForm,
  field: keyof Radio,
  index: string | undefined,
): void {
  if (index === undefined || !/^\d{1,3}$/.test(index)) return;
  const value = fromIndex(form, field, Number(index));
  if (value !== undefined) fields.set(field, value);
}

/**
 * With "servingcell" and the state in front, or without them, as in the lines of EN-DC. There the
 * 4G cell comes first and stays for the place; the signal is that of the 5G line after it.
 */
function readQeng(values: readonly string[], fields: RadioFields): void {
  const cell = values[0] === 'servingcell' ? values.slice(2) : values;
  const layout = layouts.get(cell[0] ?? '');
  if (layout === undefined) return;
  layout.forEach((field, at) => {
    const value = cell[at];
    if (field === '' || value === undefined || value === '' || value === '-') return;
    fields.set(field, isHexField(field) ? Number.parseInt(value, 16) : value);
  });
  if (cell[0] === 'NR5G-NSA') forgetAnchor(cell, fields);
}

/** An RSSI of the 4G anchor says nothing about the 5G cell whose RSRP stands beside it. */
function forgetAnchor(cell: readonly string[], fields: RadioFields): void {
  fields.delete('rssi');
  nrNonStandAlone.forEach((field, at) => {
    if (field !== '' && cell[at] === '-') fields.delete(field);
  });
}

function isHexField(field: RadioField): boolean {
  return field === 'cellId' || field === 'tac';
}

type Layout = readonly (RadioField | '')[];

const nrStandAlone: Layout = [
  'rat',
  '',
  'mcc',
  'mnc',
  'cellId',
  'pci',
  'tac',
  'arfcn',
  'band',
  '',
  'rsrp',
  'rsrq',
  'sinr',
];

/** SINR comes before RSRQ here, unlike in the other two. */
const nrNonStandAlone: Layout = [
  'rat',
  'mcc',
  'mnc',
  'pci',
  'rsrp',
  'sinr',
  'rsrq',
  'arfcn',
  'band',
];

/**
 * SINR is taken as dB. Some firmware prints it raw, as five times the dB above -20; a mapping with
 * a scale and an offset reads those.
 */
const lte: Layout = [
  'rat',
  '',
  'mcc',
  'mnc',
  'cellId',
  'pci',
  'arfcn',
  'band',
  '',
  '',
  'tac',
  'rsrp',
  'rsrq',
  'rssi',
  'sinr',
];

const layouts = new Map<string, Layout>([
  ['NR5G-SA', nrStandAlone],
  ['NR5G-NSA', nrNonStandAlone],
  ['LTE', lte],
]);
