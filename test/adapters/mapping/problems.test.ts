import { describe, expect, it } from '@jest/globals';
import { mappingSchema, profileSchema } from '../../../config/mapping-schema.ts';
import { createMappingAdapters } from '../../../gateway/adapters/mapping/mappings.ts';
import { profiles } from '../../../gateway/adapters/mapping/profiles/registry.ts';
import { problemsOf } from './mapping-of.ts';

const event = { event: 'x' };

describe('What is wrong with a mapping', () => {
  it('is said of all of them at once, each with its path', () => {
    const problems = problemsOf(
      { topics: ['a'], rules: [event] },
      { name: 'two', topics: ['a'] },
      { name: 'two', topics: ['b'], rules: [event] },
      { name: 'chirpstack', rules: [event] },
      { profile: 'vegga' },
      { profile: 'vega', topics: ['c'] },
    );
    expect(problems).toEqual([
      '0: has no name',
      '1: has neither rules nor a profile',
      '1.topics: a is taken',
      '2.name: two is taken',
      '3.name: chirpstack is taken',
      expect.stringContaining('4.profile: no profile is named vegga; known: cassia, king-pigeon'),
    ]);
  });

  it.each([
    [
      { when: [{ from: '/a' }], ...event },
      'when.0: says nothing: write equals, oneOf, exists or is',
    ],
    [{ deviceId: { from: '/a' }, devEui: { from: '/b' } }, ': has deviceId and devEui: write one'],
    [{ fPort: {} }, 'fPort: has from or value, not both and not neither'],
    [{ fPort: { from: '/a', value: 1 } }, 'fPort: has from or value, not both and not neither'],
    [{ fPort: { value: 256 } }, 'fPort: 256 is more than 255'],
    [{ radio: {} }, 'radio: reads nothing'],
    [{ radio: { rsrp: { from: '/a', form: 'csq' } } }, 'radio.rsrp: rsrp has no form csq'],
    [
      { measurements: [{ from: '/a', name: 'imsi' }] },
      'measurements.0.name: names a personal identifier, which is no measurement',
    ],
    [
      { measurements: [{ from: '/a', name: 'a', type: 'text', scale: 2 }] },
      'measurements.0: a text has no scale or offset',
    ],
    [
      { messageKey: ['/device/iccid'] },
      'messageKey.0: /device/iccid names a personal identifier: only deviceId with a kind may read it',
    ],
    [
      { each: { from: '/a', gives: 'samples' }, deviceId: { from: './id' } },
      'deviceId.from: ./id points into an element, but there is none here',
    ],
  ])('in the rule %j is said', (rule, detail) => {
    const [problem] = problemsOf({ name: 'test', topics: ['a'], rules: [rule] });
    expect(problem).toMatch(/^0\.rules\.0/);
    expect(problem).toContain(detail);
  });

  it('in embedded text is said', () => {
    const embedded = [{ at: '', as: 'json' }];
    expect(problemsOf({ name: 'test', embedded, rules: [event] })).toEqual([
      '0.embedded.0.at:  is no pointer below the body',
    ]);
  });

  it.each([
    [{ name: 'Test' }, 'name'],
    [{ name: 'test', topic: 'a' }, ''],
    [{ name: 'test', rules: [{ event: 'a b' }] }, 'rules.0.event'],
    [{ name: 'test', rules: [{ payload: { from: '/a' } }] }, 'rules.0.payload.encoding'],
    [{ name: 'test', rules: [{ time: { from: '/a', unit: 'days' } }] }, 'rules.0.time.unit'],
    [{ name: 'test', rules: [{ radio: { rsrp: '/a' } }] }, 'rules.0.radio.rsrp'],
    [{ name: 'test', rules: [] }, 'rules'],
  ])('in its form is found by the schema: %j', (entry, path) => {
    const parsed = mappingSchema.safeParse(entry);
    expect(parsed.error?.issues.map((issue) => issue.path.join('.'))).toEqual([path]);
  });

  it('stops a program that uses it unchecked', () => {
    const create = () =>
      createMappingAdapters([{ name: 'test' }], { identityKey: Buffer.alloc(32) });
    expect(create).toThrow('the mappings were checked');
    expect(() => createMappingAdapters([], { identityKey: Buffer.alloc(8) })).toThrow('secret');
  });
});

describe('The shipped profiles', () => {
  it.each(profiles.map((profile) => ({ profile, name: profile.name })))(
    '$name is a sound mapping',
    ({ profile }) => {
      expect(profileSchema.safeParse(profile).error).toBeUndefined();
      expect(problemsOf({ profile: profile.name })).toEqual([]);
    },
  );

  it('can all be used at once', () => {
    expect(problemsOf(...profiles.map(({ name }) => ({ profile: name })))).toEqual([]);
  });

  it('can be changed: what is written goes before what the profile says', () => {
    const entry = { profile: 'vega', name: 'water', topics: ['meters/{unit}'], zone: 'Asia/Baku' };
    expect(problemsOf(entry)).toEqual([]);
    const [adapter] = createMappingAdapters([mappingSchema.parse(entry)], {
      identityKey: Buffer.alloc(32),
    }).adapters;
    expect(adapter).toMatchObject({ name: 'water', topicFilters: ['meters/+'] });
  });
});
