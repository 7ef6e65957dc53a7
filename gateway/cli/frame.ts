/** `fieldgate frame HEX`: a LoRaWAN frame as a person reads it. */
import { Command, InvalidArgumentError } from 'commander';
import { parseFrame } from '../lorawan/frame.ts';
import type { MacCommand } from '../lorawan/mac-commands.ts';
import { type FrameKeys, frameKeyNames, keysOf, readFrameKeys } from './frame-keys.ts';
import { type FrameReading, readFrame } from './frame-reading.ts';
import { plainWords } from './plain-words.ts';

interface FrameOptions extends Readonly<Record<string, unknown>> {
  readonly keys?: string;
  readonly fCnt?: number;
  readonly json?: boolean;
}

/** Exit codes: 0 read, 1 no frame or its MIC does not fit the keys, 2 the words are wrong. */
export function frameCommand(): Command {
  const command = new Command('frame')
    .argument('<frame>', 'PHYPayload in hex or base64', parseBytes)
    .option('--keys <file>', 'YAML or JSON with nwkSKey, appSKey and their like')
    .option('--f-cnt <number>', 'the 32-bit counter, where it is known', parseCounter)
    .option('--json', 'print JSON');
  for (const name of frameKeyNames) {
    const flag = name.replace(/[A-Z]+/g, (letters) => `-${letters.toLowerCase()}`);
    // Commander would spell the names otherwise than the rest of the program does.
    command.option(`--${flag} <hex>`, `${name}; others may read the command line: prefer --keys`);
  }
  return command.action((bytes: Buffer, options: FrameOptions) => show(bytes, options));
}

function parseBytes(text: string): Buffer {
  const digits = text.replace(/[\s:-]/g, '');
  if (/^([0-9a-fA-F]{2})+$/.test(digits)) return Buffer.from(digits, 'hex');
  if (/^[A-Za-z0-9+/]+={0,2}$/.test(text) && text.length % 4 === 0) {
    return Buffer.from(text, 'base64');
  }
  throw new InvalidArgumentError('pairs of hex digits or base64, please');
}

function parseCounter(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 0 && value <= 0xffff_ffff) return value;
  throw new InvalidArgumentError('0 to 4294967295');
}

function show(bytes: Buffer, options: FrameOptions): void {
  const keys = collectKeys(options);
  if (keys === undefined) return;
  const frame = parseFrame(bytes);
  if (frame.kind === 'fault') {
    process.stderr.write(`fieldgate: ${frame.detail}\n`);
    process.exitCode = 1;
    return;
  }
  const reading = readFrame(frame, keys, options.fCnt);
  const text = options.json === true ? JSON.stringify(reading) : linesOf(reading).join('\n');
  process.stdout.write(`${text}\n`);
  if (reading.micVerdict === 'wrong') process.exitCode = 1;
}

function collectKeys(options: FrameOptions): FrameKeys | undefined {
  try {
    const named = frameKeyNames.map((name) => [name, options[camelCase(name)]]);
    const given = keysOf(Object.fromEntries(named), 'the command line');
    return { ...(options.keys === undefined ? {} : readFrameKeys(options.keys)), ...given };
  } catch (error) {
    process.stderr.write(`fieldgate: ${plainWords(error)}\n`);
    process.exitCode = 2;
    return undefined;
  }
}

/** Commander's name of an option. */
function camelCase(name: string): string {
  const flag = name.replace(/[A-Z]+/g, (letters) => `-${letters.toLowerCase()}`);
  return flag.replace(/-(.)/g, (_dash, letter: string) => letter.toUpperCase());
}

const verdicts = {
  fits: 'fits these keys',
  wrong: 'does not fit these keys',
  unchecked: 'not checked: its keys are not given',
};

function linesOf(reading: FrameReading): string[] {
  const { mType, size, fCtrl, fCnt16, fCnt, macCommands = [], micVerdict, joinAccept } = reading;
  const rows: (readonly [string, unknown])[] = [
    ...(
      ['devAddr', 'joinEui', 'devEui', 'devNonce', 'rejoinType', 'rjCount', 'netId'] as const
    ).map((name) => [name, reading[name]] as const),
    ['fCtrl', fCtrl && (flagsOf(fCtrl) || 'none')],
    ['fCnt', fCnt16 === undefined ? undefined : `${fCnt ?? fCnt16}${counterNote(fCnt)}`],
    ['fPort', reading.fPort],
    ['payload', payloadText(reading)],
    ...macCommands.map((command) => ['MAC', commandText(command)] as const),
    ...Object.entries(joinAccept ?? {}),
    ['MIC', `${reading.mic === undefined ? '' : `${reading.mic}, `}${verdicts[micVerdict]}`],
  ];
  const shown = rows.filter(([, value]) => value !== undefined);
  return [
    `${mType}, ${size} bytes`,
    ...shown.map(([name, value]) => `  ${name.padEnd(14)} ${String(value)}`),
  ];
}

const counterNote = (fCnt: number | undefined): string =>
  fCnt === undefined ? ' (16 bits of it)' : '';

function flagsOf(fCtrl: NonNullable<FrameReading['fCtrl']>): string {
  const set = Object.entries(fCtrl).filter(([, isSet]) => isSet);
  return set.map(([name]) => name).join(' ');
}

function payloadText({ payloadSize, payload }: FrameReading): string | undefined {
  if (payloadSize === undefined || payloadSize === 0) return undefined;
  return payload === undefined ? `${payloadSize} bytes, encrypted` : `${payload} (in clear)`;
}

function commandText({ name, fields }: MacCommand): string {
  const words = Object.entries(fields).map(([field, value]) => `${field}=${value}`);
  return [name, ...words].join(' ');
}
