import { describe, expect, it } from '@jest/globals';
import { createCollection, radioOf, readValues } from '../../gateway/adapters/measurements.ts';
import { type RadioFields, readRadio } from '../../gateway/adapters/radio.ts';
import { fromIndex, hasForm } from '../../gateway/adapters/radio-forms.ts';
import { radioTextOf, readRadioText } from '../../gateway/adapters/radio-lines.ts';
import { fixtureText } from './inbound.ts';

function radioIn(text: string) {
  const fields: RadioFields = new Map();
  readRadioText(text, fields);
  return readRadio(fields);
}

const lines = fixtureText('cellular/quectel/qeng-servingcell.txt')
  .split('\n')
  .filter((line) => line.startsWith('+QENG'));
const [first = '', second = '', third = '', anchor = '', nonStandAlone = ''] = lines;

describe('An answer of AT+QENG', () => {
  it('names the 5G stand-alone cell, with the tracking area before the channel', () => {
    expect(radioIn(first)).toEqual({
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

  it('keeps the zero of a network code', () => {
    expect(radioIn(second)).toEqual({
      rat: 'NR-SA',
      mcc: '202',
      mnc: '01',
      cellId: 0x12aa54086,
      pci: 262,
      tac: 0x15ec,
      arfcn: 634_080,
      band: 78,
      rsrp: -92,
      rsrq: -11,
      sinr: 18,
    });
  });

  it('leaves out what is not available', () => {
    expect(radioIn(third)).toEqual({
      rat: 'NR-SA',
      mcc: '460',
      mnc: '11',
      cellId: 0x24211a484,
      pci: 649,
      tac: 0x242000,
      arfcn: 428_910,
      band: 1,
      sinr: 25,
    });
  });

  it('names the 4G cell', () => {
    expect(radioIn(anchor)).toEqual({
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

  it('names the 5G cell of EN-DC, with SINR before RSRQ', () => {
    expect(radioIn(nonStandAlone)).toEqual({
      rat: 'NR-NSA',
      mcc: '262',
      mnc: '01',
      pci: 774,
      rsrp: -82,
      sinr: 30,
      rsrq: -11,
      arfcn: 431_070,
      band: 1,
    });
  });

  it('keeps the place of the 4G anchor and the signal of the 5G cell in EN-DC', () => {
    expect(radioIn(`+QENG: "servingcell","NOCONN"\r\n${anchor}\r\n${nonStandAlone}\r\nOK`)).toEqual(
      {
        rat: 'NR-NSA',
        mcc: '262',
        mnc: '01',
        cellId: 0x1929500,
        tac: 0x34ba,
        pci: 774,
        rsrp: -82,
        sinr: 30,
        rsrq: -11,
        arfcn: 431_070,
        band: 1,
      },
    );
  });

  it('does not put the signal of the anchor in the place of a 5G one that is missing', () => {
    const unheard = '+QENG: "NR5G-NSA",262,01,774,-,-,-,431070,1,3,0';
    expect(radioIn(`${anchor}\n${unheard}`)).not.toHaveProperty('rsrp');
  });

  it('of a layout that is not known says nothing', () => {
    expect(radioIn('+QENG: "servingcell","SEARCH"')).toBeUndefined();
    expect(radioIn('+QENG: "servingcell","NOCONN","GSM",460,11,1,2')).toBeUndefined();
  });
});

describe('An answer of AT+CESQ', () => {
  it('gives RSRQ and RSRP of the published example', () => {
    expect(radioIn(fixtureText('cellular/at-cesq/nordic-cesq.txt'))).toEqual({
      rsrq: -4,
      rsrp: -78,
    });
  });

  it('gives the 5G fields that newer modems add', () => {
    expect(radioIn('+CESQ: 99,99,255,255,255,255,64,76,56')).toEqual({
      rsrq: -11,
      rsrp: -80,
      sinr: 5,
    });
  });

  it('of unknown values says nothing', () => {
    expect(radioIn('+CESQ: 99,99,255,255,255,255')).toBeUndefined();
    expect(radioIn('+CESQ: 99')).toBeUndefined();
  });
});

describe('An answer of AT+CSQ', () => {
  it.each([
    ['+CSQ: 19,99', { rssi: -75 }],
    ['+CSQ: 0,0', { rssi: -113 }],
    ['+CSQ: 31,0', { rssi: -51 }],
    ['+CSQ: 99,99', undefined],
    ['+CSQ: x', undefined],
  ])('%s becomes %j', (text, radio) => {
    expect(radioIn(text)).toEqual(radio);
  });
});

describe('Reporting forms', () => {
  it.each([
    ['cesq', 'rsrp', 0, -140],
    ['cesq', 'rsrp', 97, -44],
    ['cesq', 'rsrp', 98, undefined],
    ['cesq', 'rsrq', 34, -3],
    ['cesq', 'rsrq', 255, undefined],
    ['nr', 'rsrp', 126, -31],
    ['nr', 'rsrq', 0, -43],
    ['nr', 'sinr', 127, 40],
    ['csq', 'rssi', 32, undefined],
    ['csq', 'rsrp', 5, undefined],
    ['nr', 'rsrp', 1.5, undefined],
    ['nr', 'rsrp', -1, undefined],
  ] as const)('%s of %s at %d is %d', (form, field, index, value) => {
    expect(fromIndex(form, field, index)).toBe(value);
  });

  it('are those that an AT command has', () => {
    expect(hasForm('csq', 'rssi')).toBe(true);
    expect(hasForm('csq', 'rsrp')).toBe(false);
  });
});

describe('Text in a message', () => {
  it('becomes the radio state, whatever its key, and is no measurement', () => {
    const collection = createCollection();
    readValues({ info: first, temperature: 21 }, undefined, collection);
    expect(collection.measurements).toEqual([{ name: 'temperature', value: 21 }]);
    expect(radioOf(collection)).toMatchObject({ rat: 'NR-SA', rsrp: -75 });
  });

  it.each([
    ['csq', 19, { rssi: -75 }],
    ['AT+CSQ', '19,99', { rssi: -75 }],
    ['cesq', '99,99,255,255,31,62', { rsrq: -4, rsrp: -78 }],
  ])('below %s may be the numbers alone', (key, value, radio) => {
    const text = radioTextOf(key, value);
    expect(radioIn(text ?? '')).toEqual(radio);
  });

  it.each([
    ['csq', 'good'],
    ['level', 19],
    ['csq', -19],
    ['cesq', true],
    ['info', `+CSQ: ${'1,'.repeat(1_000)}`],
  ])('below %s that is no answer stays what it is', (key, value) => {
    expect(radioTextOf(key, value)).toBeUndefined();
  });

  it('that is too long is not read', () => {
    expect(radioIn(`+CSQ: 19,99\n${'x'.repeat(2_000)}`)).toBeUndefined();
  });

  it('of neighbours in an array is not that of the serving cell', () => {
    const collection = createCollection();
    readValues({ cells: [{ csq: 19 }] }, undefined, collection);
    expect(radioOf(collection)).toBeUndefined();
  });
});
