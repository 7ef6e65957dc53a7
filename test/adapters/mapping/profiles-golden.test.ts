import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { fixtureText, inboundOf, shown } from '../inbound.ts';
import { mappingOf } from './mapping-of.ts';

/** One published message, the profile that reads it, and the file that holds what it becomes. */
interface Case {
  readonly profile: string;
  readonly zone?: string;
  readonly fixture: string;
  readonly route: string;
  readonly golden: string;
}

const folder = new URL('./golden/', import.meta.url);
const cases: Case[] = JSON.parse(readFileSync(new URL('cases.json', folder), 'utf8'));

describe('Published messages read by a profile', () => {
  it.each(cases)('become $golden', ({ profile, zone, fixture, route, golden }) => {
    const adapter = mappingOf({ profile, ...(zone === undefined ? {} : { zone }) });
    const parsed = adapter.parse(inboundOf(route, Buffer.from(fixtureText(fixture))));
    expect(shown(parsed)).toEqual(JSON.parse(readFileSync(new URL(golden, folder), 'utf8')));
  });

  it('are each expected by exactly one case', () => {
    const expected = cases.map(({ golden }) => golden);
    expect([...expected, 'cases.json'].sort()).toEqual(readdirSync(folder).sort());
  });

  it('leave no personal identifier in what they become', () => {
    const personal = new Set<string>();
    for (const { fixture } of cases) {
      for (const [digits] of fixtureText(fixture).matchAll(/(?<=")\d{15,20}(?=")/g))
        personal.add(digits);
    }
    expect(personal.size).toBeGreaterThan(5);
    for (const { golden } of cases) {
      const text = readFileSync(new URL(golden, folder), 'utf8');
      for (const digits of personal) expect(text).not.toContain(digits);
    }
  });
});
