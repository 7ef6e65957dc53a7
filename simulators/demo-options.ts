/** The options of `npm run demo -- …`, read from the command line. */
import { Command, InvalidArgumentError, Option } from 'commander';
import { parseDuration } from './duration.ts';
import { devicesMax, type Networks } from './scenario.ts';

export interface DemoOptions {
  readonly port: number;
  /** 0 picks a free one. */
  readonly mqttPort: number;
  readonly devices: number;
  /** Devices that join over the air, beside the city. */
  readonly joining: number;
  readonly networks: Networks;
  readonly seed: string;
  readonly open: boolean;
  /** Ends by itself after this time; absent: runs until Ctrl-C. */
  readonly forMs?: number;
  /** Kept after the run; absent: a temporary directory that is removed. */
  readonly dataDir?: string;
  readonly backfillHours: number;
  readonly intervalMs: number;
}

/** Throws commander's CommanderError on wrong options and, with exit code 0, after `--help`. */
export function parseDemoOptions(args: readonly string[]): DemoOptions {
  const command = new Command('npm run demo --')
    .description('Starts the gateway with a simulated city of sensors and shows the dashboard.')
    .option('--port <number>', 'port of the dashboard and the API; 0 picks a free one', port, 8080)
    .option('--mqtt-port <number>', 'port of the MQTT broker; 0 picks a free one', port, 0)
    .option('--devices <number>', `size of the city, 1 to ${devicesMax}`, devices, 60)
    .option('--joining <number>', 'LoRaWAN devices that join, beside it; 0 to 1000', joining, 6)
    .addOption(
      new Option('--networks <which>', 'every: also ChirpStack v3, ThingPark, LORIOT, HTTP, CoAP')
        .choices(['usual', 'every'])
        .default('usual'),
    )
    .option('--seed <text>', 'the same seed draws the same city', 'baku')
    .option('--for <duration>', 'end by itself after 30s, 5m, 1h …', duration)
    .option('--data <dir>', 'keep everything in this directory for the next run')
    .option('--backfill <hours>', 'history sent before the live part, 0 to 720', hours, 24)
    .addOption(
      new Option('--interval <duration>', 'mean time between uplinks of a device')
        .argParser(duration)
        .default(5_000, '5s'),
    )
    .option('--no-open', 'do not open a browser')
    .allowExcessArguments(false)
    .exitOverride()
    .parse(args, { from: 'user' });
  return fromValues(command.opts());
}

interface Values {
  port: number;
  mqttPort: number;
  devices: number;
  joining: number;
  networks: Networks;
  seed: string;
  open: boolean;
  for?: number;
  data?: string;
  backfill: number;
  interval: number;
}

function fromValues(values: Values): DemoOptions {
  return {
    port: values.port,
    mqttPort: values.mqttPort,
    devices: values.devices,
    joining: values.joining,
    networks: values.networks,
    seed: values.seed,
    open: values.open,
    backfillHours: values.backfill,
    intervalMs: values.interval,
    ...(values.for === undefined ? {} : { forMs: values.for }),
    ...(values.data === undefined ? {} : { dataDir: values.data }),
  };
}

function port(text: string): number {
  return wholeNumber(text, 0, 65_535);
}

function devices(text: string): number {
  return wholeNumber(text, 1, devicesMax);
}

function joining(text: string): number {
  return wholeNumber(text, 0, 1_000);
}

function hours(text: string): number {
  return wholeNumber(text, 0, 720);
}

function wholeNumber(text: string, low: number, high: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= low && value <= high) return value;
  throw new InvalidArgumentError(`Give a whole number from ${low} to ${high}.`);
}

/** Timers of Node.js do not reach further. */
const durationMsMax = 2 ** 31 - 1;

/** `30s` → 30 000 */
function duration(text: string): number {
  const milliseconds = Math.round(parseDuration(text) ?? Number.NaN);
  if (milliseconds > 0 && milliseconds <= durationMsMax) return milliseconds;
  throw new InvalidArgumentError('Give a number and a unit: 500ms, 30s, 5m or 1h.');
}
