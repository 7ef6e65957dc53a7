/** The end of every recording: filter, anonymise, write, say how far it is. */
import { once } from 'node:events';
import type { Command } from 'commander';
import { type Anonymise, createAnonymise } from '../../simulators/capture/anonymise.ts';
import { createCaptureFile } from '../../simulators/capture/file-writer.ts';
import { type Filter, FilterUnreadable, parseFilters } from '../../simulators/capture/filter.ts';
import {
  type CapturedMessage,
  type CaptureHeader,
  CaptureUnreadable,
  messageLine,
} from '../../simulators/capture/message.ts';
import { systemClock } from '../model/clock.ts';
import { readInputText } from './input-file.ts';

export interface RecordOptions {
  readonly out?: string;
  readonly filter?: readonly string[];
  readonly anonymise?: string;
  readonly for?: number;
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

/** Options that every kind of recording has. */
export function withRecordOptions(command: Command): Command {
  return command
    .option('-o, --out <file>', 'capture file to make; packed when its name ends in .gz')
    .option('--filter <key=value>', 'only these messages; may be given several times', collect)
    .option('--anonymise <file>', 'put other names for ids, keys and places, by the secret in it')
    .option('--dry-run', 'print the messages and write no file')
    .option('--json', 'end with a line of JSON');
}

export function collect(value: string, before: readonly string[] = []): string[] {
  return [...before, value];
}

export interface Recording {
  readonly source: string;
  readonly messages: AsyncIterable<CapturedMessage> | Iterable<CapturedMessage>;
}

const secretLengthMin = 16;

/** Exit codes: 0 written, 1 it could not go on, 2 the words are wrong. */
export async function record(recording: Recording, options: RecordOptions): Promise<void> {
  if ((options.out === undefined) === (options.dryRun !== true)) {
    return refuse('give either --out FILE or --dry-run');
  }
  try {
    const filter = parseFilters(options.filter ?? []);
    const anonymise = anonymiseBy(options.anonymise);
    await write(recording, options, { filter, anonymise });
  } catch (error) {
    if (error instanceof FilterUnreadable) return refuse(error.message);
    if (!(error instanceof CaptureUnreadable)) throw error;
    process.stderr.write(`fieldgate: ${error.message}\n`);
    process.exitCode = 1;
  }
}

function refuse(sentence: string): void {
  process.stderr.write(`fieldgate: ${sentence}\n`);
  process.exitCode = 2;
}

function anonymiseBy(file: string | undefined): Anonymise | undefined {
  if (file === undefined) return undefined;
  const secret = readInputText(file).trim();
  if (secret.length >= secretLengthMin) return createAnonymise(secret);
  throw new FilterUnreadable(`the secret in ${file} is shorter than ${secretLengthMin} characters`);
}

interface Changes {
  readonly filter: Filter;
  readonly anonymise: Anonymise | undefined;
}

async function write(
  { source, messages }: Recording,
  options: RecordOptions,
  { filter, anonymise }: Changes,
): Promise<void> {
  const header: CaptureHeader = {
    ...{ created: new Date(systemClock.now()).toISOString(), source },
    ...(anonymise === undefined ? {} : { isAnonymised: true }),
  };
  const sink = await openSink(options, header);
  const counts = { recorded: 0, filtered: 0, leftOut: 0 };
  const progress = createProgress(() => `recorded ${counts.recorded} messages`);
  try {
    for await (const message of messages) {
      if (!filter(message)) {
        counts.filtered += 1;
        continue;
      }
      const kept = anonymise === undefined ? message : anonymise(message);
      if (kept === undefined) {
        counts.leftOut += 1;
        continue;
      }
      await sink.add(kept);
      counts.recorded += 1;
    }
  } finally {
    await sink.close();
    progress.clear();
  }
  if (options.json === true) process.stdout.write(`${JSON.stringify(counts)}\n`);
  else {
    const left = counts.leftOut === 0 ? '' : `, ${counts.leftOut} left out as unreadable`;
    process.stderr.write(`recorded ${counts.recorded}, filtered ${counts.filtered}${left}\n`);
  }
}

async function openSink({ out }: RecordOptions, header: CaptureHeader) {
  if (out !== undefined) return createCaptureFile(out, header);
  return {
    async add(message: CapturedMessage) {
      if (!process.stdout.write(`${messageLine(message)}\n`)) await once(process.stdout, 'drain');
    },
    close: async () => undefined,
  };
}

const progressPeriodMs = 250;

/** On a terminal only: logs and pipes want no moving line. */
export function createProgress(line: () => string): { clear(): void } {
  if (process.stderr.isTTY !== true) return { clear: () => undefined };
  const show = (text: string) => process.stderr.write(`\r\u001b[K${text}`);
  const timer = setInterval(() => {
    const width = (process.stderr.columns ?? 80) - 1;
    show(line().slice(0, width));
  }, progressPeriodMs);
  return {
    clear() {
      clearInterval(timer);
      show('');
    },
  };
}
