/**
 * Reads the radio state of a cellular modem: many spellings, 3GPP ranges, and "unknown" left out.
 */
import type { Radio } from '../model/uplink.ts';
import type { JsonObject } from './document.ts';
import { type Draft, toNumber } from './place.ts';
import { remembered } from './remembered.ts';

export type RadioField = keyof Radio | 'plmn';
export type RadioFields = Map<RadioField, unknown>;

/**
 * Keys without case, blanks and punctuation. `snr` is not here: senders mean different things by
 * it.
 */
const fieldsByKey = new Map<string, RadioField>(
  Object.entries({
    rsrp: 'rsrp',
    ssrsrp: 'rsrp',
    rsrq: 'rsrq',
    ssrsrq: 'rsrq',
    sinr: 'sinr',
    sssinr: 'sinr',
    rssi: 'rssi',
    rat: 'rat',
    mode: 'rat',
    networkmode: 'rat',
    networktype: 'rat',
    band: 'band',
    currentband: 'band',
    arfcn: 'arfcn',
    nrarfcn: 'arfcn',
    earfcn: 'arfcn',
    pci: 'pci',
    pcid: 'pci',
    physicalcellid: 'pci',
    tac: 'tac',
    areacode: 'tac',
    cellid: 'cellId',
    cid: 'cellId',
    eci: 'cellId',
    nci: 'cellId',
    mcc: 'mcc',
    mnc: 'mnc',
    mccmnc: 'plmn',
    plmn: 'plmn',
  }),
);

const groups = new Set([
  'radio',
  'cell',
  'cellular',
  'cellstatus',
  'servingcell',
  'network',
  'networkinfo',
  'modem',
  'signal',
  'lte',
  'nr',
  'lbs',
]);

/** True for an object in which a modem puts its radio fields: by its key, or by an RSRP in it. */
export function isRadioGroup(key: string, object: JsonObject): boolean {
  return groups.has(plainKey(key)) || Object.keys(object).some((inner) => isSignal(inner));
}

function isSignal(key: string): boolean {
  return fieldsByKey.get(plainKey(key)) === 'rsrp';
}

/** The field this key and value belong to; a sensor's own "mode": "heating" belongs to none. */
export function radioFieldOf(key: string, value: unknown): RadioField | undefined {
  const field = fieldsByKey.get(plainKey(key));
  if (field === undefined || (typeof value !== 'string' && typeof value !== 'number')) {
    return undefined;
  }
  if (field === 'rat') return technologyOf(value) === undefined ? undefined : field;
  return isPlaceholder(value) || isReadable(field, value) ? field : undefined;
}

const keysRememberedMax = 4_096;

const plainKey = remembered((key) => key.replace(/[_\-\s.]/g, '').toLowerCase(), keysRememberedMax);

const bandText = /^[bn]?\d{1,3}$/i;
const plmnText = /^(\d{3})[-\s]?(\d{2,3})$/;
const hexText = /^(?:0x)?[0-9a-f]{1,16}$/i;

function isReadable(field: RadioField, value: string | number): boolean {
  if (toNumber(value) !== undefined) return true;
  if (field === 'band') return bandText.test(String(value));
  if (field === 'plmn') return plmnText.test(String(value));
  return (field === 'tac' || field === 'cellId') && hexText.test(String(value));
}

/**
 * What AT commands print for "not available". Numeric placeholders fall out of the ranges below.
 */
function isPlaceholder(value: string | number): boolean {
  return (
    value === '' || value === '-' || value === '--' || /^(?:n\/a|unknown)$/i.test(String(value))
  );
}

const technologies = new Map<string, string>(
  Object.entries({
    gsm: 'GSM',
    gprs: 'GSM',
    edge: 'GSM',
    '2g': 'GSM',
    umts: 'UMTS',
    wcdma: 'UMTS',
    '3g': 'UMTS',
    lte: 'LTE',
    '4g': 'LTE',
    ltefdd: 'LTE',
    ltetdd: 'LTE',
    ltem: 'LTE-M',
    catm: 'LTE-M',
    catm1: 'LTE-M',
    emtc: 'LTE-M',
    nbiot: 'NB-IoT',
    catnb: 'NB-IoT',
    catnb1: 'NB-IoT',
    catnb2: 'NB-IoT',
    endc: 'NR-NSA',
    nrnsa: 'NR-NSA',
    nr5gnsa: 'NR-NSA',
    '5gnsa': 'NR-NSA',
    nrsa: 'NR-SA',
    nr5gsa: 'NR-SA',
    '5gsa': 'NR-SA',
    nr: 'NR',
    '5g': 'NR',
    nr5g: 'NR',
    redcap: 'RedCap',
    nrredcap: 'RedCap',
  }),
);

/** A modem that also runs its satellite receiver says "LTE-M GPS". */
function technologyOf(value: unknown): string | undefined {
  const plain = String(value)
    .toLowerCase()
    .replace(/[^a-z0-9]/g, '')
    .replace(/gps$/, '');
  return technologies.get(plain);
}

interface Range {
  readonly min: number;
  readonly max: number;
}

/** What 3GPP lets a device report: NR as in TS 38.133 10.1, LTE with its extended ranges. */
interface Ranges {
  readonly rsrp: Range;
  readonly rsrq: Range;
  readonly arfcn: Range;
  readonly pci: Range;
  readonly tac: Range;
  readonly cellId: Range;
}

const nrRanges: Ranges = {
  rsrp: { min: -156, max: -31 },
  rsrq: { min: -43, max: 20 },
  arfcn: { min: 0, max: 3_279_165 },
  pci: { min: 0, max: 1_007 },
  // All zeros and all ones are placeholders, in tracking areas and in cells alike.
  tac: { min: 1, max: 0xff_fffe },
  cellId: { min: 1, max: 0xf_ffff_fffe },
};

const lteRanges: Ranges = {
  rsrp: { min: -156, max: -44 },
  rsrq: { min: -34, max: 2.5 },
  arfcn: { min: 0, max: 262_143 },
  pci: { min: 0, max: 503 },
  tac: { min: 1, max: 0xfffe },
  cellId: { min: 1, max: 0xfff_fffe },
};

/**
 * Without a technology the wider range counts, but not the values nRF modems send for "unknown".
 */
const anyRanges: Ranges = { ...nrRanges, rsrq: { min: -34, max: 20 } };

const sinrRange: Range = { min: -23, max: 40 };
/** AT+CSQ ends at -51 dBm, while 5G modules print up to -30; 99 and 0 mean unknown. */
const rssiRange: Range = { min: -120, max: -20 };
const bandRange: Range = { min: 1, max: 1_024 };

/** Undefined when nothing of it can be believed. */
export function readRadio(fields: RadioFields): Radio | undefined {
  if (fields.size === 0) return undefined;
  const radio: Draft<Radio> = {};
  const rat = technologyOf(fields.get('rat'));
  if (rat !== undefined) radio.rat = rat;
  const ranges = rangesOf(rat);
  put(radio, 'rsrp', inside(toNumber(fields.get('rsrp')), ranges.rsrp));
  put(radio, 'rsrq', inside(toNumber(fields.get('rsrq')), ranges.rsrq));
  put(radio, 'sinr', inside(toNumber(fields.get('sinr')), sinrRange));
  put(radio, 'rssi', inside(toNumber(fields.get('rssi')), rssiRange));
  put(radio, 'band', whole(readBand(fields.get('band')), bandRange));
  put(radio, 'arfcn', whole(toNumber(fields.get('arfcn')), ranges.arfcn));
  put(radio, 'pci', whole(toNumber(fields.get('pci')), ranges.pci));
  readCell(fields, radio, ranges);
  readOperator(fields, radio);
  return Object.keys(radio).length === 0 ? undefined : radio;
}

function rangesOf(rat: string | undefined): Ranges {
  if (rat === 'LTE' || rat === 'LTE-M' || rat === 'NB-IoT') return lteRanges;
  return rat === 'NR' || rat === 'NR-SA' || rat === 'RedCap' ? nrRanges : anyRanges;
}

type NumericField = Exclude<keyof Radio, 'rat' | 'mcc' | 'mnc'>;

function put(radio: Draft<Radio>, field: NumericField, value: number | undefined): void {
  if (value !== undefined) radio[field] = value;
}

function inside(value: number | undefined, range: Range): number | undefined {
  return value !== undefined && value >= range.min && value <= range.max ? value : undefined;
}

function whole(value: number | undefined, range: Range): number | undefined {
  return value !== undefined && Number.isInteger(value) ? inside(value, range) : undefined;
}

/** "n78", "B20" or the bare number. */
function readBand(value: unknown): number | undefined {
  return toNumber(typeof value === 'string' ? value.replace(/^[bn]/i, '') : value);
}

/** Twenty-eight and thirty-two set bits are an unknown cell in 4G modules. */
const unknownCells = [0xfff_ffff, 0xffff_ffff];

/**
 * AT commands print both in hex, where "1234" looks like a decimal number: text is hex when one of
 * the two cannot be anything else. A cell has up to 36 bits, so no bit operators here.
 */
function readCell(fields: RadioFields, radio: Draft<Radio>, ranges: Ranges): void {
  const tac = fields.get('tac');
  const cellId = fields.get('cellId');
  const isHex = looksHex(tac) || looksHex(cellId);
  put(radio, 'tac', whole(readCode(tac, { isHex }), ranges.tac));
  const cell = whole(readCode(cellId, { isHex }), ranges.cellId);
  if (cell !== undefined && !unknownCells.includes(cell)) radio.cellId = cell;
}

function looksHex(value: unknown): boolean {
  return typeof value === 'string' && hexText.test(value) && /^0x|[a-f]|^0\d/i.test(value);
}

function readCode(value: unknown, { isHex }: { readonly isHex: boolean }): number | undefined {
  if (typeof value !== 'string' || !isHex) return toNumber(value);
  return hexText.test(value) ? Number.parseInt(value, 16) : undefined;
}

/** Numbers have lost their leading zeros: a country has three digits, a network two or three. */
function readOperator(fields: RadioFields, radio: Draft<Radio>): void {
  const plmn = plmnText.exec(asDigits(fields.get('plmn')));
  const mcc = asDigits(fields.get('mcc')).padStart(3, '0');
  const mnc = asDigits(fields.get('mnc')).replace(/^\d$/, '0$&');
  if (/^(?!000)\d{3}$/.test(mcc)) radio.mcc = mcc;
  else if (plmn?.[1] !== undefined) radio.mcc = plmn[1];
  if (/^\d{2,3}$/.test(mnc)) radio.mnc = mnc;
  else if (plmn?.[2] !== undefined) radio.mnc = plmn[2];
}

function asDigits(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}
