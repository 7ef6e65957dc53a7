/** What `fieldgate simulate` takes, what it refuses, and how it shows its progress. */

import { describe, expect, it } from '@jest/globals';
import { Command, CommanderError } from 'commander';
import { dayOf } from '../../gateway/cli/simulate.ts';
import { simulateFleet } from '../../gateway/cli/simulate-fleet.ts';
import { simulateLoad } from '../../gateway/cli/simulate-load.ts';
import {
  assertTogether,
  type SimulateOptions,
  withSimulateOptions,
} from '../../gateway/cli/simulate-options.ts';
import {
  createProgressScreen,
  progressBar,
  tableLines,
} from '../../gateway/cli/simulate-screen.ts';

function optionsOf(words: readonly string[]): SimulateOptions {
  const command = withSimulateOptions(new Command('simulate'))
    .exitOverride()
    .configureOutput({ writeErr: () => undefined });
  return command.parse(words, { from: 'user' }).opts<SimulateOptions>();
}

describe('Words of fieldgate simulate', () => {
  it.each([
    ['', 'give either --to URL or --dry-run'],
    ['--dry-run --to mqtt://x', 'give either --to URL or --dry-run'],
    ['--dry-run --rate 5', '--rate is of --load'],
    ['--to mqtt://x --token-file x', '--token-file is of --load'],
    ['--load --to mqtt://x --scenario x', '--scenario is of the city'],
    ['--load --to mqtt://x --dry-run', '--dry-run is of the city'],
    ['--load --to mqtt://x --speed 3', '--speed is of the city'],
    ['--load --fleet 3 --to mqtt://x', 'either --load or --fleet'],
    ['--fleet 3 --to mqtt://x --devices 3', '--devices is of the city and --load'],
    ['--fleet 3 --to mqtt://x --backfill 1h', '--backfill is of the city'],
    ['--fleet 3', 'give either --to URL or --dry-run'],
    ['--dry-run --gateways 3', '--gateways is of --fleet'],
    ['--dry-run --devices-out x', '--devices-out is of --fleet'],
    ['--check x', '--check needs --gateway URL'],
    ['--dry-run --scenario x --for 1h', 'a scenario has its own times: no --for'],
  ])('do not go together: %s', (words, reason) => {
    const options = optionsOf(words.split(' ').filter((word) => word !== ''));
    expect(() => assertTogether(options)).toThrow(reason);
  });

  it.each([
    ['--for 5', 'a number and a unit'],
    ['--for -5s', 'a number and a unit'],
    ['--start soon', 'an RFC 3339 time'],
    ['--devices 0', 'a whole number'],
    ['--devices 100001', '100000'],
    ['--rate 0', 'above 0'],
    ['--fleet 20001', '20000'],
    ['--gateways 201', '200'],
    ['--doors mqtt', 'some of gateway-bridge,semtech-udp,basic-station'],
    ['--arrivals odd', 'even, poisson'],
    ['--speed 0', '0.001'],
    ['--what', 'unknown option'],
  ])('are not understood: %s', (words, reason) => {
    const parse = () => optionsOf(words.split(' '));
    expect(parse).toThrow(CommanderError);
    expect(parse).toThrow(reason);
  });

  it.each([
    ['--to http://x', 'a load goes --to one mqtt:// or mqtts:// URL'],
    ['--to mqtt://x --to mqtt://y', 'a load goes --to one mqtt:// or mqtts:// URL'],
    ['--to mqtt://u:p@x', 'a target holds no name or password'],
    ['--to mqtt://x --rate 90000 --devices 100', 'a device sends 500 messages a second at most'],
    ['--to mqtt://x --rate 9000 --for 1h', 'a load has 2000000 messages at most'],
    ['--to mqtt://x --connections 60000', '--connections is 50000 at most'],
    ['--to mqtt://x --connections 60 --devices 50', 'each connection needs a device'],
    ['--to mqtt://x --gateway ftp://x', '--gateway is an address such as http://'],
  ])('make no load: %s', async (words, reason) => {
    const options = optionsOf(['--load', ...words.split(' ')]);
    expect(() => assertTogether(options)).not.toThrow();
    await expect(simulateLoad(options, new AbortController().signal)).rejects.toThrow(reason);
  });

  it.each([
    ['--to http://x', 'begins with none of mqtt://'],
    ['--to mqtt://u:p@x', 'a target holds no name or password'],
    ['--to udp://x --to udp://y', 'two targets for semtech-udp'],
    ['--to ws://x --speed max', 'at --speed max give --gateway URL'],
    ['--to udp://x --doors semtech-udp,basic-station', 'gateways of basic-station need a --to'],
    ['--to udp://x --gateway ftp://x', '--gateway is an address such as http://'],
  ])('make no fleet: %s', async (words, reason) => {
    const options = optionsOf(['--fleet', '9', ...words.split(' ')]);
    expect(() => assertTogether(options)).not.toThrow();
    await expect(simulateFleet(options, new AbortController().signal)).rejects.toThrow(reason);
  });

  it.each([
    ['nowhere.yaml', '--scenario nowhere.yaml: no such file'],
    ['package.json', 'version: '],
  ])('name no scenario: %s', async (file, reason) => {
    const named = dayOf(optionsOf(['--dry-run', '--scenario', file]));
    await expect(named).rejects.toThrow(`--scenario ${file}: `);
    await expect(named).rejects.toThrow(reason);
  });

  it('make a bad day as large as asked, or several days one', async () => {
    const file = (name: string) => ['--scenario', `simulators/bad-days/${name}.yaml`];
    const flood = await dayOf(optionsOf(['--dry-run', ...file('flood'), '--devices', '7']));
    expect(flood).toMatchObject({ name: 'flood', devices: 7 });
    const both = await dayOf(optionsOf(['--dry-run', ...file('flood'), ...file('power-cut')]));
    expect(both?.name).toBe('flood and power-cut');
    expect(both?.events.map(({ what }) => what)).toEqual(
      expect.arrayContaining(['flood', 'power-cut']),
    );
  });
});

describe('Progress on standard error', () => {
  const written = (isTTY: boolean) => {
    const texts: string[] = [];
    const output = { isTTY, columns: 10, write: (text: string) => texts.push(text) };
    let now = 0;
    const screen = createProgressScreen(output, () => now);
    return { texts, screen, pass: (milliseconds: number) => (now += milliseconds) };
  };

  it('stays in its place on a terminal, within its width', () => {
    const { texts, screen } = written(true);
    screen.show(['a line that is long', 'b']);
    screen.show(['c']);
    screen.clear();
    expect(texts).toEqual(['a line th\nb\n', '\u001b[2A\u001b[0Jc\n', '\u001b[1A\u001b[0J']);
  });

  it('is a plain line every few seconds elsewhere', () => {
    const { texts, screen, pass } = written(false);
    for (let second = 0; second < 11; second += 1) {
      screen.show([`after ${second}`, 'table']);
      pass(1_000);
    }
    screen.clear();
    expect(texts).toEqual(['after 0\n', 'after 5\n', 'after 10\n']);
  });

  it('is told in columns and bars', () => {
    expect(
      tableLines([
        ['', 'sent'],
        ['modems', '7'],
        ['a', '12345'],
      ]),
    ).toEqual([...['         sent', 'modems      7', 'a       12345']]);
    expect(progressBar(0.5)).toBe('██████████··········');
    expect([progressBar(-1), progressBar(7)]).toEqual(['·'.repeat(20), '█'.repeat(20)]);
  });
});
