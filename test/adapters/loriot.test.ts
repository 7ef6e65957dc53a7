import { describe, expect, it } from '@jest/globals';
import { loriot } from '../../gateway/adapters/loriot.ts';
import { eventOf, faultOf, fixtureText, inboundOf, payloadOf } from './inbound.ts';

const message = JSON.parse(fixtureText('lns/loriot-gw.json'));

function parse(changes: object) {
  return loriot.parse(inboundOf('loriot/output', { ...message, ...changes }));
}

describe('A LORIOT uplink', () => {
  it('has the defaults of the format where fields are absent', () => {
    expect(payloadOf(loriot.parse(inboundOf('x', { cmd: 'rx', EUI: message.EUI })))).toEqual({
      kind: 'payload',
      adapter: 'loriot',
      deviceId: 'fffffffffffffffa',
      fPort: 0,
      fCnt: 0,
      rxInfo: [],
      txInfo: {},
    });
  });

  it('says the same as rx and as gw, so that the ledger knows one frame in both', () => {
    const { gws: _, ...common } = message;
    const immediate = { ...common, cmd: 'rx', rssi: -71, snr: 10, offline: false };
    for (const changes of [{}, { seqno: undefined }, { data: undefined, encdata: '0102' }]) {
      const [gw, rx] = [message, immediate].map((body) =>
        payloadOf(loriot.parse(inboundOf('loriot/output', { ...body, ...changes }))),
      );
      expect({ ...gw, rxInfo: [] }).toEqual(rx);
      expect(rx?.messageKey).toBeDefined();
    }
  });

  it('has no key when neither number nor time tells frames apart', () => {
    expect(payloadOf(parse({ seqno: null, ts: null }))).not.toHaveProperty('messageKey');
  });

  it('is encrypted when it comes as encdata, and clear when both are there', () => {
    const cipher = payloadOf(parse({ data: null, encdata: 'A1B2' }));
    expect(cipher).toMatchObject({ encrypted: true, frmPayload: Buffer.from('a1b2', 'hex') });
    expect(payloadOf(parse({ encdata: 'A1B2' }))).not.toHaveProperty('encrypted');
  });

  it('keeps its own time when it was held back', () => {
    expect(payloadOf(parse({ offline: true, ts: 1_500_000_000_000 })).rxTime).toBe(
      1_500_000_000_000,
    );
  });

  it('takes a time in seconds and refuses what is no time', () => {
    expect(payloadOf(parse({ ts: 1_605_830_400 })).rxTime).toBe(1_605_830_400_000);
    expect(payloadOf(parse({ ts: 'now' }))).not.toHaveProperty('rxTime');
  });

  it.each([
    [0, undefined],
    [255, undefined],
    [254, 100],
    [1, 0.4],
    [1.5, undefined],
    [-3, undefined],
  ])('with bat %p has the battery level %p', (bat, level) => {
    expect(payloadOf(parse({ bat })).measurements?.[0]?.value).toBe(level);
  });

  it('keeps the strongest antenna of each gateway', () => {
    const gws = [
      { gweui: '7076FFFFFF019BF7', rssi: -92, ant: 1 },
      { gweui: '7076FFFFFF019BF7', rssi: -90, snr: 3, ts: 1_670_259_961_614 },
      { gweui: '7076FFFFFF019BFA', lat: 0, lon: 0 },
      { rssi: -1 },
    ];
    expect(payloadOf(parse({ gws })).rxInfo).toEqual([
      { gatewayId: '7076ffffff019bf7', rssi: -90, snr: 3, rxTime: 1_670_259_961_614 },
      { gatewayId: '7076ffffff019bfa' },
    ]);
  });

  it('keeps what the server has decoded', () => {
    expect(payloadOf(parse({ decoded: { t: 1 } })).object).toEqual({ t: 1 });
  });

  it.each(['SF7BW250 4/5', 'SF7 BW250', '50000', 'SF7', 50_000, null])(
    'reads the data rate %p as far as it is one',
    (dr) => {
      const { bandwidth } = payloadOf(parse({ dr })).txInfo ?? {};
      expect(bandwidth).toBe(String(dr).includes('BW') ? 250_000 : undefined);
    },
  );

  it.each([
    [{ data: 'zz' }, 'data is not hexadecimal'],
    [{ port: 300 }, 'port is not an integer from 0 to 255'],
    [{ fcnt: 'x' }, 'fcnt is not an integer from 0 to 4294967295'],
    [{ seqno: -1 }, 'seqno is not an integer from 0 to 9007199254740991'],
    [{ gws: 1 }, 'gws is not an array'],
    [{ EUI: 'x' }, 'EUI is not an EUI of 16 hex digits'],
    [{ EUI: null }, 'EUI is missing'],
    [{ cmd: null }, 'cmd is no word of LORIOT'],
    [{ cmd: 1 }, 'cmd is not text'],
    [{ cmd: 'a b' }, 'cmd is no word of LORIOT'],
  ])('is malformed with %p', (changes, detail) => {
    expect(faultOf(parse(changes))).toEqual({ kind: 'fault', code: 'INBOUND_MALFORMED', detail });
  });

  it('is refused when the body is no object', () => {
    expect(faultOf(loriot.parse(inboundOf('x', []))).code).toBe('INBOUND_MALFORMED');
  });
});

describe('A LORIOT event', () => {
  it.each(['txd', 'tx', 'join', 'dev_status'])('is named by its command: %s', (cmd) => {
    const type = cmd.replace('_', '-');
    expect(eventOf(parse({ cmd, ts: null }))).toEqual({
      kind: 'event',
      adapter: 'loriot',
      type,
      deviceId: 'fffffffffffffffa',
    });
  });
});
