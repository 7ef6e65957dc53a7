import { describe, expect, it } from '@jest/globals';
import { crossCheck } from '../../gateway/cross-check.ts';
import { configOf, fileOf, loaded } from './configuration-file.ts';

const auth = '{kind: token, token: a-test-token-of-one-source}';
const source = (name: string, more = '') =>
  `{name: ${name}, adapter: chirpstack-v4-json, auth: ${auth}${more}}`;

function paths(ingest: string): string[] {
  const problems = crossCheck(configOf(loaded(`version: 1\ningest: ${ingest}`)));
  expect(problems.every(({ isFatal }) => isFatal)).toBe(true);
  return problems.map(({ path }) => path);
}

describe('The cross check of the doors beside MQTT', () => {
  it('finds nothing in doors that fit', () => {
    const station = '{eui: 01-02-03-04-05-06-07-08}';
    const text = [
      `webhooks: {sources: [${source('city', ', deviceId: pump-7')}]}`,
      'udp: {host: 0.0.0.0, gateways: [0016C001FF10A1B2]}',
      `basicStation: {host: 0.0.0.0, stations: [${station}], plan: AS923}`,
      'coap: {accounts: [{name: modem, token: a-test-token-of-a-modem, publish: ["up/#"]}]}',
    ];
    expect(paths(`{${text.join(', ')}}`)).toEqual([]);
    expect(paths('{udp: {}, basicStation: {}, coap: {}}')).toEqual([]);
  });

  it('stops the start for a source that has no adapter, a taken name or no sound device', () => {
    const unknown = `{name: a, adapter: chirpstak, auth: ${auth}}`;
    expect(paths(`{webhooks: {sources: [${unknown}]}}`)).toEqual([
      'ingest.webhooks.sources.0.adapter',
    ]);
    const account = '{name: city, token: a-test-token-of-a-modem}';
    const sources = `{sources: [${source('city')}, ${source('b', ', deviceId: "a/b"')}]}`;
    expect(paths(`{webhooks: ${sources}, coap: {accounts: [${account}]}}`)).toEqual([
      'ingest.webhooks.sources.1.deviceId',
      'ingest.coap.accounts.0.name',
    ]);
  });

  it('takes the proof of ThingPark, and stops the start for two wrapping keys of one label', () => {
    const proof = `{kind: thingpark, asId: sink, key: ${'ab'.repeat(16)}}`;
    const thingPark = `{name: tp, adapter: thingpark, auth: ${proof}}`;
    const wrap = (label: string) => `{label: ${label}, key: ${'ab'.repeat(16)}}`;
    const webhooks = `webhooks: {sources: [${thingPark}]}`;
    expect(paths(`{${webhooks}, appSKeyWraps: [${wrap('sink')}, ${wrap('town')}]}`)).toEqual([]);
    expect(paths(`{appSKeyWraps: [${wrap('town')}, ${wrap('town')}]}`)).toEqual([
      'ingest.appSKeyWraps.1.label',
    ]);
  });

  it('stops the start for polls that no broker, topic or interval has room for', () => {
    const devices = Array.from({ length: 501 }, (_, index) => `"${index}"`).join(', ');
    const broker = '{name: far, url: "mqtt://b", clientId: g, subscribe: [a]}';
    const poll = (text: string) => `{ask: [id], intervalSeconds: 10, ${text}}`;
    const fine = poll('name: a, topic: router/get, devices: [x], broker: far');
    expect(paths(`{remoteBrokers: [${broker}], polls: [${fine}]}`)).toEqual([]);
    const wrong = poll(`name: a, topic: router/get, devices: [${devices}], broker: near`);
    expect(
      paths(`{polls: [${poll('name: a, topic: "{device}", devices: [x]')}, ${wrong}]}`),
    ).toEqual([
      'ingest.polls.1.name',
      'ingest.polls.1.topic',
      'ingest.polls.1.intervalSeconds',
      'ingest.polls.1.broker',
    ]);
  });

  it('stops the start for CoAP on a public address, unless that is wanted', () => {
    expect(paths('{coap: {host: 0.0.0.0}}')).toEqual(['ingest.coap.host']);
    expect(paths('{coap: {host: 10.1.2.3}}')).toEqual([]);
    expect(paths('{coap: {host: 0.0.0.0, allowUnencryptedPublic: true}}')).toEqual([]);
  });

  it('stops the start for a token that two accounts share, and for a filter that is none', () => {
    const account = (name: string) =>
      `{name: ${name}, token: a-test-token-of-a-modem, publish: ["a/#/b"]}`;
    expect(paths(`{coap: {accounts: [${account('a')}, ${account('b')}]}}`)).toEqual([
      'ingest.coap.accounts.0.publish',
      'ingest.coap.accounts.1.token',
      'ingest.coap.accounts.1.publish',
    ]);
  });

  it('stops the start for gateways that nobody has named where anybody can come', () => {
    expect(paths('{udp: {host: 192.168.1.1}}')).toEqual(['ingest.udp.gateways']);
    expect(paths('{basicStation: {host: "::"}}')).toEqual(['ingest.basicStation.stations']);
  });

  it('stops the start for channels that no gateway can hear at once', () => {
    const far = '{basicStation: {frequencies: [863000000, 865000000, 867000000]}}';
    expect(paths(far)).toEqual(['ingest.basicStation.frequencies']);
    expect(paths('{basicStation: {frequencies: [868100000], plan: RU864}}')).toEqual([]);
  });

  it('stops the start for certificates that are missing or cannot be read', () => {
    const readable = JSON.stringify(fileOf('x', 'station.pem'));
    const tls = `{certFile: ${readable}, keyFile: /nowhere/key.pem, requestCert: true}`;
    expect(paths(`{basicStation: {tls: ${tls}}}`)).toEqual([
      'ingest.basicStation.tls.caFile',
      'ingest.basicStation.tls.keyFile',
    ]);
  });
});

describe('The cross check of remote brokers', () => {
  const broker = (more: string) => `{name: a, url: "mqtts://b:8883", clientId: g${more}}`;

  it('finds nothing in brokers that fit', () => {
    const filters = '"application/#", "$share/town/v3/#"';
    expect(paths(`{remoteBrokers: [${broker(`, subscribe: [${filters}]`)}]}`)).toEqual([]);
  });

  it('stops the start for a taken name, a filter or device that is none, and a missing file', () => {
    const first = broker(', subscribe: ["a/#/b"]');
    const tls = 'tls: {caFile: /nowhere/ca.pem}';
    const second = broker(`, subscribe: ["$share/g/#/b"], deviceId: "a/b", ${tls}`);
    expect(paths(`{remoteBrokers: [${first}, ${second}]}`)).toEqual([
      'ingest.remoteBrokers.0.subscribe',
      'ingest.remoteBrokers.1.name',
      'ingest.remoteBrokers.1.deviceId',
      'ingest.remoteBrokers.1.subscribe',
      'ingest.remoteBrokers.1.tls.caFile',
    ]);
  });
});

describe('The settings of the doors beside MQTT', () => {
  it.each([
    [
      'a short token',
      `{webhooks: {sources: [{name: a, adapter: b, auth: {kind: token, token: short}}]}}`,
    ],
    ['a wrapping key that is none', '{appSKeyWraps: [{label: a, key: 0011}]}'],
    ['a token with blanks', '{coap: {accounts: [{name: a, token: a token with many blanks}]}}'],
    ['a name that is no path', `{webhooks: {sources: [${source('a/b')}]}}`],
    ['an EUI that is none', '{udp: {gateways: [0016C001]}}'],
    ['an address that is none', '{basicStation: {publicUrl: "https://a"}}'],
    ['a plan that is none', '{basicStation: {plan: US915}}'],
    [
      'a password in an address',
      '{remoteBrokers: [{name: a, url: "mqtt://u:p@b", clientId: g, subscribe: [a]}]}',
    ],
    ['no way to prove it', '{webhooks: {sources: [{name: a, adapter: b, auth: {kind: none}}]}}'],
  ])('are refused with %s', (_name, ingest) => {
    expect(loaded(`version: 1\ningest: ${ingest}`).ok).toBe(false);
  });
});
