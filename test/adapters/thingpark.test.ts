import { describe, expect, it } from '@jest/globals';
import { thingPark } from '../../gateway/adapters/thingpark.ts';
import { eventOf, faultOf, fixtureText, inboundOf, payloadOf } from './inbound.ts';

const message = JSON.parse(fixtureText('lns/thingpark-uplink.json'));
const xml = fixtureText('lns/thingpark-uplink.xml');
const topic = 'mqtt/things/0018B20000000B20/uplink';

function parse(changes: object, route = topic) {
  return thingPark.parse(
    inboundOf(route, { DevEUI_uplink: { ...message.DevEUI_uplink, ...changes } }),
  );
}

function rooted(root: string, fields: object, route = 'free/text') {
  return thingPark.parse(inboundOf(route, { [root]: { DevEUI: '0018B20000000B20', ...fields } }));
}

function parseXml(text: string) {
  return thingPark.parse(inboundOf('/ingest/kpn', Buffer.from(text)));
}

describe('A ThingPark uplink', () => {
  it('has the defaults of the format where fields are absent', () => {
    expect(payloadOf(rooted('DevEUI_uplink', {}))).toEqual({
      kind: 'payload',
      adapter: 'thingpark',
      deviceId: '0018b20000000b20',
      fPort: 0,
      fCnt: 0,
      confirmed: false,
      rxInfo: [],
      txInfo: {},
    });
  });

  it('keeps its own time when it comes late', () => {
    expect(payloadOf(parse({ Late: '1' })).rxTime).toBe(Date.parse(message.DevEUI_uplink.Time));
  });

  it('has no payload to decode when it carries MAC commands only', () => {
    const fields = { FPort: '0', payload_hex: '', rawMacCommands: '060007' };
    expect(payloadOf(parse(fields))).not.toHaveProperty('frmPayload');
  });

  it('is encrypted when the wrapped key comes along', () => {
    expect(payloadOf(parse({ AppSKey: '439d42627c5afe3d4d536340646621a2' })).encrypted).toBe(true);
    expect(payloadOf(parse({ AppSKey: '' }))).not.toHaveProperty('encrypted');
  });

  it('keeps what a driver decoded when that is an object', () => {
    expect(payloadOf(parse({ payload: { t: 1 } })).object).toEqual({ t: 1 });
    expect(payloadOf(parse({ payload: 't=1' }))).not.toHaveProperty('object');
  });

  it('takes the best gateway from the top when there is no list', () => {
    const { location: _, ...heard } = { gatewayId: '004A18E3', rssi: -80, snr: 7, location: {} };
    const uplink = payloadOf(parse({ Lrrs: null, LrrLAT: '0', LrrLON: '0' }));
    expect(uplink.rxInfo).toEqual([heard]);
    expect(payloadOf(parse({ Lrrs: { Lrr: [] }, Lrrid: null })).rxInfo).toEqual([]);
  });

  it('reads a list of one that has lost its brackets', () => {
    const Lrrs = { Lrr: { Lrrid: 'FF0106DE', LrrRSSI: '-99.5' } };
    expect(payloadOf(parse({ Lrrs })).rxInfo).toEqual([{ gatewayId: 'FF0106DE', rssi: -99.5 }]);
  });

  it('keeps the strongest of the chains of one gateway', () => {
    const Lrr = [null, '-90', '-70', null, '-80'].map((LrrRSSI) => ({
      Lrrid: 'FF0106DE',
      LrrRSSI,
    }));
    const uplink = payloadOf(parse({ Lrrs: { Lrr } }));
    expect(uplink.rxInfo).toEqual([{ gatewayId: 'FF0106DE', rssi: -70 }]);
  });

  it.each([
    ['0', []],
    ['255', []],
    ['254', [100]],
    ['127', [50]],
    [null, []],
  ])('with the battery byte %p measures %p', (BatteryLevel, values) => {
    const measurements = payloadOf(parse({ BatteryLevel })).measurements ?? [];
    expect(measurements.map(({ value }) => value)).toEqual(values);
  });

  it('dates a device status by its own time', () => {
    const BatteryTime = '2018-10-03T15:00:00.000+02:00';
    const time = Date.parse(BatteryTime);
    expect(payloadOf(parse({ BatteryLevel: 254, Margin: 7, BatteryTime })).measurements).toEqual([
      { name: 'battery_level', value: 100, unit: '%', time },
      { name: 'link_margin', value: 7, unit: 'dB', time },
    ]);
  });

  it('has the same key for the same frame, and none without its code', () => {
    expect(payloadOf(parse({ mic_hex: 'CFFFC70F' })).messageKey).toBe('mic:cfffc70f');
    expect(payloadOf(parse({ mic_hex: 'x' }))).not.toHaveProperty('messageKey');
    expect(payloadOf(parse({ mic_hex: null }))).not.toHaveProperty('messageKey');
  });

  it('is the decoded object alone when the topic names the device', () => {
    const bare = { temperature: 24.8 };
    expect(payloadOf(thingPark.parse(inboundOf(topic, bare)))).toEqual({
      kind: 'payload',
      adapter: 'thingpark',
      deviceId: '0018b20000000b20',
      rxInfo: [],
      object: bare,
    });
    const detail = 'it has no DevEUI_… at the top, and the topic names no device';
    for (const route of ['/ingest/kpn', topic.replace('uplink', 'downlink'), 'things/x/uplink']) {
      expect(faultOf(thingPark.parse(inboundOf(route, bare))).detail).toBe(detail);
    }
  });

  it.each([
    [{ payload_hex: '9e1' }, 'DevEUI_uplink.payload_hex is not hexadecimal'],
    [{ FPort: 'one' }, 'DevEUI_uplink.FPort is not an integer from 0 to 255'],
    [{ FCntUp: '1.5' }, 'DevEUI_uplink.FCntUp is not an integer from 0 to 4294967295'],
    [{ Time: '2018-10-03 15:38' }, 'DevEUI_uplink.Time is not an RFC 3339 time'],
    [{ LrrRSSI: 'loud' }, 'DevEUI_uplink.LrrRSSI is not a number'],
    [{ DevAddr: '04D2848' }, 'DevEUI_uplink.DevAddr is not 8 hex digits'],
    [{ DevEUI: '0018B20000000B2' }, 'DevEUI_uplink.DevEUI is not an EUI of 16 hex digits'],
    [{ DevEUI: null }, 'DevEUI_uplink.DevEUI is missing'],
    [{ DevEUI: '0018B20000000B21' }, 'DevEUI is not that of the topic'],
  ])('is malformed with %p', (changes, detail) => {
    expect(faultOf(parse(changes))).toEqual({ kind: 'fault', code: 'INBOUND_MALFORMED', detail });
  });

  it.each([
    [{ DevEUI_uplink: [1] }, 'DevEUI_uplink is not an object'],
    [{ DevEUI_uplink: null }, 'DevEUI_uplink.DevEUI is missing'],
    [[], 'the body is not a JSON object'],
  ])('is malformed as %p', (body, detail) => {
    expect(faultOf(thingPark.parse(inboundOf(topic, body))).detail).toBe(detail);
  });
});

describe('A ThingPark event', () => {
  it.each([
    ['DevEUI_uplink', { MType: '0' }, 'join-request'],
    ['DevEUI_uplink', { MType: 6 }, 'rejoin-request'],
    ['DevEUI_notification', { Type: 'reset' }, 'reset'],
    ['DevEUI_notification', {}, 'notification'],
    ['DevEUI_downlink_Sent', {}, 'downlink-sent'],
    ['DevEUI_something_new', {}, 'something-new'],
  ])('with the root %s and %p is a %s', (root, fields, type) => {
    expect(eventOf(rooted(root, fields))).toMatchObject({ type, deviceId: '0018b20000000b20' });
  });

  it.each(['DevEUI_', 'DevEUI_!', `DevEUI_${'x'.repeat(33)}`])('is no %s', (root) => {
    expect(faultOf(rooted(root, {})).detail).toBe('it is no message of ThingPark');
  });

  it('of location without a place measures nothing', () => {
    expect(eventOf(rooted('DevEUI_location', {})).measurements).toEqual([]);
  });

  it('is malformed with a time that is none', () => {
    expect(faultOf(rooted('DevEUI_alarm', { CreationTime: 'x' })).detail).toBe(
      'DevEUI_alarm.CreationTime is not an RFC 3339 time',
    );
  });
});

describe('ThingPark XML', () => {
  it('reads through a byte order mark, blanks and a namespace prefix', () => {
    const prefixed = xml
      .replaceAll(/<(\/?)(?=[A-Z])/g, '<$1lora:')
      .replace(/<(\/?)payload_hex/g, '<$1lora:payload_hex');
    expect(parseXml(`\ufeff \n${xml}`)).toEqual(parseXml(xml));
    expect(payloadOf(parseXml(prefixed)).fCnt).toBe(1);
  });

  it('expands no entity, whoever declares it', () => {
    const bomb = `<!DOCTYPE x [<!ENTITY a "aaaa">]>${xml.replace(/<\?.*?\?>/, '')}`;
    expect(faultOf(parseXml(bomb)).detail).toBe('the XML declares a document type');
    const reference = xml.replace('<FPort>1<', '<FPort>&#49;<');
    expect(faultOf(parseXml(reference)).detail).toContain('FPort is not an integer');
  });

  it.each([
    ['<DevEUI_uplink><Time>', 'the body is not XML'],
    ['<', 'the body is not XML'],
    ['<a/>', 'it has no DevEUI_… at the top, and the topic names no device'],
    ['<__proto__><a>1</a></__proto__>', undefined],
    [`${'<a>'.repeat(100)}${'</a>'.repeat(100)}`, 'the body is not XML'],
    ['<DevEUI_uplink/>', undefined],
    [`<a>${'<b/>'.repeat(399)}</a>`, 'the XML has more than 400 tags'],
    [
      `<a>${'<b/>'.repeat(398)}</a>`,
      'it has no DevEUI_… at the top, and the topic names no device',
    ],
  ])('%p is refused', (text, detail) => {
    const fault = faultOf(parseXml(text));
    expect(fault.code).toBe('INBOUND_MALFORMED');
    if (detail !== undefined) expect(fault.detail).toBe(detail);
  });

  it('is refused above the size of a message and when it is no UTF-8', () => {
    const large = Buffer.alloc(16_385, '<a>');
    expect(faultOf(thingPark.parse(inboundOf('x', large))).code).toBe('INBOUND_TOO_LARGE');
    const latin = Buffer.from('<a>\xe9</a>', 'latin1');
    expect(faultOf(thingPark.parse(inboundOf('x', latin))).detail).toBe('the body is not UTF-8');
  });
});
