/** Bytes as they stood on the wire, so that reader and writer cannot be wrong in the same way. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { findAdapter } from '../../../gateway/adapters/registry.ts';
import { inboundOf, shown } from '../inbound.ts';

const folder = new URL('./golden/', import.meta.url);

describe('Protobuf messages', () => {
  it.each(readdirSync(folder))('become what %s says', (file) => {
    const { adapter, route, hex, becomes } = JSON.parse(
      readFileSync(new URL(file, folder), 'utf8'),
    );
    const parsed = findAdapter(adapter)?.parse(inboundOf(route, Buffer.from(hex, 'hex')));
    expect(shown(parsed)).toEqual(becomes);
  });
});
