import { describe, expect, it } from '@jest/globals';
import { eventOf, faultOf, fixtureText, inboundOf, payloadOf } from '../inbound.ts';
import { mappingOf } from './mapping-of.ts';

function parse(profile: string, route: string, body: unknown) {
  return mappingOf({ profile }).parse(inboundOf(route, body));
}

describe('Teltonika Data to Server', () => {
  const route = 'teltonika/router-1/data';
  /** The default template of the manual, filled in. */
  const fill = (values: Readonly<Record<string, string>>): unknown =>
    JSON.parse(
      fixtureText('cellular/teltonika/data-to-server-default-template.txt').replace(
        /%(\w)/g,
        (_, letter: string) => values[letter] ?? '',
      ),
    );
  const segment = fill({ t: '1700000000', d: '21.5', m: '001E42000001', b: 'modbus' });

  it('gives what the default template carries', () => {
    expect(payloadOf(parse('teltonika-data-to-server', route, segment))).toEqual({
      kind: 'payload',
      adapter: 'teltonika-data-to-server',
      deviceId: 'router-1',
      rxInfo: [],
      measurements: [{ name: 'data', value: 21.5, time: 1_700_000_000_000, channel: 'modbus' }],
    });
  });

  it('gives each of several segments with its own time', () => {
    const later = fill({ t: '1700000060', d: '22', m: '001E42000001', b: 'modbus' });
    const { measurements } = payloadOf(parse('teltonika-data-to-server', route, [segment, later]));
    expect(measurements?.map(({ value, time }) => [value, time])).toEqual([
      [21.5, 1_700_000_000_000],
      [22, 1_700_000_060_000],
    ]);
  });

  it('opens data that is JSON', () => {
    const body = { TS: 1_700_000_000, D: '{"level":2,"rsrp":-90}', DT: 'tank' };
    expect(payloadOf(parse('teltonika-data-to-server', route, body))).toMatchObject({
      measurements: [{ name: 'level', value: 2, channel: 'tank' }],
      radio: { rsrp: -90 },
    });
  });
});

describe('Teltonika Monitoring via MQTT', () => {
  const value = (parameter: string, text: string, type = 'router') =>
    parse('teltonika-monitoring', `${type}/1102030405/${parameter}`, Buffer.from(text));

  it.each([
    ['temperature', '412', [{ name: 'device_temperature', value: 41.2, unit: 'Cel' }]],
    ['uptime', '86400', [{ name: 'uptime', value: 86_400, unit: 's' }]],
    ['analog', '3.21', [{ name: 'analog_input', value: 3.21 }]],
    ['digital1', '1', [{ name: 'digital_input', value: 1, channel: 'digital1' }]],
    ['connection', 'Connected', [{ name: 'connection', value: 'Connected' }]],
    ['operator', 'LT BITE GSM', [{ name: 'operator', value: 'LT BITE GSM' }]],
  ])('gives %s as a measurement', (parameter, text, measurements) => {
    const uplink = payloadOf(value(parameter, text));
    expect(uplink).toMatchObject({ deviceId: '1102030405', measurements });
  });

  it('gives signal and network as the radio', () => {
    expect(payloadOf(value('signal', '-65', 'device')).radio).toEqual({ rssi: -65 });
    expect(payloadOf(value('network', '4G')).radio).toEqual({ rat: 'LTE' });
  });

  it('knows what is no telemetry, and keeps no address of it', () => {
    expect(eventOf(value('wan', '10.0.0.1'))).toEqual({
      kind: 'event',
      adapter: 'teltonika-monitoring',
      type: 'wan',
      deviceId: '1102030405',
    });
    expect(eventOf(value('pin2state', 'x')).type).toBe('other');
  });

  it('reads every parameter of the manual without a fault', () => {
    const manual: { parameters: object } = JSON.parse(
      fixtureText('cellular/teltonika/monitoring-via-mqtt.json'),
    );
    for (const parameter of Object.keys(manual.parameters)) {
      expect('code' in value(parameter, '1')).toBe(false);
    }
  });
});

describe('Lab5e Span', () => {
  /** The published shape with values in the places of its words. */
  const message = {
    ...JSON.parse(fixtureText('cellular/lab5e/output-shape.json')),
    messageId: '1fk2',
    payload: 'AQID',
    received: '1700000000000',
  };

  it('gives the payload to a codec, and the cell', () => {
    const { ciot } = message.device.metadata;
    const device = {
      ...message.device,
      deviceId: '17dh0cf43jg007',
      config: { ciot: { imsi: '204080813558856', imei: '352656101397613' } },
      metadata: { ciot: { ...ciot, cellId: '21229824', mcc: 242, mnc: 1 } },
    };
    expect(payloadOf(parse('lab5e-span', '/ingest/span', { ...message, device }))).toEqual({
      kind: 'payload',
      adapter: 'lab5e-span',
      deviceId: '17dh0cf43jg007',
      rxInfo: [],
      fPort: 1,
      frmPayload: Buffer.from([1, 2, 3]),
      rxTime: 1_700_000_000_000,
      messageKey: '1fk2',
      radio: { cellId: 21_229_824, mcc: '242', mnc: '01' },
    });
  });

  it('refuses the published shape itself, whose payload is a word', () => {
    const shape = fixtureText('cellular/lab5e/output-shape.json');
    expect(faultOf(parse('lab5e-span', '/ingest/span', Buffer.from(shape))).detail).toBe(
      '/payload is not bytes in base64',
    );
  });
});

describe('Particle', () => {
  const message = (event: string, data: unknown) => ({
    event,
    data,
    coreid: 'e00fce68ffffffffffffffff',
    published_at: '2023-11-14T22:13:20.000Z',
  });

  it('gives a value by the name of its event', () => {
    expect(
      payloadOf(parse('particle', '/ingest/particle', message('temperature', '21.5'))),
    ).toEqual({
      kind: 'payload',
      adapter: 'particle',
      deviceId: 'e00fce68ffffffffffffffff',
      rxInfo: [],
      rxTime: 1_700_000_000_000,
      measurements: [{ name: 'temperature', value: 21.5 }],
    });
  });

  it('gives every value of data that is JSON', () => {
    const parsed = parse('particle', '/ingest/particle', message('all', '{"t":21.5,"h":60}'));
    expect(payloadOf(parsed).measurements?.map(({ name }) => name)).toEqual(['t', 'h']);
  });

  it('knows that a device went online', () => {
    const parsed = parse('particle', '/ingest/particle', message('spark/status', 'online'));
    expect(eventOf(parsed)).toMatchObject({ type: 'status', time: 1_700_000_000_000 });
  });
});

describe('1NCE OS', () => {
  const telemetry = JSON.parse(fixtureText('cellular/1nce/telemetry-data.json'));

  it('gives text to a codec', () => {
    const body = { ...telemetry, payload: { type: 'TEXT', value: 'hello world' } };
    expect(payloadOf(parse('1nce-os', '/ingest/1nce', body)).frmPayload).toEqual(
      Buffer.from('hello world'),
    );
  });

  it.each(['LIFECYCLE', 'ERROR', 'GEOFENCE', 'LOCATION'])('knows %s as an event', (type) => {
    const event = eventOf(parse('1nce-os', '/ingest/1nce', { ...telemetry, type }));
    expect(event).toMatchObject({ type: type.toLowerCase(), time: 1_670_598_749_915 });
    expect(event.deviceId).toMatch(/^iccid-/);
  });

  it('knows a test, which has no device', () => {
    expect(eventOf(parse('1nce-os', '/ingest/1nce', { type: 'TEST_MESSAGE' }))).toEqual({
      kind: 'event',
      adapter: '1nce-os',
      type: 'test',
    });
  });
});

describe('nRF Cloud', () => {
  it('recognises what it has no values of', () => {
    const parsed = parse('nrf-cloud', 'prod/t/m/d/field-7/d2c', {
      appId: 'FOTA',
      messageType: 'DATA',
    });
    expect(eventOf(parsed)).toMatchObject({ type: 'other', deviceId: 'field-7' });
  });

  it('refuses what is no message of the protocol', () => {
    const parsed = parse('nrf-cloud', 'prod/t/m/d/field-7/d2c', { state: {} });
    expect(faultOf(parsed).detail).toBe('no rule of the mapping nrf-cloud fits the message');
  });

  it('leaves a text of the receiver that it cannot read to be looked at', () => {
    const body = { appId: 'GNSS', messageType: 'DATA', data: '$GPGSV,1,1,00*79' };
    expect(eventOf(parse('nrf-cloud', 'prod/t/m/d/field-7/d2c', body)).type).toBe('other');
  });
});
