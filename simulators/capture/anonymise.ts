/**
 * Takes out of captured messages what leads to a device, a person or a place, and puts the same
 * other name in its place every time. What cannot be read is left out whole: bytes that are not
 * understood may hold anything. docs/captures.md lists what stays.
 */
import { bodyTextOf, isSemtech } from './body-text.ts';
import { changeFrames, isDataUplink } from './frame-signing.ts';
import { changeJson, type JsonValue } from './json-tokens.ts';
import type { CapturedMessage } from './message.ts';
import { createPseudonyms, type Pseudonyms } from './pseudonym.ts';

/** Undefined for a message that is left out. */
export type Anonymise = (message: CapturedMessage) => CapturedMessage | undefined;

export function createAnonymise(secret: string): Anonymise {
  const pseudonyms = createPseudonyms(secret);
  return (message) => {
    const known = knownNames(message);
    const framed = changeFrames(message, (frame) => otherAddress(frame, pseudonyms));
    const body = bodyTextOf(framed);
    const text = body && changeJson(body.text, (value) => changed(value, known, pseudonyms));
    if (body === undefined || text === undefined) return undefined;
    const { sender, device, ...rest } = framed;
    return {
      ...rest,
      route: otherRoute(message.route, pseudonyms),
      body: isSemtech(message) ? otherGateway(body.with(text), pseudonyms) : body.with(text),
      ...(sender === undefined ? {} : { sender: otherName(sender, pseudonyms) }),
      ...(device === undefined ? {} : { device: otherName(device, pseudonyms) }),
    };
  };
}

/** The frame no longer proves itself then; `replay --keys` signs it anew. */
function otherAddress(frame: Buffer, { devAddr, eui }: Pseudonyms): Buffer {
  const other = Buffer.from(frame);
  const swap = (start: number, bytes: number, name: (hex: string) => string): void => {
    const hex = Buffer.from(frame.subarray(start, start + bytes))
      .reverse()
      .toString('hex');
    Buffer.from(name(hex), 'hex').reverse().copy(other, start);
  };
  if (isDataUplink(frame)) swap(1, 4, devAddr);
  const isJoin = frame[0] === 0 && frame.length === 23;
  if (isJoin) swap(1, 8, eui);
  if (isJoin) swap(9, 8, eui);
  return other;
}

function otherGateway(datagram: Buffer, { eui }: Pseudonyms): Buffer {
  if (datagram.length < 12) return datagram;
  const gateway = Buffer.from(eui(datagram.toString('hex', 4, 12)), 'hex');
  return Buffer.concat([datagram.subarray(0, 4), gateway, datagram.subarray(12)]);
}

const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const eui = /^[0-9a-f]{16}$/i;
/** `aa-bb-…`, `aa:bb:…`: eight pairs with one kind of mark between them. */
const markedEui = /^[0-9a-f]{2}(?:([-:])[0-9a-f]{2})(?:\1[0-9a-f]{2}){6}$/i;

/** A name by its form; words that only look like a name are changed too. */
function otherName(text: string, pseudonyms: Pseudonyms): string {
  if (uuid.test(text)) return pseudonyms.uuid(text);
  if (eui.test(text)) return inCaseOf(text, pseudonyms.eui(text));
  const mark = markedEui.exec(text)?.[1];
  if (mark !== undefined) {
    const pairs = pseudonyms.eui(text.replaceAll(mark, '')).match(/../g) ?? [];
    return inCaseOf(text, pairs.join(mark));
  }
  const prefixed = /^(eui-)([0-9a-f]{16})$/.exec(text);
  if (prefixed !== null) return `eui-${pseudonyms.eui(prefixed[2] ?? '')}`;
  if (/^\d{14,20}$/.test(text)) return pseudonyms.digits(text);
  if (/^[0-9a-f]{32,64}$/i.test(text)) return inCaseOf(text, pseudonyms.hex(text));
  return pseudonyms.name(text);
}

function inCaseOf(text: string, hex: string): string {
  return /[A-F]/.test(text) ? hex.toUpperCase() : hex;
}

/** The words of the topics and paths that the adapters know; any other part is somebody's name. */
const routeWords = new Set(
  (
    'application device event up join status ack txack log location integration error down stats ' +
    'conn exec raw gateway state devices v1 v2 v3 me telemetry attributes rpc request response ' +
    'ingest semtech-udp eu868 as923 us915 ru864 eu433 in865 au915 kr920 cn470 command rx push ' +
    'uplink out spBv1.0 NBIRTH NDATA NDEATH DBIRTH DDATA DDEATH'
  ).split(' '),
);
const routeMarks = /([/@?&=])/;

function otherRoute(route: string, pseudonyms: Pseudonyms): string {
  return route
    .split(routeMarks)
    .map((part) => (isNamePart(part) ? otherName(part, pseudonyms) : part))
    .join('');
}

function isNamePart(part: string): boolean {
  return part !== '' && !routeMarks.test(part) && !routeWords.has(part);
}

const knownLengthMin = 4;

/** What this message is called by, so that it is found again within other texts. */
function knownNames({ route, sender, device }: CapturedMessage): string[] {
  const names = [...route.split(routeMarks).filter(isNamePart), sender ?? '', device ?? ''];
  const known = new Set(names.filter((name) => name.length >= knownLengthMin));
  return [...known].sort((left, right) => right.length - left.length);
}

const nameKey =
  /(?:name|_id|Id|eui|imei|imsi|iccid|msisdn|phone|serial|sn|mac|ssid|ip|email|user|bn|id)$/i;
const secretKey =
  /(?:key|token|password|secret|context|correlation_ids|location_?url|description)$/i;
const labels = new Set(['tags', 'labels', 'metadata', 'attributes', 'variables', 'tenant']);
const latitudeKey = /^(?:lat|latitude|lati)$/i;
const longitudeKey = /^(?:lon|lng|long|longitude)$/i;
const addressKey = /dev_?addr$/i;

function changed(
  { kind, key = '', path, text }: JsonValue,
  known: readonly string[],
  pseudonyms: Pseudonyms,
): string | undefined {
  if (latitudeKey.test(key) && isNumber(text)) return String(pseudonyms.latitude(Number(text)));
  if (longitudeKey.test(key) && isNumber(text)) return String(pseudonyms.longitude(Number(text)));
  const isLabelled = path.some((name) => name !== undefined && labels.has(name));
  if (kind === 'number') {
    return /^\d{14,20}$/.test(text) && nameKey.test(key) ? pseudonyms.digits(text) : undefined;
  }
  if (text === '') return undefined;
  if (addressKey.test(key)) return otherDevAddr(text, pseudonyms);
  if (secretKey.test(key)) return otherSecret(text, pseudonyms);
  const bytes = packedEui(text, key);
  if (bytes !== undefined) return Buffer.from(pseudonyms.eui(bytes), 'hex').toString('base64');
  const hasForm = uuid.test(text) || eui.test(text) || markedEui.test(text);
  if (hasForm || isLabelled || known.includes(text)) return otherName(text, pseudonyms);
  const place = known.find((name) => text.includes(name));
  if (place !== undefined) return text.replaceAll(place, otherName(place, pseudonyms));
  return nameKey.test(key) ? otherName(text, pseudonyms) : undefined;
}

function isNumber(text: string): boolean {
  return /^-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?$/.test(text);
}

/** ChirpStack v3 writes EUIs in base64. */
function packedEui(text: string, key: string): string | undefined {
  if (!/(?:eui|gateway_?id)$/i.test(key) || !/^[A-Za-z0-9+/]{11}=$/.test(text)) return undefined;
  return Buffer.from(text, 'base64').toString('hex');
}

function otherDevAddr(text: string, pseudonyms: Pseudonyms): string {
  if (/^[0-9a-f]{8}$/i.test(text)) return inCaseOf(text, pseudonyms.devAddr(text));
  if (!/^[A-Za-z0-9+/]{6}==$/.test(text)) return pseudonyms.name(text);
  const devAddr = Buffer.from(text, 'base64').toString('hex');
  return Buffer.from(pseudonyms.devAddr(devAddr), 'hex').toString('base64');
}

/** Of the same form and length where it is base64 or hex, so that parsers still take it. */
function otherSecret(text: string, pseudonyms: Pseudonyms): string {
  if (/^(?:[0-9a-f]{2})+$/i.test(text)) return inCaseOf(text, pseudonyms.hex(text));
  if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]+={0,2}$/.test(text)) return pseudonyms.name(text);
  const bytes = Buffer.from(text, 'base64').toString('hex');
  return Buffer.from(pseudonyms.hex(bytes), 'hex').toString('base64');
}
