import { describe, expect, it } from '@jest/globals';
import { isPersonalIdentifier, isPersonalText } from '../../gateway/adapters/personal.ts';
import {
  isRadioGroup,
  type RadioField,
  radioFieldOf,
  readRadio,
} from '../../gateway/adapters/radio.ts';

/** The radio of a flat message with these keys and values. */
function radioOf(values: Readonly<Record<string, unknown>>) {
  const fields = new Map<RadioField, unknown>();
  for (const [key, value] of Object.entries(values)) {
    const field = radioFieldOf(key, value);
    if (field !== undefined) fields.set(field, value);
  }
  return readRadio(fields);
}

describe('The radio state', () => {
  it('of 5G stand-alone is read in full', () => {
    // +QENG: "servingcell","NOCONN","NR5G-SA","TDD",
    //   310,260,18666712F,335,794E00,516270,41,12,-75,-11,5,1,-
    const values = {
      rat: 'NR5G-SA',
      mcc: 310,
      mnc: 260,
      cell_id: '18666712F',
      pci: 335,
      tac: '794E00',
      arfcn: 516_270,
      band: 41,
      rsrp: -75,
      rsrq: -11,
      sinr: 5,
    };
    expect(radioOf(values)).toEqual({
      rat: 'NR-SA',
      mcc: '310',
      mnc: '260',
      cellId: 0x18666712f,
      pci: 335,
      tac: 0x794e00,
      arfcn: 516_270,
      band: 41,
      rsrp: -75,
      rsrq: -11,
      sinr: 5,
    });
  });

  it('of LTE is read in full, with its RSSI', () => {
    // +QENG: "LTE","FDD",262,01,1929500,321,1300,3,5,5,34BA,-75,-7,-48,25,15,100,-
    const values = {
      'Network Mode': 'LTE',
      MCC: '262',
      MNC: '01',
      CellID: '1929500',
      PCI: '321',
      EARFCN: '1300',
      Band: 'B3',
      TAC: '34BA',
      RSRP: '-75',
      RSRQ: '-7',
      RSSI: '-48',
      SINR: '25',
    };
    expect(radioOf(values)).toEqual({
      rat: 'LTE',
      mcc: '262',
      mnc: '01',
      cellId: 0x1929500,
      pci: 321,
      arfcn: 1_300,
      band: 3,
      tac: 0x34ba,
      rsrp: -75,
      rsrq: -7,
      rssi: -48,
      sinr: 25,
    });
  });

  it.each([
    ['GSM', 'GSM'],
    ['WCDMA', 'UMTS'],
    ['LTE-M GPS', 'LTE-M'],
    ['CAT-M1', 'LTE-M'],
    ['NB-IoT', 'NB-IoT'],
    ['EN-DC', 'NR-NSA'],
    ['NR5G-NSA', 'NR-NSA'],
    ['5G SA', 'NR-SA'],
    ['5G', 'NR'],
    ['RedCap', 'RedCap'],
  ])('names %s as %s', (rat, expected) => {
    expect(radioOf({ rat })).toEqual({ rat: expected });
  });

  it.each([
    ['rsrp', -157],
    ['rsrp', -30],
    ['rsrp', 255],
    ['rsrp', -32_768],
    ['rsrp', '-'],
    ['rsrp', ''],
    ['rsrp', 'N/A'],
    ['rsrq', -34.5],
    ['rsrq', 255],
    ['rsrq', -108],
    ['sinr', 119],
    ['sinr', -24],
    ['rssi', 99],
    ['rssi', 0],
    ['rssi', -744],
    ['band', 0],
    ['pci', 1_008],
    ['pci', 1.5],
    ['arfcn', 3_279_166],
    ['tac', 0],
    ['tac', 0xffffff],
    ['cellId', 0],
    ['cellId', 0xfffffff],
    ['cellId', 0xffffffff],
    ['cellId', 2 ** 36 - 1],
    ['mcc', 0],
    ['mcc', 1_000],
    ['mnc', 1_000],
    ['mnc', '-'],
    ['plmn', '31'],
  ])('leaves out %s when it is %p', (key, value) => {
    expect(radioOf({ [key]: value })).toBeUndefined();
  });

  it('has narrower ranges in LTE and wider ones in 5G', () => {
    const values = { rsrp: -40, rsrq: -40, pci: 600, tac: 0xffff, cellId: 2 ** 30, arfcn: 300_000 };
    expect(radioOf({ ...values, rat: 'NB-IoT' })).toEqual({ rat: 'NB-IoT' });
    expect(radioOf({ ...values, rat: 'NR' })).toEqual({ ...values, rat: 'NR' });
  });

  it.each([
    [
      { tac: '1234', cellId: '0856831D' },
      { tac: 0x1234, cellId: 0x0856831d },
    ],
    [
      { tac: '0x1F', cellId: '10' },
      { tac: 0x1f, cellId: 0x10 },
    ],
    [
      { tac: '34049', cellId: '128566289' },
      { tac: 34_049, cellId: 128_566_289 },
    ],
    [
      { tac: 333, cellId: 'AB' },
      { tac: 333, cellId: 0xab },
    ],
    [{ tac: '1.5', cellId: 'AB' }, { cellId: 0xab }],
  ])('reads the codes %j as hex or decimal by both', (values, expected) => {
    expect(radioOf(values)).toEqual(expected);
  });

  it.each([
    [
      { mcc: 400, mnc: 1 },
      { mcc: '400', mnc: '01' },
    ],
    [
      { mcc: '1', mnc: '001' },
      { mcc: '001', mnc: '001' },
    ],
    [{ mccmnc: '310410' }, { mcc: '310', mnc: '410' }],
    [{ plmn: 40_002 }, { mcc: '400', mnc: '02' }],
    [{ plmn: '400-02' }, { mcc: '400', mnc: '02' }],
    [
      { plmn: '400-02', mcc: 262, mnc: '07' },
      { mcc: '262', mnc: '07' },
    ],
  ])('reads the operator %j as text', (values, expected) => {
    expect(radioOf(values)).toEqual(expected);
  });

  it.each([
    ['mode', 'heating'],
    ['mode', 3],
    ['band', 'steel'],
    ['pci', 'AB'],
    ['cid', 'door 4'],
    ['rsrp', true],
    ['rsrp', { value: -90 }],
    ['snr', 5],
  ])('has no place for %s: %p, which is a value of its own', (key, value) => {
    expect(radioFieldOf(key, value)).toBeUndefined();
  });

  it('stands in an object with a known name or with an RSRP', () => {
    expect(isRadioGroup('CellStatus', {})).toBe(true);
    expect(isRadioGroup('data', { RSRP: -90 })).toBe(true);
    expect(isRadioGroup('data', { temperature: 1 })).toBe(false);
  });
});

describe('A personal identifier', () => {
  it.each([
    'imei',
    'IMSI1',
    'sim_iccid',
    'deviceImei',
    'deviceimei',
    'IMEISV',
    'subscriber.msisdn',
    'phoneNumber',
    'phone_number',
    'supi',
  ])('is known by the key %s', (key) => {
    expect(isPersonalIdentifier(key)).toBe(true);
  });

  it.each(['simSignal', 'temperature', 'time', 'speed', 'phonetic', ''])('is not %p', (key) => {
    expect(isPersonalIdentifier(key)).toBe(false);
  });

  it('is known by text that names its own kind', () => {
    expect(isPersonalText('IMEI:0123456789')).toBe(true);
    expect(isPersonalText('urn:imei:0123456789')).toBe(true);
    expect(isPersonalText('imeinahmesi')).toBe(false);
  });
});
