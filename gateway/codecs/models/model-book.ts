/**
 * The device models that are known: what imports of device repositories say of them, and over that
 * what people say. A later import changes the one and leaves the other.
 */
import type { Database, RootDatabase } from 'lmdb';
import type { DeviceModel, ModelSettings } from '../../model/device-model.ts';
import { openImportedModels } from './imported-models.ts';
import { modelIdPattern } from './model-input.ts';

export interface ModelBook {
  readonly size: number;
  get(id: string): DeviceModel | undefined;
  /** What a person has said of it. */
  settingsOf(id: string): ModelSettings | undefined;
  isImported(id: string): boolean;
  /** In ascending order of their ids. */
  list(query: ModelQuery): ModelPage;
  all(): readonly DeviceModel[];
  /**
   * What is not named stays as an import has it. Resolves, once it is on disk, with a sentence when
   * it is not taken.
   */
  put(id: string, settings: ModelSettings): Promise<string | undefined>;
  /** Also what an import has said; false when there was none. */
  delete(id: string): Promise<boolean>;
  /** Reads what another process has imported. */
  refresh(): void;
  problems(): readonly string[];
  /** Called after each change; without a model when it is gone. */
  onChange(listener: (id: string, model: DeviceModel | undefined) => void): void;
}

export interface ModelQuery {
  /** The last id of the page before. */
  readonly after?: string | undefined;
  readonly limit: number;
  /** In id, name or vendor, in any case. */
  readonly text?: string | undefined;
  readonly codec?: string | undefined;
}

export interface ModelPage {
  readonly models: readonly DeviceModel[];
  readonly isMore: boolean;
}

export interface ModelBookParts {
  /** The state's environment, which the caller opens and closes. */
  readonly root: RootDatabase<unknown, string>;
  /** Where imports are written. */
  readonly directory: string;
}

/** Device repositories of today have some two thousand. */
const modelsMax = 50_000;

export function openModelBook({ root, directory }: ModelBookParts): ModelBook {
  const rows: Database<ModelSettings, string> = root.openDB({ name: 'models', encoding: 'json' });
  const imported = openImportedModels(directory);
  const listeners: ((id: string, model: DeviceModel | undefined) => void)[] = [];
  const own = new Map<string, ModelSettings>();
  for (const { key, value } of rows.getRange()) own.set(key, value);
  let found = new Map<string, DeviceModel>();
  let models = new Map<string, DeviceModel>();

  function gather(): Map<string, DeviceModel> {
    const kept = [...imported.all()].slice(0, modelsMax);
    found = new Map(kept.map((model) => [model.id, model]));
    const ids = [...new Set([...found.keys(), ...own.keys()])].sort();
    return new Map(ids.map((id) => [id, merged(id, found.get(id), own.get(id))]));
  }

  function changed(): void {
    const before = models;
    models = gather();
    for (const id of new Set([...before.keys(), ...models.keys()])) {
      const [held, now] = [before.get(id), models.get(id)];
      if (held !== undefined && now !== undefined && isSame(held, now)) models.set(id, held);
      else for (const listener of listeners) listener(id, now);
    }
  }

  imported.refresh();
  models = gather();
  return {
    get size() {
      return models.size;
    },
    get: (id) => models.get(id),
    settingsOf: (id) => own.get(id),
    isImported: (id) => found.has(id),
    all: () => [...models.values()],
    list: (query) => pageOf([...models.values()], query),
    async put(id, settings) {
      if (!modelIdPattern.test(id)) return 'the id is no text of 1 to 128 characters on one line';
      if (!models.has(id) && models.size >= modelsMax) return `there are ${modelsMax} models`;
      await rows.put(id, settings);
      own.set(id, settings);
      changed();
      await rows.flushed;
      return undefined;
    },
    async delete(id) {
      if (!models.has(id)) return false;
      await rows.remove(id);
      own.delete(id);
      if (found.has(id)) imported.remove(id);
      changed();
      await rows.flushed;
      return true;
    },
    refresh() {
      if (imported.refresh()) changed();
    },
    problems: () => imported.problems(),
    onChange: (listener) => void listeners.push(listener),
  };
}

function merged(
  id: string,
  found: DeviceModel | undefined,
  own: ModelSettings | undefined,
): DeviceModel {
  return { id, name: id, sensors: [], firmware: [], ...found, ...own };
}

/** Both are plain data that was read in one order of fields. */
function isSame(one: DeviceModel, other: DeviceModel): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

function pageOf(all: readonly DeviceModel[], query: ModelQuery): ModelPage {
  const { after = '', limit, codec } = query;
  const text = query.text?.toLowerCase();
  const wanted = all.filter((model) => {
    if (model.id <= after) return false;
    if (codec !== undefined && !usesCodec(model, codec)) return false;
    const words = [model.id, model.name, model.vendor ?? ''];
    return text === undefined || words.some((word) => word.toLowerCase().includes(text));
  });
  return { models: wanted.slice(0, limit), isMore: wanted.length > limit };
}

/** Whether any of its devices may have this codec from it. */
export function usesCodec({ codec, firmware }: DeviceModel, id: string): boolean {
  if (codec !== undefined) return codec.split('@')[0] === id;
  return firmware.some((one) => one.codec === id);
}
