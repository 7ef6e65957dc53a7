/**
 * Finds the points that an InfluxDB will not take, by the lines in which they were sent, so that
 * all the others are stored.
 */
import type { OnRejected, RejectedRecord } from '../admission.ts';
import { decodeName, quantityOfQualityField, unescapeKey } from './names.ts';
import { type InfluxServer, PointsRefused } from './server.ts';

export interface Target {
  readonly server: Pick<InfluxServer, 'post'>;
  readonly onRejected: OnRejected;
}

/**
 * Halves refused lines until the wrong points stand alone, then takes a point apart into its
 * readings; all else is stored. Of n points with one wrong this takes about 2 log2 n requests.
 */
export async function dropRefused(
  lines: readonly string[],
  { message }: PointsRefused,
  target: Target,
): Promise<void> {
  const expired = findExpired(lines, message);
  const parts = expired === undefined ? split(lines) : [];
  if (parts.length === 0) target.onRejected((expired ?? lines).map(recordOf), message);
  for (const part of parts) {
    try {
      await target.server.post(part.join(''));
    } catch (error) {
      if (!(error instanceof PointsRefused)) throw error;
      await dropRefused(part, error, target);
    }
  }
}

/** Of a policy's expired points the server tells the number only, but they are the oldest ones. */
function findExpired(lines: readonly string[], reason: string): readonly string[] | undefined {
  const dropped = /beyond retention policy dropped=(\d+)/.exec(reason)?.[1];
  if (dropped === undefined) return undefined;
  const byTime = lines.toSorted((a, b) => partsOf(a).time - partsOf(b).time);
  return byTime.slice(0, Number(dropped));
}

/** Empty for what cannot be taken apart any more. */
function split(lines: readonly string[]): readonly (readonly string[])[] {
  if (lines.length > 1) {
    const middle = lines.length >> 1;
    return [lines.slice(0, middle), lines.slice(middle)];
  }
  const [line] = lines;
  const readings = line === undefined ? [] : readingsOf(partsOf(line));
  return readings.length < 2 ? [] : readings.map((reading) => [reading]);
}

interface Parts {
  readonly head: string;
  readonly fields: readonly string[];
  readonly time: number;
}

/** Measurement and tags end at the first blank that is not escaped, the time is the last word. */
const lineForm = /^((?:\\.|[^\\ ])*) (.*) (\d+)\n$/s;
const fieldForm = /(?:\\.|[^\\=])+=(?:"(?:\\.|[^"\\])*"|[^,]*)(?:,|$)/gs;

function partsOf(line: string): Parts {
  const [, head = '', all = '', time] = lineForm.exec(line) ?? [];
  const fields = (all.match(fieldForm) ?? []).map((field) => field.replace(/,$/, ''));
  return { head, fields, time: Number(time) };
}

/** What goes with every reading of a point: `seq` and `vouched_by`; see points.ts. */
const sharedFields = 2;

/** A line for each value with its flag; a link sample has no such pairs. */
function readingsOf({ head, fields, time }: Parts): string[] {
  if (!head.startsWith('telemetry')) return [];
  const shared = fields.slice(-sharedFields);
  const own = fields.slice(0, -sharedFields);
  return own.flatMap((value, place) => {
    const flag = own[place + 1];
    if (place % 2 === 1 || flag === undefined) return [];
    return [`${head} ${[value, flag, ...shared].join(',')} ${time}\n`];
  });
}

function recordOf(line: string): RejectedRecord {
  const { head, fields, time } = partsOf(line);
  const gateway = tagOf(head, 'gateway');
  const name = gateway === '' ? quantityOf(fields[1]) : gateway;
  return { device: tagOf(head, 'device'), name, time };
}

function tagOf(head: string, name: string): string {
  const tag = new RegExp(`(?<!\\\\),${name}=((?:\\\\.|[^\\\\,])*)`).exec(head)?.[1] ?? '';
  return decodeName(unescapeKey(tag));
}

/** By the field of its flag, which a number and a text have alike. */
function quantityOf(flag = ''): string {
  const field = unescapeKey(flag.slice(0, flag.lastIndexOf('=')));
  return quantityOfQualityField(field) ?? field;
}
