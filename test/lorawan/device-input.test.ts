import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parseDeviceInput } from '../../gateway/lorawan/device-input.ts';

const appSKey = '2b7e151628aed2a6abf7158809cf4f3c';
const nwkSKey = '3b7e151628aed2a6abf7158809cf4f3c';
const keys11 = { fNwkSIntKey: nwkSKey, sNwkSIntKey: nwkSKey, nwkSEncKey: nwkSKey };

const lorawan = { id: '70b3d57ed0000001', kind: 'lorawan' };
const abp = { ...lorawan, activation: 'abp', devAddr: '26011bda' };
const cellular = { id: 'modem-7', kind: 'cellular' };

const full = {
  ...abp,
  name: 'Kür çayı, körpü 3',
  agency: 'water-board',
  area: 'Nəsimi',
  location: { latitude: 40.4, longitude: 49.8, altitude: -28 },
  model: 'dragino-lht65',
  codec: 'dragino-lht65',
  macVersion: '1.0.3',
  joinEui: '70b3d57ed00000dc',
  tags: { street: 'Nizami küçəsi', constructor: 'own' },
};

function problemsOf(input: unknown) {
  const result = parseDeviceInput(input);
  return 'problems' in result ? result.problems : [];
}

const pathsOf = (input: unknown) => problemsOf(input).map(({ path }) => path);

describe('Device input', () => {
  it('takes a device with every field as it is', () => {
    expect(parseDeviceInput(full)).toEqual({ device: full });
  });

  it('keeps keys apart from the device', () => {
    const keys = { appSKey, nwkSKey };
    expect(parseDeviceInput({ ...full, keys })).toEqual({ device: full, keys });
  });

  it('refuses a tag that would be lost on the way', () => {
    const tags: unknown = JSON.parse('{"__proto__":"a","street":"b"}');
    expect(problemsOf({ ...cellular, tags })).toMatchObject([{ path: 'tags.__proto__' }]);
  });

  it.each(['.', '..'])('refuses the id %p, which no path can name [RFC 3986, 5.2.4]', (id) => {
    expect(pathsOf({ ...cellular, id })).toEqual(['id']);
  });

  it.each(['...', '.a', 'a.', '..1'])('takes the id %p', (id) => {
    expect(pathsOf({ ...cellular, id })).toEqual([]);
  });

  it('brings identifiers and keys into one spelling', () => {
    const result = parseDeviceInput({
      id: '70-B3-D5-7E-D0-00-00-01',
      kind: 'lorawan',
      devAddr: '26:01:1B:DA',
      joinEui: '70B3D57ED00000DC',
      keys: { appSKey: appSKey.toUpperCase(), nwkSKey },
    });
    expect(result).toEqual({
      device: {
        ...lorawan,
        devAddr: '26011bda',
        joinEui: '70b3d57ed00000dc',
      },
      keys: { appSKey, nwkSKey },
    });
  });

  it('leaves the id of a cellular device as it is', () => {
    expect(parseDeviceInput({ ...cellular, id: 'Modem.7:A' })).toEqual({
      device: { ...cellular, id: 'Modem.7:A' },
    });
  });

  it.each([
    ['no object', undefined, ['']],
    ['a list', [], ['']],
    ['no kind', { id: 'modem-7' }, ['kind']],
    ['an id with a slash', { ...cellular, id: 'a/b' }, ['id']],
    ['an id of 65 characters', { ...cellular, id: 'x'.repeat(65) }, ['id']],
    ['a devEui of 7 bytes', { ...lorawan, id: '70b3d57ed00000' }, ['id']],
    ['a DevAddr as a number', { ...lorawan, devAddr: 26011 }, ['devAddr']],
    ['a DevAddr of 3 bytes', { ...lorawan, devAddr: '26011b' }, ['devAddr']],
    ['a JoinEUI that is none', { ...lorawan, joinEui: 'zz' }, ['joinEui']],
    ['a version that is none', { ...lorawan, macVersion: 'LoRa 2' }, ['macVersion']],
    ['a name with a line break', { ...lorawan, name: 'a\nb' }, ['name']],
    ['an empty name', { ...lorawan, name: '' }, ['name']],
    [
      'a latitude off the earth',
      { ...lorawan, location: { latitude: 91, longitude: 0 } },
      ['location.latitude'],
    ],
    ['a tag name with a blank', { ...lorawan, tags: { 'a b': 'c' } }, ['tags.a b']],
    [
      'LoRaWAN fields on a modem',
      { ...cellular, devAddr: '26011bda', keys: {} },
      ['devAddr', 'keys'],
    ],
    ['a key that is too short', { ...abp, keys: { appSKey: '2b7e', nwkSKey } }, ['keys.appSKey']],
    ['a key as a number', { ...abp, keys: { appSKey: 7, nwkSKey } }, ['keys.appSKey']],
    ['session keys without DevAddr', { ...lorawan, keys: { appSKey, nwkSKey } }, ['devAddr']],
    ['half a 1.0 session', { ...abp, keys: { appSKey } }, ['keys.nwkSKey']],
    ['the other half', { ...abp, keys: { nwkSKey } }, ['keys.appSKey']],
    [
      'half a 1.1 session',
      { ...abp, keys: { appSKey, fNwkSIntKey: nwkSKey } },
      ['keys.sNwkSIntKey', 'keys.nwkSEncKey'],
    ],
    ['both kinds of session', { ...abp, keys: { appSKey, nwkSKey, ...keys11 } }, ['keys.nwkSKey']],
    [
      '1.1 keys on a 1.0 device',
      { ...abp, macVersion: '1.0.4', keys: { appSKey, ...keys11 } },
      ['macVersion'],
    ],
  ])('finds %s', (_what, input, paths) => {
    expect(pathsOf(input)).toEqual(paths);
    for (const problem of problemsOf(input)) {
      expect(problem.message).toMatch(/^\S.*\S$/);
      expect(problem.remedy).toMatch(/^Give |^Use |^Did /);
    }
  });

  it.each([
    ['a 1.0 session', { ...abp, keys: { appSKey, nwkSKey } }],
    ['a 1.1 session', { ...abp, macVersion: '1.1', keys: { appSKey, ...keys11 } }],
    ['a 1.1 device in a 1.0 session', { ...abp, macVersion: '1.1', keys: { appSKey, nwkSKey } }],
    ['root keys alone', { ...lorawan, keys: { appKey: appSKey, nwkKey: nwkSKey } }],
    ['no keys', abp],
  ])('takes %s', (_what, input) => {
    expect(problemsOf(input)).toEqual([]);
  });

  it('tells everything that is wrong at once', () => {
    const input = { id: 'a/b', kind: 'satellite', devAddr: 'x', keys: { appKey: '1' }, nmae: 'x' };
    expect(pathsOf(input).sort()).toEqual(['devAddr', 'id', 'keys.appKey', 'kind', 'nmae']);
  });

  it('names the field that a misspelt one may mean', () => {
    expect(problemsOf({ ...lorawan, devadr: '26011bda' })).toEqual([
      { path: 'devadr', message: 'Is not a known field.', remedy: 'Did you mean devAddr?' },
    ]);
    expect(problemsOf({ ...lorawan, keys: { appSkey: appSKey } })[0]?.remedy).toBe(
      'Did you mean appSKey?',
    );
    const place = { latitude: 1, longitude: 2, altitud: 3 };
    expect(problemsOf({ ...lorawan, location: place })).toMatchObject([
      { path: 'location.altitud', remedy: 'Did you mean altitude?' },
    ]);
    expect(problemsOf({ ...lorawan, colour: 'red' })[0]?.remedy).toMatch(/^Use one of: id, kind/);
  });

  it('refuses more tags than the limit', () => {
    const tags = Object.fromEntries(Array.from({ length: 33 }, (_, index) => [`t${index}`, 'x']));
    expect(pathsOf({ ...lorawan, tags })).toEqual(['tags']);
  });

  it('lets no tag reach the prototype', () => {
    const input = JSON.parse(
      '{"id":"m","kind":"cellular","tags":{"__proto__":{"polluted":"yes"}}}',
    );
    const result = parseDeviceInput(input);
    expect(JSON.stringify(result)).not.toContain('polluted":"yes"');
    expect({}).not.toHaveProperty('polluted');
  });

  it('repeats no key in any problem', () => {
    const wrong = `${appSKey}00`;
    const keys = { appSKey: wrong, nwkSKey: wrong, appKey: wrong };
    expect(JSON.stringify(problemsOf({ ...abp, keys }))).not.toContain(appSKey);
  });

  it('never throws', () => {
    fc.assert(
      fc.property(fc.anything(), fc.anything(), (whole, part) => {
        expect(parseDeviceInput(whole)).toBeDefined();
        expect(parseDeviceInput({ ...lorawan, tags: part, keys: part, id: part })).toBeDefined();
      }),
    );
  });
});
