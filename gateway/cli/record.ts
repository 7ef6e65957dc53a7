/**
 * `fieldgate record`: takes what passes, or what has passed, into a capture file. docs/captures.md
 * describes the file and each source.
 */
import { readFile, stat, writeFile } from 'node:fs/promises';
import { Command, InvalidArgumentError, Option } from 'commander';
import { importCsv } from '../../simulators/capture/import-csv.ts';
import { importSet, readTable, setNames } from '../../simulators/capture/import-sets.ts';
import { type CapturedMessage, CaptureUnreadable } from '../../simulators/capture/message.ts';
import { pcapBytesMax } from '../../simulators/capture/pcap.ts';
import { listenToMqtt } from '../../simulators/capture/record-mqtt.ts';
import { semtechMessages } from '../../simulators/capture/record-pcap.ts';
import { readAccounts } from '../../simulators/capture/replay-settings.ts';
import { baseOf, tokenOf } from './gateway-client.ts';
import { assertInputDirectory, assertInputFile } from './input-file.ts';
import { apiMessages, dataDirectoryMessages } from './record-ledger.ts';
import { collect, type RecordOptions, record, withRecordOptions } from './record-output.ts';
import { WordsRefused } from './words-refused.ts';

export function recordCommand(): Command {
  const command = new Command('record');
  for (const source of [ledgerCommand(), apiCommand(), mqttCommand(), pcapCommand()]) {
    command.addCommand(withRecordOptions(source));
  }
  return command
    .addCommand(withRecordOptions(csvCommand()))
    .addCommand(withRecordOptions(setCommand()));
}

interface LedgerOptions extends RecordOptions {
  readonly after: number;
  readonly follow?: boolean;
}

function ledgerCommand(): Command {
  return new Command('ledger')
    .description('from a data directory; it is only read, and a gateway may be using it')
    .argument('<directory>', 'dataDir of the gateway')
    .option('--after <seq>', 'only what the ledger has after this number', wholeNumber, 0)
    .option('--follow', 'go on with what comes, until Ctrl-C')
    .action((directory: string, options: LedgerOptions) => {
      assertInputDirectory(directory);
      const messages = dataDirectoryMessages(directory, ledgerWish(options));
      return record({ source: 'ledger', messages }, options);
    });
}

function ledgerWish({ after, follow }: LedgerOptions) {
  return { after, follow: follow === true, signal: interruption() };
}

function apiCommand(): Command {
  return new Command('api')
    .description('from the ledger of a running gateway, through its HTTP API')
    .argument('<url>', 'http://host:port')
    .requiredOption('--token-file <file>', 'bearer token of a viewer')
    .option('--after <seq>', 'only what the ledger has after this number', wholeNumber, 0)
    .option('--follow', 'go on with what comes, until Ctrl-C')
    .action(async (url: string, options: LedgerOptions & { tokenFile: string }) => {
      const address = { base: baseOf('<url>', url), token: tokenOf(options.tokenFile) };
      const messages = apiMessages(address, ledgerWish(options));
      await record({ source: 'api', messages }, options);
    });
}

interface MqttOptions extends RecordOptions {
  readonly topic: readonly string[];
  readonly accounts?: string;
  readonly clientId: string;
}

function mqttCommand(): Command {
  return new Command('mqtt')
    .description('by listening at any broker as an MQTT client, until Ctrl-C')
    .argument('<url>', 'mqtt://host:port or mqtts://host:port')
    .requiredOption('--topic <filter>', 'topic filter; may be given several times', collect)
    .option('--accounts <file>', 'YAML file whose `default` has username and password')
    .option('--client-id <id>', 'as which the broker sees it', `fieldgate-record-${process.pid}`)
    .option('--for <seconds>', 'end by itself', wholeNumber)
    .action(recordMqtt);
}

/** What came and is not written yet; the broker is told to wait at the first. */
async function recordMqtt(url: string, options: MqttOptions): Promise<void> {
  const accounts =
    options.accounts === undefined ? undefined : await readAccounts(options.accounts);
  const { username, password = '' } = accounts?.of(undefined) ?? {};
  const queue = createHandover();
  const listener = await listenToMqtt({
    ...{ url, clientId: options.clientId, topics: options.topic, take: queue.put },
    account: username === undefined ? undefined : { username, password },
    onLost: () => process.stderr.write('the connection is lost: what passes now is missed\n'),
  });
  interruption(options.for).addEventListener('abort', () => {
    void listener.close().then(queue.end);
  });
  await record({ source: 'mqtt', messages: queue.messages() }, options);
}

/** One message changes hands at a time, so that nothing piles up. */
function createHandover() {
  const waiting: { message: CapturedMessage; taken: () => void }[] = [];
  let isEnded = false;
  let wake: () => void = () => undefined;
  return {
    put: (message: CapturedMessage) =>
      new Promise<void>((taken) => {
        waiting.push({ message, taken });
        wake();
      }),
    end() {
      isEnded = true;
      wake();
    },
    async *messages(): AsyncGenerator<CapturedMessage, void> {
      for (;;) {
        const next = waiting.shift();
        if (next !== undefined) {
          yield next.message;
          next.taken();
        } else if (isEnded) return;
        else {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
      }
    },
  };
}

function pcapCommand(): Command {
  return new Command('pcap')
    .description('the uplinks of Semtech packet forwarders in a pcap or pcapng file')
    .argument('<file>', 'as tcpdump or Wireshark writes it')
    .option('--port <number>', "the server's UDP port; any by default", wholeNumber)
    .action(async (file: string, options: RecordOptions & { port?: number }) => {
      assertInputFile(file);
      const { size } = await stat(file);
      if (size > pcapBytesMax) throw new CaptureUnreadable(`${file} is larger than 2 GB: cut it`);
      const counts = { incomplete: 0, others: 0 };
      const messages = semtechMessages(await readFile(file), counts, { port: options.port });
      await record({ source: 'pcap', messages }, options);
      if (counts.incomplete === 0) return;
      process.stderr.write(`${counts.incomplete} datagrams are incomplete and were left out\n`);
    });
}

interface CsvOptions extends RecordOptions {
  readonly device?: string;
  readonly deviceColumn?: string;
  readonly timeColumn: string;
  readonly zone: string;
  readonly field?: readonly string[];
}

function csvCommand(): Command {
  return new Command('csv')
    .description('from a table of measurements, as if modems had sent its rows')
    .argument('<file>', 'CSV, plain or packed with gzip; the first row has the names')
    .option('--device <id>', 'the device that measured it')
    .option('--device-column <name>', 'or the column that names it')
    .option(
      '--time-column <name>',
      'RFC 3339, local time, or epoch seconds or milliseconds',
      'time',
    )
    .option('--zone <name>', 'of local times, such as Asia/Baku', 'UTC')
    .option('--field <column=name>', 'send only these columns, under these names', collect)
    .action(async (file: string, options: CsvOptions) => {
      assertInputFile(file);
      const counts = { skipped: 0 };
      const { device, deviceColumn, timeColumn, zone } = options;
      const wish = {
        device,
        deviceColumn,
        timeColumn,
        zone,
        fields: fieldsOf(options.field ?? []),
      };
      const messages = importCsv(await readTable(file), wish, counts);
      await record({ source: 'csv', messages }, options);
      saySkipped(counts.skipped);
    });
}

function fieldsOf(pairs: readonly string[]): Record<string, { name: string }> | undefined {
  if (pairs.length === 0) return undefined;
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.lastIndexOf('=');
      const column = at === -1 ? pair : pair.slice(0, at);
      return [column, { name: pair.slice(at + 1) }];
    }),
  );
}

interface SetOptions extends RecordOptions {
  readonly start: string;
  readonly seed: string;
  readonly devicesOut?: string;
}

function setCommand(): Command {
  return new Command('set')
    .description(`from a public data set: ${setNames.join(', ')}`)
    .argument('<name>', 'of the set', parseSetName)
    .argument('<file>', 'as it was published or thinned out, plain or packed with gzip')
    .addOption(
      new Option('--start <time>', 'of a set without times').default('2026-01-01T00:00:00Z'),
    )
    .option('--seed <text>', 'of the keys that LoRaWAN frames are signed with', 'replay')
    .option('--devices-out <file>', 'write the devices with their keys, as `devices:` of a config')
    .action(async (set: string, file: string, options: SetOptions) => {
      assertInputFile(file);
      const start = Date.parse(options.start);
      if (Number.isNaN(start)) throw new WordsRefused('--start is no RFC 3339 time');
      const imported = await importSet({ set, file, start, seed: options.seed });
      await record({ source: set, messages: imported.messages }, options);
      saySkipped(imported.counts.skipped);
      if (options.devicesOut === undefined) return;
      const devices = imported.devices.map(({ nwkSKey, appSKey, ...device }) => ({
        ...{ ...device, kind: 'lorawan', activation: 'abp', keys: { nwkSKey, appSKey } },
      }));
      const text = `${JSON.stringify({ devices }, undefined, 2)}\n`;
      await writeFile(options.devicesOut, text, { mode: 0o600, flag: 'wx' });
    });
}

function saySkipped(rows: number): void {
  if (rows > 0) process.stderr.write(`${rows} rows have no time, device or value\n`);
}

function parseSetName(text: string): string {
  if (setNames.includes(text)) return text;
  throw new InvalidArgumentError(`one of ${setNames.join(', ')}`);
}

export function wholeNumber(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('a whole number, 0 or more');
}

/** Aborts on Ctrl-C, at the wish of a service manager, or after so many seconds. */
export function interruption(seconds?: number): AbortSignal {
  const controller = new AbortController();
  const abort = () => controller.abort();
  process.once('SIGINT', abort);
  process.once('SIGTERM', abort);
  if (seconds !== undefined) setTimeout(abort, seconds * 1_000).unref();
  return controller.signal;
}
