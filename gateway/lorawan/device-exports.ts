/**
 * Devices as network servers export them, in the words of a device here: ChirpStack's answers about
 * a device, its keys and its activation; The Things Stack's end devices as JSON or CSV; a row that
 * calls its device by the devEui; and the text of a device's QR code [TR005]. What is none of these
 * stays as it is, and device-input.ts says what is wrong with it.
 */

import { parseEui64 } from '../model/eui.ts';
import { deviceKeyNames } from './device-input.ts';
import { envelopeLabel, openEnvelope, withOpenKeys } from './key-envelope.ts';
import type { KekOf } from './key-wrap.ts';

type Fields = Readonly<Record<string, unknown>>;

/** Never throws. Keys in envelopes that `kekOf` opens are in clear; others stay as they are. */
export function fromExport(row: unknown, kekOf: KekOf): unknown {
  if (typeof row === 'string') return fromQrCode(row) ?? row;
  const fields = fieldsOf(row);
  if (fields === undefined) return row;
  const { qr, ...beside } = fields;
  if (typeof qr === 'string') return withOpenKeys({ ...fromQrCode(qr), ...beside }, kekOf);
  const keyOf: KeyOf = (value) => keyText(value, kekOf);
  if (isFields(fields['ids']) || typeof fields['dev_eui'] === 'string') {
    return { ...fromStack(fields, keyOf), ...wordsBeside(fields) };
  }
  if (isFields(fields['device'])) return fromChirpStack(fields, keyOf);
  if (eitherText(fields, ...devEuiWords) !== undefined) {
    return withOpenKeys(fromFlatRow(fields, keyOf), kekOf);
  }
  return withOpenKeys(row, kekOf);
}

/** In hex, or the envelope when it does not open, or undefined when there is none. */
type KeyOf = (value: unknown) => unknown;

/** The list in an export's envelope, or the one device that it is; undefined when it is neither. */
export function rowsOfExport(body: unknown): readonly unknown[] | undefined {
  if (Array.isArray(body)) return body;
  const fields = fieldsOf(body);
  const list = fields?.['result'] ?? fields?.['end_devices'];
  if (Array.isArray(list)) return list;
  return deviceWords.some((word) => fields?.[word] !== undefined) ? [body] : undefined;
}

const hexEui = '[0-9A-Fa-f]{16}';
const qrCode = new RegExp(`^LW:D0:(${hexEui}):(${hexEui}):([0-9A-Fa-f]{8})((?::[OSPC][^:]*)*)$`);

/** The owner token proves ownership to a join server: it is a secret, and not kept. */
function fromQrCode(text: string): Fields | undefined {
  const match = qrCode.exec(text.trim());
  if (match === null) return undefined;
  const [, joinEui = '', id = '', profile = '', rest = ''] = match;
  const serial = rest.split(':').find((part) => part.startsWith('S'));
  return {
    ...{ id, kind: 'lorawan', activation: 'otaa', joinEui },
    tags: given({ profile_id: profile.toLowerCase(), serial: serial?.slice(1) }),
  };
}

function fromStack(fields: Fields, keyOf: KeyOf): Fields {
  const { ids = fields, version_ids: version = fields, session, locations } = fields;
  const isSupported = fields['supports_join'];
  const supportsJoin = isSupported === true || isSupported === 'true';
  const root = fieldsOf(fields['root_keys']) ?? fields;
  const keys = fieldsOf(at(session, 'keys')) ?? fields;
  const devAddr = textAt(session, 'dev_addr') ?? textAt(ids, 'dev_addr');
  const macVersion = versionOf(fields['lorawan_version']);
  return given({
    ...{
      id: textAt(ids, 'dev_eui'),
      kind: 'lorawan',
      name: nameOf(fields, textAt(ids, 'device_id')),
    },
    ...{
      joinEui: textAt(ids, 'join_eui') ?? textAt(ids, 'app_eui'),
      model: textAt(version, 'model_id'),
      macVersion,
      devAddr,
    },
    activation: supportsJoin || root['app_key'] !== undefined ? 'otaa' : 'abp',
    location: locationOf(at(locations, 'user')),
    keys: keysOf(macVersion, {
      appKey: keyOf(root['app_key']),
      nwkKey: keyOf(root['nwk_key']),
      appSKey: keyOf(keys['app_s_key']),
      fNwkSIntKey: keyOf(keys['f_nwk_s_int_key']),
      sNwkSIntKey: keyOf(keys['s_nwk_s_int_key']),
      nwkSEncKey: keyOf(keys['nwk_s_enc_key']),
    }),
  });
}

/** Words of a device here that The Things Stack has not: somebody has added them to its table. */
function wordsBeside(fields: Fields): Fields {
  const { agency, area, codec, firmware, counterReset, location, tags } = fields;
  return given({ agency, area, codec, firmware, counterReset, location, tags });
}

const devEuiWords = ['devEui', 'devEUI', 'DevEUI', 'DevEui', 'deveui'] as const;

/** One of these stands in each form of a device. */
const deviceWords = ['id', 'ids', 'dev_eui', 'device', 'qr', ...devEuiWords] as const;

/** What ChirpStack v4 and v3 say about a device, and which means nothing here or is read below. */
const chirpStackWords: ReadonlySet<string> = new Set([
  ...devEuiWords,
  ...['name', 'description', 'variables', 'isDisabled', 'referenceAltitude', 'joinEui', 'devAddr'],
  ...['applicationId', 'applicationID', 'deviceProfileId', 'deviceProfileID', 'deviceProfileName'],
  ...['skipFcntCheck', 'skipFCntCheck', 'createdAt', 'updatedAt', 'lastSeenAt', 'deviceStatus'],
  ...['deviceStatusBattery', 'deviceStatusMargin', 'deviceStatusExternalPowerSource'],
  ...['deviceStatusBatteryLevelUnavailable', 'deviceStatusBatteryLevel'],
  ...['fCntUp', 'nFCntDown', 'aFCntDown', 'genAppKey', ...deviceKeyNames],
]);

/**
 * A row of ChirpStack's list, or of a table that somebody has filled in: words of a device here
 * stand beside the devEui and are kept, and what is no word of either is told as a problem rather
 * than left out.
 */
function fromFlatRow(fields: Fields, keyOf: KeyOf): Fields {
  const {
    id,
    keys: keysBeside,
    ...own
  } = Object.fromEntries(Object.entries(fields).filter(([word]) => !chirpStackWords.has(word)));
  const { activation, keys, ...read } = fromChirpStack(fields, keyOf);
  const isSessionOnly = at(keys, 'appSKey') !== undefined && at(keys, 'appKey') === undefined;
  return given({
    ...{ name: nameOfId(id), ...(isSessionOnly ? {} : { activation }), ...read, ...own },
    keys: isFields(keysBeside) ? { ...fieldsOf(keys), ...keysBeside } : (keysBeside ?? keys),
  });
}

/** Where the devEui stands in a column of its own, the id is what somebody calls the device. */
function nameOfId(id: unknown): string | undefined {
  return typeof id === 'string' && parseEui64(id) === undefined ? id : undefined;
}

/** A 1.0 device's only root key stands in ChirpStack's `nwkKey`. */
function fromChirpStack(fields: Fields, keyOf: KeyOf): Fields {
  const device = fieldsOf(fields['device']) ?? fields;
  const root = fieldsOf(fields['deviceKeys']) ?? fields;
  const session = fieldsOf(fields['deviceActivation']) ?? fields;
  const profile = fieldsOf(fields['deviceProfile']) ?? {};
  const nwkKey = keyOf(root['nwkKey']);
  const appKey = keyOf(root['appKey']);
  const told = versionOf(profile['macVersion'] ?? fields['macVersion']);
  const isOf11 = told === undefined ? nwkKey !== undefined && appKey !== undefined : isV11(told);
  const devAddr = textAt(session, 'devAddr') ?? textAt(device, 'devAddr');
  return given({
    ...{ id: eitherText(device, ...devEuiWords), kind: 'lorawan' },
    ...{ name: nameOf(device), joinEui: textAt(device, 'joinEui'), macVersion: told, devAddr },
    activation: profile['supportsOtaa'] === false ? 'abp' : 'otaa',
    keys: keysOf(isOf11 ? (told ?? '1.1') : (told ?? '1.0'), {
      ...(isOf11 ? { appKey, nwkKey } : { appKey: nwkKey ?? appKey }),
      appSKey: keyOf(session['appSKey']),
      nwkSKey: keyOf(session['nwkSKey']),
      fNwkSIntKey: keyOf(session['fNwkSIntKey']),
      sNwkSIntKey: keyOf(session['sNwkSIntKey']),
      nwkSEncKey: keyOf(session['nwkSEncKey']),
    }),
  });
}

/** A 1.0 session has one network key, which exports write into all three places. */
function keysOf(
  macVersion: string | undefined,
  keys: Readonly<Record<string, unknown>>,
): Fields | undefined {
  const { nwkSKey, fNwkSIntKey, sNwkSIntKey, nwkSEncKey, nwkKey, ...rest } = keys;
  const isOneKey = sNwkSIntKey === undefined || sNwkSIntKey === fNwkSIntKey;
  const isOf10 = macVersion === undefined ? isOneKey : !isV11(macVersion) || isOneKey;
  const network = isOf10
    ? { nwkSKey: fNwkSIntKey ?? nwkSKey }
    : { nwkSKey, fNwkSIntKey, sNwkSIntKey, nwkSEncKey };
  const roots = macVersion !== undefined && !isV11(macVersion) ? {} : { nwkKey };
  const all = given({ ...rest, ...roots, ...network });
  return Object.keys(all).length === 0 ? undefined : all;
}

const isV11 = (macVersion: string): boolean => macVersion.startsWith('1.1');

/** `MAC_V1_0_3`, `LORAWAN_1_0_3`, `1.0.3`, and revisions such as `1.0.2-b`. */
function versionOf(value: unknown): string | undefined {
  const match = /(\d)[._](\d)(?:[._](\d{1,2}))?/.exec(typeof value === 'string' ? value : '');
  if (match === null) return undefined;
  const [, major = '', minor = '', patch] = match;
  return patch === undefined || minor === '1' ? `${major}.${minor}` : `${major}.${minor}.${patch}`;
}

const zeroKey = '00'.repeat(16);

/** In hex or base64, bare or below `key`, or wrapped; an absent one may be written as zeros. */
function keyText(value: unknown, kekOf: KekOf): unknown {
  const text = typeof value === 'string' ? value : textAt(value, 'key');
  const isWrapped = envelopeLabel(value) !== undefined;
  if (isWrapped && (text === undefined || text === zeroKey)) {
    return openEnvelope(value, kekOf) ?? value;
  }
  if (text === undefined || text === '' || text === zeroKey) return undefined;
  return /^[A-Za-z0-9+/]{22}==$/.test(text) ? Buffer.from(text, 'base64').toString('hex') : text;
}

function nameOf(fields: Fields, fallback?: string): string | undefined {
  const name = fields['name'];
  return typeof name === 'string' && name !== '' ? name : fallback;
}

function locationOf(value: unknown): Fields | undefined {
  const { latitude, longitude, altitude } = fieldsOf(value) ?? {};
  if (typeof latitude !== 'number' || typeof longitude !== 'number') return undefined;
  return given({ latitude, longitude, altitude });
}

function given(fields: Fields): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

function fieldsOf(value: unknown): Fields | undefined {
  return isFields(value) ? value : undefined;
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function at(value: unknown, name: string): unknown {
  return fieldsOf(value)?.[name];
}

function textAt(value: unknown, name: string): string | undefined {
  const text = at(value, name);
  return typeof text === 'string' && text !== '' ? text : undefined;
}

function eitherText(fields: Fields, ...names: readonly string[]): string | undefined {
  return names.map((name) => textAt(fields, name)).find((text) => text !== undefined);
}
