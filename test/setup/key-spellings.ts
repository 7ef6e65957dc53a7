/** Every way in which bytes could stand in a file, a log or an answer, to be looked for. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Raw, hex, decimal as JSON writes a Buffer, and base64 of both alphabets wherever it begins. */
export function spellingsOf(key: Buffer): readonly Buffer[] {
  const hex = key.toString('hex');
  const texts = [hex, hex.toUpperCase(), [...key].join(','), ...base64Of(key)];
  return [key, ...texts.map((text) => Buffer.from(text))];
}

/** What is sure to be there when the key lies in the middle of something that is base64. */
function base64Of(key: Buffer): readonly string[] {
  return [0, 1, 2].flatMap((before) => {
    const all = Buffer.concat([Buffer.alloc(before), key]);
    const from = Math.ceil((before * 4) / 3);
    const to = Math.floor((all.length * 4) / 3);
    return [all.toString('base64').slice(from, to), all.toString('base64url').slice(from, to)];
  });
}

export interface Place {
  readonly name: string;
  readonly bytes: Buffer;
}

/** The files below a folder, but for those that the operator wrote. */
export async function filesBelow(
  folder: string,
  isLeftOut: (name: string) => boolean = () => false,
): Promise<Place[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile() && !isLeftOut(entry.name));
  return Promise.all(
    files.map(async ({ parentPath, name }) => ({
      name: join(parentPath, name),
      bytes: await readFile(join(parentPath, name)),
    })),
  );
}

/** Names of the places that hold any of the keys, in any spelling. */
export function placesOf(keys: readonly Buffer[], places: readonly Place[]): readonly string[] {
  const spellings = keys.flatMap(spellingsOf);
  return places
    .filter(({ bytes }) => spellings.some((spelling) => bytes.includes(spelling)))
    .map(({ name }) => name);
}
