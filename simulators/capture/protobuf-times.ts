/**
 * Moves the times within ChirpStack's protobuf messages, where its published definitions have them
 * (integration.proto of v3 and v4, gw.proto): google.protobuf.Timestamp, whose seconds are written
 * over in place, since all those of this century take five bytes.
 */
import type { CapturedMessage } from './message.ts';

/** Field numbers from the outside in. */
type Path = readonly number[];

const version4Paths = new Map<string, readonly Path[]>([
  ['up', [[2], [12, 3], [12, 17]]],
  ['log', [[1]]],
  ...['join', 'status', 'ack', 'txack', 'location', 'integration'].map(
    (event) => [event, [[2]]] as const,
  ),
]);

const version3Paths = new Map<string, readonly Path[]>([
  ['up', [[16], [5, 2]]],
  ['join', [[10], [6, 2]]],
  ['ack', [[8]]],
  ['status', [[10]]],
  ...['txack', 'error', 'location', 'integration'].map((event) => [event, [[9]]] as const),
]);

/** Frames as both versions write them; statistics; what a mesh relays. */
const gatewayPaths = new Map<string, readonly Path[]>([
  [
    'up',
    [
      [5, 3],
      [5, 17],
      [3, 2],
    ],
  ],
  ['stats', [[2]]],
  ['mesh', [[3]]],
]);

/** The body with its times moved; undefined when it is no such message. */
export function shiftProtobuf(message: CapturedMessage, seconds: number): Buffer | undefined {
  const paths = pathsOf(message);
  if (paths === undefined) return undefined;
  const body = Buffer.from(message.body);
  return shiftFields({ body, seconds }, { start: 0, end: body.length, paths }) ? body : undefined;
}

const gatewayTopic = /(?:^|\/)gateway\/[^/]+\/event\/([a-z]+)$/;
const deviceRoute = /(?:(?:^|\/)device\/[^/]+\/event\/|^\/ingest\/[^/?]+\?event=)([a-z]+)$/;
/** JSON begins so; as keys of fields these bytes would be of the group type, which is long gone. */
const jsonStart = /^\s*[{[]/;

function pathsOf({ route, body }: CapturedMessage): readonly Path[] | undefined {
  if (jsonStart.test(body.toString('latin1', 0, 100))) return undefined;
  const gatewayEvent = gatewayTopic.exec(route)?.[1];
  if (gatewayEvent !== undefined) return gatewayPaths.get(gatewayEvent);
  const event = deviceRoute.exec(route)?.[1] ?? '';
  return (isVersion3(body) ? version3Paths : version4Paths).get(event);
}

/** Field 1 is the application's number there; in version 4 only a `txack` begins with a number. */
function isVersion3(body: Buffer): boolean {
  if (body[0] !== 0x08) return false;
  for (const { field, start, end } of fieldsOf(body, 0, body.length) ?? []) {
    if (field === devEuiField) return end - start === 8;
  }
  return false;
}

const devEuiField = 4;

interface Field {
  readonly field: number;
  readonly isDelimited: boolean;
  /** Of the value, without key and length. */
  readonly start: number;
  readonly end: number;
}

/** Undefined when the bytes are no message. */
function fieldsOf(body: Buffer, from: number, to: number): Field[] | undefined {
  const fields: Field[] = [];
  let at = from;
  while (at < to) {
    const key = readVarint(body, at, to);
    if (key === undefined || key.value < 8) return undefined;
    const wireType = key.value % 8;
    const length = wireType === 2 ? readVarint(body, key.end, to) : undefined;
    const start = length?.end ?? key.end;
    const end = endOf(body, { wireType, start, to, length: length?.value });
    if (end === undefined || end > to) return undefined;
    fields.push({ field: Math.floor(key.value / 8), isDelimited: wireType === 2, start, end });
    at = end;
  }
  return fields;
}

interface Value {
  readonly wireType: number;
  readonly start: number;
  readonly to: number;
  readonly length: number | undefined;
}

/** Protocol Buffers, "Encoding": varint, 64 bits, delimited, 32 bits. */
function endOf(body: Buffer, { wireType, start, to, length }: Value): number | undefined {
  switch (wireType) {
    case 0:
      return readVarint(body, start, to)?.end;
    case 1:
      return start + 8;
    case 2:
      return length === undefined ? undefined : start + length;
    case 5:
      return start + 4;
    default:
      return undefined;
  }
}

const varintBytesMax = 10;

/** Large ones lose their lowest bits, which is no loss for keys, lengths and seconds. */
function readVarint(
  body: Buffer,
  at: number,
  to: number,
): { value: number; end: number } | undefined {
  let value = 0;
  for (let index = 0; index < varintBytesMax && at + index < to; index += 1) {
    const byte = body[at + index] ?? 0;
    value += (byte % 128) * 128 ** index;
    if (byte < 128) return { value, end: at + index + 1 };
  }
  return undefined;
}

interface Shift {
  readonly body: Buffer;
  readonly seconds: number;
}

interface Part {
  readonly start: number;
  readonly end: number;
  readonly paths: readonly Path[];
}

/** False when the bytes are no message. */
function shiftFields(shift: Shift, { start, end, paths }: Part): boolean {
  const fields = fieldsOf(shift.body, start, end);
  return (
    fields?.every((field) => {
      const inner = paths.filter(([first]) => first === field.field).map(([, ...rest]) => rest);
      if (inner.length === 0) return true;
      if (!field.isDelimited) return false;
      const isTime = inner.some(({ length }) => length === 0);
      return isTime ? shiftTimestamp(shift, field) : shiftFields(shift, { ...field, paths: inner });
    }) === true
  );
}

const secondsField = 1;

/** A time that is not told stays so; one that would take another number of bytes stays, too. */
function shiftTimestamp({ body, seconds }: Shift, { start, end }: Field): boolean {
  const fields = fieldsOf(body, start, end);
  const known = fields?.find(({ field, isDelimited }) => field === secondsField && !isDelimited);
  if (known === undefined) return fields !== undefined;
  const moved = (readVarint(body, known.start, known.end)?.value ?? 0) + seconds;
  const length = known.end - known.start;
  if (moved < 128 ** (length - 1) || moved >= 128 ** length) return true;
  for (let index = 0, rest = moved; index < length; index += 1, rest = Math.floor(rest / 128)) {
    body[known.start + index] = (rest % 128) + (index === length - 1 ? 0 : 128);
  }
  return true;
}
