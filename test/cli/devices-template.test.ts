import { describe, expect, it } from '@jest/globals';
import { parseDeviceTable } from '../../dashboard/api/device-table.ts';
import { findCodec } from '../../decoders/registry.ts';
import { deviceTemplate } from '../../gateway/cli/devices-template.ts';
import { parseDeviceInput } from '../../gateway/lorawan/device-input.ts';

describe('The template of a table of devices', () => {
  const rows = parseDeviceTable(deviceTemplate());

  it('has a row for a device that joins, one with session keys, and a modem', () => {
    expect(rows.map(({ kind, activation }) => [kind, activation])).toEqual([
      ['lorawan', 'otaa'],
      ['lorawan', 'abp'],
      ['cellular', undefined],
    ]);
  });

  it('has rows that are taken as they are', () => {
    for (const row of rows) expect(parseDeviceInput(row)).not.toHaveProperty('problems');
  });

  it('names codecs that there are', () => {
    for (const { codec } of rows) {
      if (codec !== undefined) expect(findCodec(String(codec))).toBeDefined();
    }
  });
});
