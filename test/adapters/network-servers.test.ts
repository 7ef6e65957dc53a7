import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { findAdapter } from '../../gateway/adapters/registry.ts';
import { fixtureText, inboundOf, shown } from './inbound.ts';

/** A message of a network server, the topic or path it comes on, and what it becomes. */
interface Case {
  readonly fixture: string;
  readonly adapter: string;
  readonly route: string;
  readonly golden: string;
  /** Where the fixture is a whole request: the field that holds its body. */
  readonly part?: string;
}

const folder = new URL('./network-servers/', import.meta.url);
const cases: Case[] = JSON.parse(readFileSync(new URL('cases.json', folder), 'utf8'));

describe('Messages of network servers', () => {
  it.each(cases)('become $golden', ({ fixture, adapter, route, golden, part }) => {
    const text = fixtureText(fixture);
    const body = part === undefined ? Buffer.from(text) : JSON.parse(text)[part];
    const parsed = findAdapter(adapter)?.parse(inboundOf(route, body));
    expect(shown(parsed)).toEqual(JSON.parse(readFileSync(new URL(golden, folder), 'utf8')));
  });

  it('are each expected by exactly one case', () => {
    const expected = cases.map(({ golden }) => golden);
    expect([...expected, 'cases.json'].sort()).toEqual(readdirSync(folder).sort());
  });
});
