/**
 * The Things Network's device repository: `vendor/index.yaml` names the vendors,
 * `vendor/<id>/index.yaml` its devices, `<device>.yaml` their firmware with a profile and a codec
 * for each region, `<codec>.yaml` the script with examples.
 */
import { join } from 'node:path';
import type { DeviceModel, ModelFirmware, ModelProfile } from '../../model/device-model.ts';
import { memberOf } from '../decoded-result.ts';
import {
  type Checkout,
  codecIdOf,
  type FoundCodec,
  type FoundVendor,
  sentenceOf,
} from './checkout.ts';
import { entriesIn, flagIn, listIn, present, textIn, textsIn } from './members.ts';

export function isDeviceRepository(checkout: Checkout): boolean {
  return checkout.has('vendor/index.yaml');
}

export function* deviceRepositoryVendors(
  checkout: Checkout,
  wanted: string | undefined,
  note: (problem: string) => void,
): Generator<FoundVendor> {
  for (const vendor of listIn(checkout.document('vendor/index.yaml'), 'vendors')) {
    const id = textIn(vendor, 'id');
    const isWanted = id !== undefined && (wanted === undefined || wanted === id);
    // Many a vendor has a number only, and no folder.
    if (!isWanted || !checkout.has(`vendor/${id}/index.yaml`)) continue;
    yield readVendor(checkout, id, textIn(vendor, 'name') ?? id, note);
  }
}

interface VendorReader {
  readonly checkout: Checkout;
  readonly vendor: string;
  readonly note: (problem: string) => void;
  readonly codecs: Map<string, FoundCodec | undefined>;
  readonly profiles: Map<string, ModelProfile>;
}

function readVendor(
  checkout: Checkout,
  vendor: string,
  name: string,
  note: (problem: string) => void,
): FoundVendor {
  const reader: VendorReader = {
    ...{ checkout, vendor, note },
    ...{ codecs: new Map(), profiles: new Map() },
  };
  const devices = attempt(reader, 'index.yaml', () =>
    textsIn(checkout.document(join('vendor', vendor, 'index.yaml')), 'endDevices'),
  );
  const models = (devices ?? []).flatMap((device) => {
    return attempt(reader, `${device}.yaml`, () => readModel(reader, device)) ?? [];
  });
  const codecs = [...reader.codecs.values()].flatMap((codec) => codec ?? []);
  return { id: vendor, name, models, codecs };
}

/** Undefined, and told, when a file is not as it should be: the others are read all the same. */
function attempt<T>({ vendor, note }: VendorReader, file: string, read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    note(`vendor/${vendor}/${file}: ${sentenceOf(error)}`);
    return undefined;
  }
}

function readModel(reader: VendorReader, device: string): DeviceModel {
  const document = reader.checkout.document(join('vendor', reader.vendor, `${device}.yaml`));
  const description = textIn(document, 'description');
  return {
    id: `${reader.vendor}/${device}`,
    name: textIn(document, 'name') ?? device,
    sensors: textsIn(document, 'sensors'),
    firmware: listIn(document, 'firmwareVersions').map((one) => readFirmware(reader, one)),
    ...(description === undefined ? {} : { description }),
  };
}

function readFirmware(reader: VendorReader, firmware: unknown): ModelFirmware {
  const profiles = entriesIn(firmware, 'profiles');
  const codecs = profiles.flatMap(([, profile]) => textIn(profile, 'codec') ?? []);
  const found = codecs.map((codec) => codecFor(reader, codec));
  const codec = found.find((one) => one !== undefined)?.id;
  const regions = profiles.map(([region, profile]): [string, ModelProfile] => [
    region,
    profileFor(reader, textIn(profile, 'id'), textIn(profile, 'vendorID')),
  ]);
  return {
    version: textIn(firmware, 'version') ?? '',
    hardwareVersions: textsIn(firmware, 'hardwareVersions'),
    regions: Object.fromEntries(regions),
    ...(codec === undefined ? {} : { codec }),
  };
}

function codecFor(reader: VendorReader, name: string): FoundCodec | undefined {
  if (!reader.codecs.has(name)) {
    reader.codecs.set(
      name,
      attempt(reader, `${name}.yaml`, () => readCodec(reader, name)),
    );
  }
  return reader.codecs.get(name);
}

/** Undefined for one that only encodes downlinks. */
function readCodec({ checkout, vendor }: VendorReader, name: string): FoundCodec | undefined {
  const document = checkout.document(join('vendor', vendor, `${name}.yaml`));
  const decoder = memberOf(document, 'uplinkDecoder');
  const file = textIn(decoder, 'fileName');
  if (file === undefined) return undefined;
  return {
    id: codecIdOf(vendor, name),
    title: `${vendor} ${name}`,
    script: join('vendor', vendor, file),
    examples: listIn(decoder, 'examples'),
  };
}

/** A profile may be another vendor's. */
function profileFor(
  reader: VendorReader,
  id: string | undefined,
  owner: string = reader.vendor,
): ModelProfile {
  if (id === undefined) return {};
  const path = join('vendor', owner, `${id}.yaml`);
  const known = reader.profiles.get(path);
  if (known !== undefined) return known;
  const document = attempt(reader, `${id}.yaml`, () => reader.checkout.document(path));
  const profile = present({
    macVersion: textIn(document, 'macVersion'),
    regionalParametersVersion: textIn(document, 'regionalParametersVersion'),
    supportsJoin: flagIn(document, 'supportsJoin'),
    supportsClassB: flagIn(document, 'supportsClassB'),
    supportsClassC: flagIn(document, 'supportsClassC'),
  });
  reader.profiles.set(path, profile);
  return profile;
}
