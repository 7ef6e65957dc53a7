/** DevEUI, DevAddr and gateway identifiers in every spelling that network servers use. */
import { parseDevAddr, parseEui64 } from '../model/eui.ts';
import { decodeBase64 } from './base64.ts';
import type { Place } from './document.ts';
import { complain, readText } from './place.ts';

const eui64Bytes = 8;
const devAddrBytes = 4;

/** Hex with or without separators, or base64 as protobuf writes bytes in JSON. */
export function parseAnyEui(text: string): string | undefined {
  return parseEui64(text) ?? hexOfBase64(text, eui64Bytes);
}

export function readEui(place: Place, key: string): string | undefined {
  const text = readText(place, key);
  if (text === undefined || text === '') return undefined;
  return parseAnyEui(text) ?? complain(place, key, 'an EUI of 16 hex digits');
}

export function readDevAddr(place: Place, key: string): string | undefined {
  const text = readText(place, key);
  if (text === undefined || text === '') return undefined;
  const devAddr = parseDevAddr(text) ?? hexOfBase64(text, devAddrBytes);
  return devAddr ?? complain(place, key, '8 hex digits');
}

/** A gateway's EUI in canonical spelling; another name of it is kept as it is. */
export function readGatewayId(place: Place, key: string): string | undefined {
  const text = readText(place, key);
  if (text === undefined || text === '') return undefined;
  return parseAnyEui(text) ?? text;
}

function hexOfBase64(text: string, length: number): string | undefined {
  const bytes = decodeBase64(text);
  return bytes?.length === length ? bytes.toString('hex') : undefined;
}
