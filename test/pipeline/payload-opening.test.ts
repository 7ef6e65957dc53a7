import { createCipheriv } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { openAdapterBook } from '../../gateway/adapters/adapter-book.ts';
import { createKekBook } from '../../gateway/lorawan/key-wrap.ts';
import type { Session } from '../../gateway/model/device.ts';
import {
  type OpeningKeys,
  openingPayloads,
  openPayload,
} from '../../gateway/pipeline/payload-opening.ts';
import { fixtureText, inboundOf, payloadOf } from '../adapters/inbound.ts';

const hex = (text: string) => Buffer.from(text, 'hex');
const file = new URL('../fixtures/lorawan/vectors.json', import.meta.url);
const { vectors } = JSON.parse(readFileSync(file, 'utf8'));
const vector = vectors.find(({ id }: { id: string }) => id === 'thingpark-encrypted-appskey');
const { keys, context } = vector;
const clearText = '32.5C/90.5F';
const sealed = hex(vector.payloadHex);
const appSKey = hex(keys.AppSKey);

const noKeys: OpeningKeys = { kekOf: createKekBook([]), sessionsOf: () => [] };

function keysOf(labels: Readonly<Record<string, string>>): OpeningKeys {
  const known = Object.entries(labels).map(([label, key]) => ({ label, key }));
  return { ...noKeys, kekOf: createKekBook(known) };
}

function bookWith(openingKeys: OpeningKeys) {
  return openingPayloads(
    openAdapterBook({ routes: [], mappings: [] }, Buffer.alloc(32), []),
    openingKeys,
  );
}

function parsed(adapter: string, message: object, openingKeys: OpeningKeys, route = 'x') {
  const found = bookWith(openingKeys).find(adapter);
  if (found === undefined) throw new Error(`no ${adapter}`);
  return payloadOf(found.parse(inboundOf(route, message)));
}

const head = { DevEUI: '0059AC000017338B', DevAddr: context.devAddr, FPort: 1, FCntUp: 1 };
const thingPark = {
  DevEUI_uplink: { ...head, payload_hex: vector.payloadHex, AppSKey: keys.AppSKeyEncrypted },
};

/** [RFC 3394], here with the cipher the other way round. */
function wrap(key: Buffer, wrappingKey: Buffer): Buffer {
  const cipher = createCipheriv('id-aes128-wrap', wrappingKey, Buffer.alloc(8, 0xa6));
  return Buffer.concat([cipher.update(key), cipher.final()]);
}

const kek = '000102030405060708090a0b0c0d0e0f';
const wrappedKey = wrap(appSKey, hex(kek)).toString('base64');

function chirpstack(envelope: object) {
  const event = JSON.parse(fixtureText('lns/chirpstack-v4-up.json'));
  const content = { devAddr: context.devAddr, fCnt: 1, fPort: 1, data: sealed.toString('base64') };
  return { ...event, ...content, joinServerContext: { sessionKeyId: '01', appSKey: envelope } };
}

function theThingsStack(envelope: object) {
  const event = JSON.parse(fixtureText('lns/tts-v3-uplink.json'));
  event.end_device_ids.dev_addr = context.devAddr.toUpperCase();
  const content = { f_cnt: 1, f_port: 1, frm_payload: sealed.toString('base64') };
  event.uplink_message = { ...content, app_s_key: envelope };
  return event;
}

describe('The payload of an application', () => {
  it.each([
    ['of its application server', { sink: keys.ASTK }, '/ingest/tp?LrnFPort=1&AS_ID=sink&Time=1'],
    ['of the adapter', { thingpark: keys.ASTK }, 'mqtt/things/0059AC000017338B/uplink'],
  ])("is opened with ThingPark's published key under the label %s", (_name, labels, route) => {
    const uplink = parsed('thingpark', thingPark, keysOf(labels), route);
    expect(uplink.frmPayload?.toString()).toBe(clearText);
    expect(uplink).not.toHaveProperty('encrypted');
    expect(uplink).not.toHaveProperty('wrappedAppSKey');
  });

  it("is opened in ThingPark's published message in XML", () => {
    const body = Buffer.from(fixtureText('lns/thingpark-uplink.xml'));
    const adapter = bookWith(keysOf({ thingpark: keys.ASTK })).find('thingpark');
    if (adapter === undefined) throw new Error('there is none');
    const uplink = payloadOf(adapter.parse(inboundOf('/ingest/tp', body)));
    expect(uplink.frmPayload?.toString()).toBe(clearText);
  });

  it.each([
    ['chirpstack-v4-json', chirpstack({ kekLabel: 'town', aesKey: wrappedKey })],
    ['chirpstack-json', chirpstack({ kekLabel: 'town', aesKey: wrappedKey })],
    ['chirpstack-v4-json', chirpstack({ aesKey: appSKey.toString('base64') })],
    ['the-things-stack-v3-json', theThingsStack({ kek_label: 'town', encrypted_key: wrappedKey })],
    ['the-things-stack-v3-json', theThingsStack({ key: keys.AppSKey.toUpperCase() })],
  ])('is opened when it comes by %s', (adapter, message) => {
    const uplink = parsed(adapter, message, keysOf({ town: kek }));
    expect(uplink.frmPayload?.toString()).toBe(clearText);
    expect(uplink).not.toHaveProperty('encrypted');
  });

  it.each([
    ['the key is not known', thingPark, noKeys],
    ['the wrapped key is none', change({ AppSKey: 'secret' }), keysOf({ thingpark: keys.ASTK })],
    ['the wrapping key is too long', thingPark, keysOf({ thingpark: `${keys.ASTK}${keys.ASTK}` })],
    ['nobody tells its address', change({ DevAddr: null }), keysOf({ thingpark: keys.ASTK })],
  ])('stays encrypted when %s', (_name, message, openingKeys) => {
    const uplink = parsed('thingpark', message, openingKeys);
    expect(uplink).toMatchObject({ encrypted: true, frmPayload: sealed });
    expect(uplink).not.toHaveProperty('wrappedAppSKey');
  });

  it('stays encrypted when it was wrapped with another key than the one of its label', () => {
    const message = chirpstack({ kekLabel: 'town', aesKey: wrappedKey });
    const uplink = parsed('chirpstack-v4-json', message, keysOf({ town: keys.ASTK }));
    expect(uplink).toMatchObject({ encrypted: true, frmPayload: sealed });
  });

  it("is opened with the registered device's own key, and with nobody else's", () => {
    const networkKey = Buffer.alloc(16);
    const session = (deviceId: string): Session => ({
      ...{ deviceId, devAddr: context.devAddr, macVersion: '1.0' },
      keys: { appSKey, fNwkSIntKey: networkKey, sNwkSIntKey: networkKey, nwkSEncKey: networkKey },
    });
    const registered = (deviceId: string): OpeningKeys => ({
      ...noKeys,
      sessionsOf: (devAddr) => (devAddr === context.devAddr ? [session(deviceId)] : []),
    });
    const own = parsed('thingpark', thingPark, registered('0059ac000017338b'));
    expect(own.frmPayload?.toString()).toBe(clearText);
    const other = parsed('thingpark', thingPark, registered('0059ac000017338c'));
    expect(other.encrypted).toBe(true);
  });

  it('is left alone when it is in clear, or nothing but an event', () => {
    const clear = { DevEUI_uplink: { ...head, payload_hex: '01' } };
    const parse = bookWith(keysOf({ thingpark: keys.ASTK })).find('thingpark')?.parse;
    expect(parsed('thingpark', clear, noKeys).frmPayload).toEqual(hex('01'));
    const event = { DevEUI_location: { DevEUI: '0059AC000017338B' } };
    expect(parse?.(inboundOf('x', event))).toMatchObject([{ kind: 'event', type: 'location' }]);
    expect(parse?.(inboundOf('x', {}))).toMatchObject({ code: 'INBOUND_MALFORMED' });
    const bare = { kind: 'payload', adapter: 'x', deviceId: 'a', rxInfo: [] } as const;
    expect(openPayload({ ...bare, encrypted: true }, noKeys)).toEqual({ ...bare, encrypted: true });
    const counted = { ...bare, encrypted: true, devAddr: '01020304', fCnt: 1 };
    expect(openPayload(counted, noKeys)).toEqual(counted);
  });

  it('is opened on every route as well, and a modem is none of its business', () => {
    const book = bookWith(noKeys);
    const plain = openAdapterBook({ routes: [], mappings: [] }, Buffer.alloc(32), []);
    expect(book.routes.map(({ filter }) => filter)).toEqual(
      plain.routes.map(({ filter }) => filter),
    );
    expect(book.find('modem-json')).toBe(plain.find('modem-json'));
    expect(book.find('nobody')).toBeUndefined();
    const route = book.routes.find(({ adapter }) => adapter.name === 'thingpark');
    expect(route?.adapter).toBe(book.find('thingpark'));
  });
});

function change(fields: object) {
  return { DevEUI_uplink: { ...thingPark.DevEUI_uplink, ...fields } };
}
