import { describe, expect, it } from '@jest/globals';
import { faultOf, inboundOf, payloadOf } from '../inbound.ts';
import { mappingOf, problemsOf, ruleOf } from './mapping-of.ts';

/** What stands at a source of a body that came on a route. */
function valueAt(from: string, body: unknown, route = 'test/pump', account?: string): unknown {
  const adapter = ruleOf({
    deviceId: { from: 'topic:name' },
    measurements: [{ from, name: 'value' }],
  });
  const parsed = adapter.parse(inboundOf(route, body, account));
  if ('code' in parsed) return parsed.code;
  return payloadOf(parsed).measurements?.[0]?.value;
}

describe('A JSON pointer', () => {
  // The example document and its pointers [RFC 6901 section 5].
  const document = {
    foo: ['bar', 'baz'],
    '': 0,
    'a/b': 1,
    'c%d': 2,
    'e^f': 3,
    'g|h': 4,
    'i\\j': 5,
    'k"l': 6,
    ' ': 7,
    'm~n': 8,
  };

  it.each([
    ['/foo/0', 'bar'],
    ['/', 0],
    ['/a~1b', 1],
    ['/c%d', 2],
    ['/e^f', 3],
    ['/g|h', 4],
    ['/i\\j', 5],
    ['/k"l', 6],
    ['/ ', 7],
    ['/m~0n', 8],
  ])('%s finds %p', (pointer, value) => {
    expect(valueAt(pointer, document)).toBe(value);
  });

  it('reads ~01 as ~1, not as a slash', () => {
    expect(valueAt('/~01', { '~1': 5, '/': 6 })).toBe(5);
  });

  it.each(['/foo/2', '/foo/-', '/foo/01', '/foo/length', '/foo/map', '/a/b/c', '/foo/0/x'])(
    '%s finds nothing',
    (pointer) => {
      expect(valueAt(pointer, document)).toBe('INBOUND_MALFORMED');
    },
  );

  it('is the whole body when it is empty', () => {
    expect(valueAt('', 21.5)).toBe(21.5);
  });

  it.each([
    ['/a~2b', '~ is written ~0'],
    ['/a~', '~ is written ~0'],
    ['/__proto__/x', '__proto__ cannot be read'],
    ['/constructor', 'constructor cannot be read'],
    ['/toString', 'toString cannot be read'],
    [`${'/a'.repeat(33)}`, 'deeper than 32 levels'],
    ['a/b', 'is no source'],
    ['./a', 'there is none here'],
    ['topic:other', 'no topic has a level {other}; known: topic:name'],
    ['/device/imei', 'names a personal identifier'],
    ['topic:imsi', 'names a personal identifier'],
  ])('%p is refused when the mapping is read', (from, detail) => {
    const rule = { deviceId: { from: 'topic:name' }, measurements: [{ from, name: 'value' }] };
    const [problem] = problemsOf({ name: 'test', topics: ['test/{name}'], rules: [rule] });
    expect(problem).toContain('0.rules.0.measurements.0.from: ');
    expect(problem).toContain(detail);
  });
});

describe('A level of the topic', () => {
  it('is read by its name, in whichever topic the message came', () => {
    const adapter = mappingOf({
      name: 'test',
      topics: ['a/{device}/{kind}', '{kind}/b/+/{device}/#'],
      rules: [
        {
          deviceId: { from: 'topic:device' },
          measurements: [{ from: '/v', name: '{topic:kind}' }],
        },
      ],
    });
    expect(adapter.topicFilters).toEqual(['a/+/+', '+/b/+/+/#']);
    for (const route of ['a/pump/level', 'level/b/x/pump', 'level/b/x/pump/y/z']) {
      expect(payloadOf(adapter.parse(inboundOf(route, { v: 1 })))).toMatchObject({
        deviceId: 'pump',
        measurements: [{ name: 'level', value: 1 }],
      });
    }
  });

  it('is missing when the message was routed here from elsewhere', () => {
    const adapter = ruleOf({ deviceId: { from: 'topic:name' }, all: [{ from: '' }] });
    for (const route of ['other/pump', 'test', 'test/a/b']) {
      expect(faultOf(adapter.parse(inboundOf(route, { v: 1 }))).detail).toBe(
        'topic:name is not the id of a device',
      );
    }
  });

  it.each([
    ['a/{b', 'a name stands for a whole level'],
    ['a/x{b}', 'a name stands for a whole level'],
    ['a/{b}/{b}', 'gives two levels one name'],
    ['a/#/b', 'is no MQTT topic filter'],
    ['a+/b', 'is no MQTT topic filter'],
  ])('%s is refused', (topic, detail) => {
    const problems = problemsOf({ name: 'test', topics: [topic], rules: [{ event: 'x' }] });
    expect(problems).toEqual([expect.stringContaining(detail)]);
    expect(problems[0]).toContain('0.topics.0: ');
  });
});

describe('A parameter of the request', () => {
  it('is read by its name', () => {
    expect(valueAt('query:t', {}, '/ingest/x?t=a%20b&u=2')).toBe('INBOUND_MALFORMED');
    const adapter = ruleOf({ deviceId: { from: 'query:device' }, all: [{ from: '' }] });
    const parsed = adapter.parse(inboundOf('/ingest/x?a=1&device=pump-1', { v: 1 }));
    expect(payloadOf(parsed).deviceId).toBe('pump-1');
  });

  it('is missing where there is none, or where the query has no end', () => {
    const adapter = ruleOf({ deviceId: { from: 'query:device' }, all: [{ from: '' }] });
    for (const route of ['/ingest/x', '/ingest/x?b=1', `/ingest/x?${'a=1&'.repeat(600)}device=a`]) {
      expect('code' in adapter.parse(inboundOf(route, { v: 1 }))).toBe(true);
    }
  });
});

describe('The account', () => {
  it('names the device where the mapping names none', () => {
    const adapter = ruleOf({ all: [{ from: '' }] });
    const inbound = inboundOf('test/x', { v: 1 }, 'field-7');
    expect(payloadOf(adapter.parse(inbound)).deviceId).toBe('field-7');
  });

  it('may be named, and must be tied to a device', () => {
    expect(valueAt('account', {}, 'test/x', 'field-7')).toBe('field-7');
    const adapter = ruleOf({ all: [{ from: '' }] });
    expect(faultOf(adapter.parse(inboundOf('test/x', { v: 1 }))).detail).toBe(
      'account is not tied to a device, and the mapping names none',
    );
  });
});

describe('A template', () => {
  const fill = (name: string, body: object) => {
    const adapter = ruleOf({
      deviceId: { from: 'topic:name' },
      measurements: [{ from: '/v', name }],
    });
    const parsed = adapter.parse(inboundOf('test/x', { v: 1, ...body }));
    return 'code' in parsed ? parsed.detail : payloadOf(parsed).measurements?.[0]?.name;
  };

  it('puts plain values in its holes', () => {
    expect(fill('{/kind}_{/n}_{/is}', { kind: 'in', n: 2, is: true })).toBe('in_2_true');
  });

  it('gives no name when a hole finds nothing, an object, or text without end', () => {
    expect(fill('{/kind}', {})).toBeUndefined();
    expect(fill('{/kind}', { kind: {} })).toBeUndefined();
    expect(fill('{/kind}', { kind: '' })).toBeUndefined();
    expect(fill('{/kind}', { kind: 'x'.repeat(129) })).toBeUndefined();
  });

  it('gives no name that is a personal identifier', () => {
    expect(fill('{/kind}', { kind: 'imei' })).toBeUndefined();
  });

  it('is refused with half a bracket', () => {
    const rule = { measurements: [{ from: '/v', name: 'a{b' }] };
    expect(problemsOf({ name: 'test', topics: ['a'], rules: [rule] })).toEqual([
      '0.rules.0.measurements.0.name: a{b has a bracket without its other one',
    ]);
  });
});
