/**
 * What a load knows it has sent and what was acknowledged, as a file that outlives it; docs/load.md
 * describes the lines. With it anybody can ask, later too, if a gateway has kept its word.
 */
import { once } from 'node:events';
import { createReadStream, createWriteStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { finished } from 'node:stream/promises';
import type { LoadMessage } from './load-message.ts';

const format = 'fieldgate-load-history';
const version = 1;

export interface HistoryHeader {
  readonly run: string;
  readonly seed: string;
  /** RFC 3339. */
  readonly started: string;
  /** The newest entry of the ledger before the first message. */
  readonly ledgerAfter: number;
}

export interface HistoryWriter {
  sent(message: LoadMessage): void;
  acknowledged(number: number, latencyMs: number): void;
  /** Resolves when everything is in the file; rejects when it could not be written. */
  close(): Promise<void>;
}

export interface SentMessage extends LoadMessage {
  isAcknowledged: boolean;
}

export interface History {
  readonly header: HistoryHeader;
  readonly messages: readonly SentMessage[];
}

/** The history cannot be read or written; the sentence is for the operator. */
export class HistoryUnreadable extends Error {
  readonly code = 'HISTORY_UNREADABLE';
}

const flushPeriodMs = 200;
/** Lines that a slow disk has not taken yet. */
const pendingBytesMax = 256_000_000;

/** Rejects when the file is there already: a history is not written over. */
export async function createHistoryFile(
  file: string,
  header: HistoryHeader,
): Promise<HistoryWriter> {
  const target = createWriteStream(file, { flags: 'wx', mode: 0o600 });
  await once(target, 'open');
  const done = finished(target);
  done.catch(() => undefined);
  let lines = `${JSON.stringify({ format, version, ...header })}\n`;
  const flush = (): void => {
    if (lines === '' || target.errored !== null) return;
    if (target.writableLength > pendingBytesMax) {
      target.destroy(new HistoryUnreadable(`the disk is too slow for ${file}`));
    } else {
      target.write(lines);
      lines = '';
    }
  };
  const timer = setInterval(flush, flushPeriodMs);
  return {
    sent({ number, device, fCnt, time, values }) {
      lines += `${JSON.stringify({ sent: number, device, fCnt, time, values })}\n`;
    },
    acknowledged(number, latencyMs) {
      lines += `{"acknowledged":${number},"ms":${latencyMs.toFixed(3)}}\n`;
    },
    async close() {
      clearInterval(timer);
      flush();
      target.end();
      await done;
    },
  };
}

/** Rejects with a HistoryUnreadable that names the line. */
export async function readHistory(file: string): Promise<History> {
  const input = createReadStream(file);
  await once(input, 'open');
  const messages = new Map<number, SentMessage>();
  let header: HistoryHeader | undefined;
  let place = 0;
  let broken: number | undefined;
  for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
    place += 1;
    if (broken !== undefined) throw unreadable(broken, 'is no JSON object');
    const fields = fieldsOf(line);
    if (fields === undefined) {
      // The last line of a load that was killed may be cut off; nothing may follow it.
      broken = place;
      continue;
    }
    if (header === undefined) header = headerOf(fields);
    else if (fields['acknowledged'] === undefined) {
      const message = messageOf(fields, place);
      messages.set(message.number, message);
    } else {
      const message = messages.get(Number(fields['acknowledged']));
      if (message === undefined) throw unreadable(place, 'acknowledges what was not sent');
      message.isAcknowledged = true;
    }
  }
  if (header === undefined) throw new HistoryUnreadable(`${file} is empty`);
  return { header, messages: [...messages.values()] };
}

type Fields = Readonly<Record<string, unknown>>;

function headerOf(fields: Fields): HistoryHeader {
  if (fields['format'] !== format) throw unreadable(1, 'this is not the history of a load');
  if (fields['version'] !== version) throw unreadable(1, `version ${version} is read here`);
  const [run, seed, started] = [fields['run'], fields['seed'], fields['started']];
  const ledgerAfter = fields['ledgerAfter'];
  if (
    typeof run !== 'string' ||
    typeof seed !== 'string' ||
    typeof started !== 'string' ||
    typeof ledgerAfter !== 'number'
  ) {
    throw unreadable(1, 'the header is not whole');
  }
  return { run, seed, started, ledgerAfter };
}

function messageOf(fields: Fields, place: number): SentMessage {
  const [number, device, fCnt] = [fields['sent'], fields['device'], fields['fCnt']];
  const [time, values] = [fields['time'], fields['values']];
  if (
    typeof number !== 'number' ||
    typeof device !== 'string' ||
    typeof fCnt !== 'number' ||
    typeof time !== 'number' ||
    typeof values !== 'object' ||
    values === null
  ) {
    throw unreadable(place, 'is neither a message nor an acknowledgement');
  }
  const numbers = Object.entries(values).map(([name, value]) => [name, Number(value)] as const);
  const own = { number, device, fCnt, time, values: Object.fromEntries(numbers) };
  return { ...own, isAcknowledged: false };
}

function fieldsOf(line: string): Fields | undefined {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value !== 'object' || value === null) return undefined;
    return Object.fromEntries(Object.entries(value));
  } catch {
    return undefined;
  }
}

function unreadable(place: number, detail: string): HistoryUnreadable {
  return new HistoryUnreadable(`line ${place} of the history ${detail}`);
}
