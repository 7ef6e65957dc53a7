import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { openAdapterBook } from '../../gateway/adapters/adapter-book.ts';
import { createRouter } from '../../gateway/adapters/topic-filter.ts';
import { openIdentityKey } from '../../gateway/holdings/identity-key.ts';

const key = Buffer.alloc(32, 7);

describe('The adapters of an installation', () => {
  const book = openAdapterBook(
    {
      routes: [
        { topic: 'meters/#', adapter: 'vega' },
        { topic: 'lost/#', adapter: 'nobody' },
      ],
      mappings: [{ profile: 'vega' }, { profile: 'sodaq', topics: ['up/sodaq'] }],
    },
    key,
    [],
  );

  it('are found by name, mappings and built-in ones alike', () => {
    expect(['vega', 'sodaq', 'modem-json'].map((name) => book.find(name)?.name)).toEqual([
      'vega',
      'sodaq',
      'modem-json',
    ]);
    expect(book.find('nobody')).toBeUndefined();
  });

  it('read topics in order: what the operator wrote, mappings, then what is built in', () => {
    const adapterFor = createRouter(book.routes);
    const topics = ['meters/a/b', 'vega/1/data', 'up/sodaq', 'up/field-7', 'lost/a'];
    expect(topics.map((topic) => adapterFor(topic)?.name)).toEqual([
      'vega',
      'vega',
      'sodaq',
      'modem-json',
      undefined,
    ]);
  });
});

describe('The identity key', () => {
  const folder = mkdtempSync(join(tmpdir(), 'identity-key-'));
  const path = join(folder, 'identity.key');

  it('is made once, for its user alone, and stays', () => {
    const made = openIdentityKey(path);
    expect(made).toHaveLength(32);
    expect(statSync(path).mode & 0o077).toBe(0);
    expect(openIdentityKey(path)).toEqual(made);
    expect(readFileSync(path)).toEqual(made);
  });

  it('is refused when the file holds something else', () => {
    const wrong = join(folder, 'wrong.key');
    writeFileSync(wrong, 'short');
    expect(() => openIdentityKey(wrong)).toThrow('holds 5 bytes, not 32');
  });

  it('is refused where no file can be', () => {
    expect(() => openIdentityKey(join(folder, 'none', 'identity.key'))).toThrow('ENOENT');
    rmSync(folder, { recursive: true });
  });
});
