import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { findAdapter } from '../../gateway/adapters/registry.ts';
import { fixtureText, inboundOf, shown } from './inbound.ts';

/** One published message, the topic it comes on, and the file that holds what it becomes. */
interface Case {
  readonly fixture: string;
  readonly adapter: string;
  readonly route: string;
  readonly golden: string;
  readonly line?: number;
  readonly deviceId?: string;
}

const folder = new URL('./golden/', import.meta.url);
const cases: Case[] = JSON.parse(readFileSync(new URL('cases.json', folder), 'utf8'));

describe('Published messages', () => {
  it.each(cases)('become $golden', ({ fixture, adapter, route, golden, line, deviceId }) => {
    const text = fixtureText(fixture);
    const body = Buffer.from(line === undefined ? text : (text.split('\n')[line] ?? ''));
    const parsed = findAdapter(adapter)?.parse(inboundOf(route, body, deviceId));
    expect(shown(parsed)).toEqual(JSON.parse(readFileSync(new URL(golden, folder), 'utf8')));
  });

  it('are each expected by exactly one case', () => {
    const expected = cases.map(({ golden }) => golden);
    expect([...expected, 'cases.json'].sort()).toEqual(readdirSync(folder).sort());
  });
});
