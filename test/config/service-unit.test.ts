/** The systemd unit says of the program what package.json and the configuration say of it. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { loadConfig } from '../../config/load.ts';

const unit = readFileSync('config/fieldgate.service', 'utf8');
const { bin, scripts } = JSON.parse(readFileSync('package.json', 'utf8'));

/** The value of a key that stands once. */
function settingOf(key: string): string {
  const values = [...unit.matchAll(new RegExp(`^${key}=(.*)$`, 'gm'))].map(([, value]) => value);
  expect(values).toHaveLength(1);
  return values[0] ?? '';
}

describe('The systemd unit', () => {
  it('starts the program as `npm start` does', () => {
    const words = settingOf('ExecStart').replace('/opt/fieldgate/', '').split(' ');
    expect(words.slice(1, 4)).toEqual(scripts.start.split(' ').slice(1));
    expect(words[2]).toBe(bin.fieldgate);
  });

  it('gives it longer to end than it takes for the receipts in flight', () => {
    const loaded = loadConfig('config/gateway.sample.yaml', {});
    const drainMs = loaded.ok ? loaded.config.mqtt.limits.drainTimeoutMs : Number.NaN;
    expect(Number(settingOf('TimeoutStopSec')) * 1_000).toBeGreaterThan(drainMs);
  });

  it('lets it write to its own directory only, for nobody else to read', () => {
    const directory = settingOf('Environment').replace('FIELDGATE__DATADIR=', '');
    expect(directory).toBe(`/var/lib/${settingOf('StateDirectory')}`);
    expect([settingOf('ProtectSystem'), settingOf('StateDirectoryMode')]).toEqual([
      'strict',
      '0700',
    ]);
  });
});
