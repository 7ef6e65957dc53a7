/**
 * Packages of the LoRa Alliance [TS013-1.0.0]: a folder with `package.json`, the script that it
 * names and `examples.json`, anywhere in the checkout. A vendor is the folder above.
 */
import { basename, dirname, join } from 'node:path';
import { parseLoose } from '../check/find-examples.ts';
import { memberOf } from '../decoded-result.ts';
import { type Checkout, codecIdOf, type FoundVendor, sentenceOf } from './checkout.ts';
import { textIn } from './members.ts';

const depthMax = 8;
const foldersMax = 50_000;

export function* packageVendors(
  checkout: Checkout,
  wanted: string | undefined,
  note: (problem: string) => void,
): Generator<FoundVendor> {
  for (const folder of packageFolders(checkout)) {
    const above = basename(dirname(join(checkout.root, folder)));
    if (wanted !== undefined && wanted !== above) continue;
    try {
      yield readPackage(checkout, folder, above);
    } catch (error) {
      note(`${join(folder, 'package.json')}: ${sentenceOf(error)}`);
    }
  }
}

function* packageFolders(checkout: Checkout): Generator<string> {
  const open: { readonly folder: string; readonly depth: number }[] = [{ folder: '.', depth: 0 }];
  for (let seen = 0; open.length > 0 && seen < foldersMax; seen += 1) {
    const { folder, depth } = open.pop() ?? { folder: '.', depth: 0 };
    const isPackage = ['package.json', 'examples.json'].every((name) =>
      checkout.has(join(folder, name)),
    );
    if (isPackage) yield folder;
    if (depth >= depthMax) continue;
    for (const name of [...checkout.folders(folder)].reverse()) {
      open.push({ folder: join(folder, name), depth: depth + 1 });
    }
  }
}

function readPackage(checkout: Checkout, folder: string, vendor: string): FoundVendor {
  const described = parseLoose(checkout.text(join(folder, 'package.json')));
  const list = parseLoose(checkout.text(join(folder, 'examples.json')));
  const name = (textIn(described, 'name') ?? basename(folder)).replace(/^@/, '');
  const uplinks = (Array.isArray(list) ? list : []).filter(
    (one) => memberOf(one, 'type') === 'uplink',
  );
  const id = codecIdOf(vendor, name);
  const description = textIn(described, 'description');
  const firmware = [
    { version: textIn(described, 'version') ?? '', hardwareVersions: [], codec: id, regions: {} },
  ];
  return {
    ...{ id: vendor, name: vendor },
    codecs: [
      {
        ...{ id, title: description ?? name, examples: uplinks },
        script: join(folder, textIn(described, 'main') ?? 'index.js'),
      },
    ],
    models: [
      {
        ...{ id: `${vendor}/${name}`, name, sensors: [], firmware },
        ...(description === undefined ? {} : { description }),
      },
    ],
  };
}
