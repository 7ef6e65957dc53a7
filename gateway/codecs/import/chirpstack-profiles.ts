/**
 * ChirpStack's device profiles: `vendors/<vendor>/vendor.toml`, `devices/<device>.toml` with
 * profiles and a codec for each firmware, `profiles/<profile>.toml`, `codecs/<codec>.js` and
 * `codecs/test_decode_<codec>.json`.
 */
import { join } from 'node:path';
import type { DeviceModel, ModelFirmware, ModelProfile } from '../../model/device-model.ts';
import { parseLoose } from '../check/find-examples.ts';
import { memberOf } from '../decoded-result.ts';
import {
  type Checkout,
  codecIdOf,
  type FoundCodec,
  type FoundVendor,
  sentenceOf,
} from './checkout.ts';
import { flagIn, listIn, present, textIn, textsIn } from './members.ts';
import { parseToml } from './toml.ts';

export function isProfileRepository(checkout: Checkout): boolean {
  return checkout.names('vendors').some((vendor) => checkout.has(`vendors/${vendor}/vendor.toml`));
}

export function* profileRepositoryVendors(
  checkout: Checkout,
  wanted: string | undefined,
  note: (problem: string) => void,
): Generator<FoundVendor> {
  for (const vendor of checkout.names('vendors')) {
    const folder = `vendors/${vendor}`;
    if (wanted !== undefined && wanted !== vendor) continue;
    if (!checkout.has(`${folder}/vendor.toml`)) continue;
    yield readVendor({ checkout, vendor, folder, note, codecs: new Map() });
  }
}

interface VendorReader {
  readonly checkout: Checkout;
  readonly vendor: string;
  readonly folder: string;
  readonly note: (problem: string) => void;
  readonly codecs: Map<string, FoundCodec>;
}

function readVendor(reader: VendorReader): FoundVendor {
  const { checkout, vendor, folder } = reader;
  const document = attempt(reader, 'vendor.toml', (path) => parseToml(checkout.text(path)));
  const devices = checkout.names(`${folder}/devices`).filter((name) => name.endsWith('.toml'));
  const models = devices.flatMap((name) => {
    return attempt(reader, `devices/${name}`, (path) => readModel(reader, name, path)) ?? [];
  });
  const name = textIn(memberOf(document, 'vendor'), 'name') ?? vendor;
  return { id: vendor, name, models, codecs: [...reader.codecs.values()] };
}

/** Undefined, and told, when a file is not as it should be: the others are read all the same. */
function attempt<T>(
  { folder, note }: VendorReader,
  file: string,
  read: (path: string) => T,
): T | undefined {
  const path = join(folder, file);
  try {
    return read(path);
  } catch (error) {
    note(`${path}: ${sentenceOf(error)}`);
    return undefined;
  }
}

function readModel(reader: VendorReader, file: string, path: string): DeviceModel {
  const device = memberOf(parseToml(reader.checkout.text(path)), 'device');
  const id = file.replace(/\.toml$/, '');
  const description = textIn(device, 'description');
  return {
    id: `${reader.vendor}/${id}`,
    name: textIn(device, 'name') ?? id,
    sensors: [],
    firmware: listIn(device, 'firmware').map((one) => readFirmware(reader, one)),
    ...(description === undefined ? {} : { description }),
  };
}

function readFirmware(reader: VendorReader, firmware: unknown): ModelFirmware {
  const codec = codecFor(reader, textIn(firmware, 'codec'));
  const profiles = textsIn(firmware, 'profiles').flatMap((name) => profileIn(reader, name));
  return {
    version: textIn(firmware, 'version') ?? '',
    hardwareVersions: [],
    regions: Object.fromEntries(profiles),
    ...(codec === undefined ? {} : { codec: codec.id }),
  };
}

function codecFor(reader: VendorReader, file: string | undefined): FoundCodec | undefined {
  if (file === undefined) return undefined;
  const known = reader.codecs.get(file);
  if (known !== undefined) return known;
  const script = join(reader.folder, 'codecs', file);
  if (!reader.checkout.has(script)) {
    reader.note(`${script} is not there`);
    return undefined;
  }
  const found: FoundCodec = {
    ...{ id: codecIdOf(reader.vendor, file), title: `${reader.vendor} ${file}`, script },
    examples: examplesOf(reader, file),
  };
  reader.codecs.set(file, found);
  return found;
}

function examplesOf(reader: VendorReader, file: string): readonly unknown[] {
  const tests = `codecs/test_decode_${file.replace(/\.js$/, '')}.json`;
  if (!reader.checkout.has(join(reader.folder, tests))) return [];
  const list = attempt(reader, tests, (path) => parseLoose(reader.checkout.text(path)));
  return Array.isArray(list) ? list : [];
}

function profileIn(reader: VendorReader, name: string): [string, ModelProfile][] {
  const read = (path: string) => parseToml(reader.checkout.text(path));
  const profile = memberOf(attempt(reader, `profiles/${name}`, read), 'profile');
  if (profile === undefined) return [];
  const region = textIn(profile, 'region') ?? name.replace(/\.toml$/, '');
  return [
    [
      region,
      present({
        macVersion: textIn(profile, 'mac_version'),
        regionalParametersVersion: textIn(profile, 'reg_params_revision'),
        supportsJoin: flagIn(profile, 'supports_otaa'),
        supportsClassB: flagIn(profile, 'supports_class_b'),
        supportsClassC: flagIn(profile, 'supports_class_c'),
      }),
    ],
  ];
}
