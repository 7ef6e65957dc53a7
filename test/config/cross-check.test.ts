import { describe, expect, it } from '@jest/globals';
import { crossCheck } from '../../gateway/cross-check.ts';
import { configOf, fileOf, loaded } from './configuration-file.ts';

function found(text: string) {
  return crossCheck(configOf(loaded(`version: 1\n${text}`)));
}

describe('The cross check', () => {
  it('finds nothing in the defaults', () => {
    expect(found('')).toEqual([]);
  });

  it('stops the start for a route to an adapter that does not exist', () => {
    const [problem] = found('ingest: {routes: [{topic: a/b, adapter: chirpstak}]}');
    expect(problem).toMatchObject({ path: 'ingest.routes.0.adapter', isFatal: true });
    expect(problem?.detail).toContain('modem-json');
  });

  it.each(['a/#/b', 'a/b+', ''])('stops the start for the topic filter "%s"', (topic) => {
    const text = `version: 1\ningest: {routes: [{topic: "${topic}", adapter: modem-json}]}`;
    const result = loaded(text);
    const paths = result.ok
      ? crossCheck(result.config).map(({ path }) => path)
      : result.problems.map(({ path }) => path);
    expect(paths).toEqual(['ingest.routes.0.topic']);
  });

  it('stops the start for a mapping that cannot be, with the place in it', () => {
    const mapping = '{name: pumps, topics: ["p/{id}"], rules: [{deviceId: {from: "topic:i"}}]}';
    expect(found(`ingest: {mappings: [${mapping}, {profile: vegga}]}`)).toEqual([
      {
        path: 'ingest.mappings.0.rules.0.deviceId.from',
        detail: 'no topic has a level {i}; known: topic:id',
        isFatal: true,
      },
      {
        path: 'ingest.mappings.1.profile',
        detail: expect.stringContaining('no profile is named vegga; known: cassia'),
        isFatal: true,
      },
    ]);
  });

  it('takes a mapping for the adapter of a route', () => {
    const routes = 'routes: [{topic: a/b, adapter: vega}, {topic: a/c, adapter: pumps}]';
    const mappings = 'mappings: [{profile: vega}, {profile: sodaq, name: pumps}]';
    expect(found(`ingest: {${routes}, ${mappings}}`)).toEqual([]);
  });

  it('stops the start for a certificate file that cannot be read', () => {
    const readable = JSON.stringify(fileOf('x', 'key.pem'));
    const problems = found(`mqtt: {tls: {certFile: no-such.pem, keyFile: ${readable}}}`);
    expect(problems).toEqual([
      { path: 'mqtt.tls.certFile', detail: 'cannot read no-such.pem', isFatal: true },
    ]);
  });

  it('leaves out a bad device and names what is wrong with it, but not its keys', () => {
    const key = '00112233445566778899aabbccddeef';
    const problems = found(
      `devices: [{id: "0102030405060708", kind: lorawan, keys: {appKey: "${key}"}}, {id: a, kind: x}]`,
    );
    expect(problems.map(({ path, isFatal }) => [path, isFatal])).toEqual([
      ['devices.0 (0102030405060708).keys.appKey', false],
      ['devices.1 (a).kind', false],
    ]);
    expect(JSON.stringify(problems)).not.toContain(key);
  });

  it('tells a device of a codec that does not exist', () => {
    const [problem] = found('devices: [{id: meter-7, kind: cellular, codec: elsys}]');
    expect(problem).toMatchObject({ path: 'devices.0 (meter-7).codec', isFatal: false });
    expect(problem?.detail).toContain('elsys-generic');
  });
});
