/**
 * What a message that nobody could read looks like, so that its operator need not guess.
 * A look at the first bytes for words that only one format has: cheap, and only a hint. The words
 * found are never repeated, since the hint goes into a fault's detail.
 */
import { isUtf8 } from 'node:buffer';
import { type Fault, fault } from '../model/fault.ts';

const looksMax = 4_096;

interface Form {
  readonly name: string;
  /** As the configuration names it. */
  readonly adapter: string;
  readonly words: readonly string[];
}

/** First match wins: what has the more peculiar words comes first. */
const forms: readonly Form[] = [
  form('The Things Stack v3', 'the-things-stack-v3-json', '"end_device_ids"'),
  form('ChirpStack v4', 'chirpstack-v4-json', '"deviceInfo"', '"devEui"'),
  form('Actility ThingPark', 'thingpark', '"DevEUI_'),
  form('Actility ThingPark in XML', 'thingpark', '<DevEUI_'),
  form('Kerlink Wanesy', 'kerlink-wanesy', '"endDevice"', '"devEui"'),
  form('a Helium console', 'helium-console', '"hotspots"', '"dev_eui"'),
  form('LORIOT', 'loriot', '"cmd"', '"EUI"'),
  form('a Basics Station', 'basic-station', '"msgtype"'),
  form('a Semtech packet forwarder', 'semtech-udp', '"rxpk"'),
  form('a ChirpStack Gateway Bridge', 'chirpstack-gateway-bridge-json', '"phyPayload"'),
  form('MultiTech', 'multitech', '"deveui"'),
  form('Senet', 'senet', '"devEui"', '"pdu"'),
  form('a Milesight gateway', 'milesight-gateway', '"devEUI"', '"mac"'),
  form('ChirpStack v3', 'chirpstack-v3-json', '"devEUI"', '"applicationID"'),
];

function form(name: string, adapter: string, ...words: string[]): Form {
  return { name, adapter, words };
}

/** A clause for a fault's detail; undefined when it looks like nothing that is known. */
export function hintOf(body: Buffer): string | undefined {
  const start = body.toString('latin1', 0, looksMax);
  const found = formIn(start);
  if (found !== undefined) {
    return `looks like ${found.name}: route it to ${found.adapter} with ingest.routes`;
  }
  if (/^\s*[[{]/.test(start)) {
    return 'it is JSON of no network server known here: a mapping in ingest.mappings can read it';
  }
  return undefined;
}

function formIn(start: string): Form | undefined {
  return forms.find(({ words }) => words.every((word) => start.includes(word)));
}

/** The adapters that read more than the form named like them. */
const wider: Readonly<Record<string, readonly string[]>> = {
  'chirpstack-json': ['chirpstack-v4-json', 'chirpstack-v3-json'],
};

/** Those that read protobuf as well: bytes that are no text may be a broken one. */
const alsoBinary = new Set(['chirpstack-json', 'chirpstack-gateway-bridge-json', 'modem-json']);

/** It names no word of its own, but text that is not even JSON is none of it. */
const readsAnyJson = 'modem-json';

/**
 * The fault of a message that its adapter could not read: INBOUND_UNRECOGNISED with a hint where
 * the body is not of the adapter's form at all, and the adapter's own word for it where it is but
 * is broken. What a mapping describes is known to its operator alone, so that only a body that is
 * plainly somebody else's is unrecognised there.
 */
export function unreadable(malformed: Fault, adapter: string, body: Buffer): Fault {
  if (malformed.code !== 'INBOUND_MALFORMED') return malformed;
  const hint = strangeness(adapter, body);
  if (hint === undefined) return malformed;
  return fault('INBOUND_UNRECOGNISED', `${malformed.detail}; ${hint}`);
}

function strangeness(adapter: string, body: Buffer): string | undefined {
  const own = wider[adapter] ?? [adapter];
  const found = formIn(body.toString('latin1', 0, looksMax));
  if (found !== undefined) {
    return own.includes(found.adapter)
      ? undefined
      : `looks like ${found.name}, which the adapter ${found.adapter} reads`;
  }
  const words = forms.filter((each) => own.includes(each.adapter)).flatMap((each) => each.words);
  if (words.length === 0 && adapter !== readsAnyJson) return undefined;
  switch (outlineOf(body)) {
    case 'text':
      return `it is text that ${adapter} does not read`;
    case 'bytes':
      return alsoBinary.has(adapter) ? undefined : `it is bytes that ${adapter} does not read`;
    case 'document':
      return words.length === 0 || hasOne(words, body)
        ? undefined
        : `it has no field of ${adapter}: a mapping in ingest.mappings can read it`;
    case 'fragment':
      return undefined;
  }
}

/** Looked for in all of it, for a message may have a long beginning; a fault is rare. */
function hasOne(words: readonly string[], body: Buffer): boolean {
  return words.some((word) => body.includes(word, 0, 'latin1'));
}

/**
 * A document is JSON or XML by its first and last byte; a fragment was cut off or is empty, and
 * so may have been of any form.
 */
function outlineOf(body: Buffer): 'document' | 'fragment' | 'text' | 'bytes' {
  const ends = `${body.toString('latin1', 0, 64).trimStart().slice(0, 1)}${body
    .toString('latin1', Math.max(0, body.length - 64))
    .trimEnd()
    .slice(-1)}`;
  if (/^(?:\{\}|\[\]|<>)$/.test(ends)) return 'document';
  if (ends === '' || /^[{[<]/.test(ends)) return 'fragment';
  return /^[\x20-\x7e]/.test(ends) && isUtf8(body) ? 'text' : 'bytes';
}
