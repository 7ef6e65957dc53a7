import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { adapters, defaultRoutes, findAdapter } from '../../gateway/adapters/registry.ts';
import {
  adapterFor,
  createRouter,
  isTopicFilter,
  matches,
} from '../../gateway/adapters/topic-filter.ts';

const [first, second] = adapters;
if (first === undefined || second === undefined) throw new Error('there are no adapters');

describe('A topic filter', () => {
  it.each([
    ['sport/tennis/player1/#', 'sport/tennis/player1', true],
    ['sport/tennis/player1/#', 'sport/tennis/player1/score/wimbledon', true],
    ['sport/#', 'sport', true],
    ['sport/#', 'sports', false],
    ['#', 'a/b', true],
    ['sport/tennis/+', 'sport/tennis/player1', true],
    ['sport/tennis/+', 'sport/tennis/player1/ranking', false],
    ['sport/+', 'sport', false],
    ['sport/+', 'sport/', true],
    ['+/+', '/finance', true],
    ['/+', '/finance', true],
    ['+', '/finance', false],
    ['#', '$SYS/x', false],
    ['+/monitor/Clients', '$SYS/monitor/Clients', false],
    ['$SYS/#', '$SYS/x', true],
    ['$SYS/monitor/+', '$SYS/monitor/Clients', true],
    ['a/+', 'a/$x', true],
    ['ACCOUNTS', 'Accounts', false],
    ['a//b', 'a//b', true],
    ['a/+/b', 'a//b', true],
    ['a', '', false],
  ])('%s and the topic %s: %p', (filter, topic, expected) => {
    expect(matches(filter, topic)).toBe(expected);
    const router = createRouter([{ filter, adapter: first }]);
    expect(router(topic)).toBe(expected ? first : undefined);
  });

  it.each(['', 'sport/tennis#', 'sport/tennis/#/ranking', 'sport+', 'a\0b', 'x'.repeat(65_536)])(
    'is not %p',
    (filter) => {
      expect(isTopicFilter(filter)).toBe(false);
      expect(matches(filter, filter)).toBe(false);
      expect(() => createRouter([{ filter, adapter: first }])).toThrow('not a topic filter');
    },
  );
});

describe('The router', () => {
  it('takes the route that is listed first where several fit', () => {
    const filters = ['a/+/c', 'a/b/#', '+/b/c', 'a/b/c', 'a/b/#', 'a/+/c', 'a/b/c'];
    for (let start = 0; start < filters.length; start += 1) {
      const routes = filters
        .slice(start)
        .map((filter, index) => ({ filter, adapter: index === 0 ? first : second }));
      expect(createRouter(routes)('a/b/c')).toBe(first);
    }
  });

  it('answers as the list does for any filters and topics', () => {
    const level = fc.constantFrom('a', 'b', '', '$s', '+');
    const filterArbitrary = fc
      .tuple(fc.array(level, { minLength: 1, maxLength: 4 }), fc.boolean())
      .map(([levels, isOpen]) => [...levels, ...(isOpen ? ['#'] : [])].join('/'))
      .filter(isTopicFilter);
    const name = fc.constantFrom('a', 'b', '', '$s', 'c');
    const topicArbitrary = fc.array(name, { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(fc.array(filterArbitrary), topicArbitrary, (filters, names) => {
        const topic = names.join('/');
        const routes = filters.map((filter) => ({
          filter,
          adapter: { ...first, name: filter },
        }));
        expect(createRouter(routes)(topic)?.name).toBe(adapterFor(topic, routes)?.name);
      }),
    );
  });
});

describe('The registry', () => {
  it('has unique names in kebab-case and sound filters', () => {
    const names = adapters.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const name of names) expect(name).toMatch(/^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/);
    for (const { filter } of defaultRoutes) expect(isTopicFilter(filter)).toBe(true);
  });

  it('finds an adapter by its name', () => {
    expect(findAdapter('modem-json')?.name).toBe('modem-json');
    expect(findAdapter('none')).toBeUndefined();
  });

  it.each([
    ['application/1/device/2/event/up', 'chirpstack-json'],
    ['application/1/device/2/rx', 'chirpstack-v3-json'],
    ['v3/app@tenant/devices/dev1/up', 'the-things-stack-v3-json'],
    ['v3/app/devices/dev1/up/normalized', 'the-things-stack-v3-json'],
    ['v3/app/devices/dev1/down/ack', 'the-things-stack-v3-json'],
    ['v3/app/devices/dev1/location/solved', 'the-things-stack-v3-json'],
    ['gateway/1/event/up', 'chirpstack-gateway-bridge-json'],
    ['eu868/gateway/1/state/conn', 'chirpstack-gateway-bridge-json'],
    ['eu868/gateway/1/command/down', 'chirpstack-gateway-bridge-json'],
    ['up/field-7', 'modem-json'],
    ['v1/gateway/telemetry', 'modem-json'],
    ['v2/t', 'modem-json'],
    ['$SYS/broker', undefined],
    ['application/1/device/2/command/down', undefined],
  ])('sends %s to %p', (topic, name) => {
    expect(createRouter(defaultRoutes)(topic)?.name).toBe(name);
  });
});
