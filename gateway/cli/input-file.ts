/** Text files that the words of a command name: what cannot be read is said in a sentence. */
import { readFileSync, statSync } from 'node:fs';
import { WordsRefused } from './words-refused.ts';

const mebibyte = 1_048_576;
const usualBytesMax = 16 * mebibyte;

/** Pipes and `/dev/stdin` are files, too. One that is not there is the system's own error. */
export function assertInputFile(path: string): void {
  if (statSync(path).isDirectory()) throw new WordsRefused(`${path}: is a directory, not a file`);
}

export function assertInputDirectory(path: string): void {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) return;
  throw new WordsRefused(`${path} is no directory`);
}

/** Without the byte order mark that spreadsheets and editors put before it. */
export function readInputText(path: string, bytesMax = usualBytesMax): string {
  assertInputFile(path);
  if (statSync(path).size > bytesMax) {
    throw new Error(
      `${path}: is larger than ${bytesMax / mebibyte} MiB, which none of its kind is`,
    );
  }
  const bytes = readFileSync(path);
  const isUtf16 =
    (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff);
  if (isUtf16) throw new Error(`${path}: is written in UTF-16; save it as UTF-8`);
  if (bytes.includes(0)) throw new Error(`${path}: is not text`);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new Error(`${path}: is not written in UTF-8; save it as UTF-8`);
  }
}
