import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  type ModelBook,
  openModelBook,
  usesCodec,
} from '../../gateway/codecs/models/model-book.ts';
import { readModel, readModelSettings } from '../../gateway/codecs/models/model-input.ts';
import { openState } from '../../gateway/ledger/lmdb-files.ts';

let dataDir: string;
let models: string;
let state: ReturnType<typeof openState>;
let book: ModelBook;
let changes: string[];

function open(): void {
  state = openState({ directory: dataDir });
  book = openModelBook({ root: state, directory: models });
  changes = [];
  book.onChange((id, model) => changes.push(`${id}: ${model?.name ?? 'gone'}`));
}

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'fieldgate-models-'));
  models = join(dataDir, 'models');
  open();
});
afterEach(async () => {
  await state.close();
  rmSync(dataDir, { recursive: true, force: true });
});

/** As an import writes it. */
function imported(vendor: string, names: readonly string[], sensors: readonly string[] = []): void {
  mkdirSync(models, { recursive: true });
  const list = names.map((name) => ({
    ...{ id: `${vendor}/${name}`, name, sensors },
    firmware: [{ version: '1', hardwareVersions: [], codec: `${vendor}.${name}`, regions: {} }],
  }));
  const file = { format: 1, vendor: { id: vendor, name: vendor.toUpperCase() }, models: list };
  writeFileSync(join(models, `${vendor}.json`), JSON.stringify(file));
}

const limits = [{ quantity: 'no2', expected: { min: 0, max: 90 } }];

describe('The book of device models', () => {
  it('has what an import has written, while it runs', () => {
    imported('acme', ['th-1', 'th-2']);
    book.refresh();
    expect(changes).toEqual(['acme/th-1: th-1', 'acme/th-2: th-2']);
    expect(book.get('acme/th-1')).toMatchObject({ vendor: 'ACME', name: 'th-1' });
    expect(book.isImported('acme/th-1')).toBe(true);
    imported('acme', ['th-2']);
    book.refresh();
    expect(changes.slice(2)).toEqual(['acme/th-1: gone']);
    expect(book.size).toBe(1);
  });

  it('puts what a person says over it, and a later import leaves that', async () => {
    imported('acme', ['th-1']);
    book.refresh();
    expect(await book.put('acme/th-1', { limits, name: 'Ours' })).toBeUndefined();
    expect(book.get('acme/th-1')).toMatchObject({ name: 'Ours', limits, vendor: 'ACME' });
    imported('acme', ['th-1'], ['humidity']);
    book.refresh();
    expect(book.get('acme/th-1')).toMatchObject({ name: 'Ours', limits, sensors: ['humidity'] });
    await book.put('acme/th-1', { limits });
    expect(book.get('acme/th-1')?.name).toBe('th-1');
  });

  it('has it all again after a restart', async () => {
    imported('acme', ['th-1']);
    await book.put('own', { codec: 'acme.th-1' });
    await state.close();
    open();
    expect(book.all().map(({ id }) => id)).toEqual(['acme/th-1', 'own']);
    expect(book.settingsOf('own')).toEqual({ codec: 'acme.th-1' });
  });

  it('forgets one with what an import said of it', async () => {
    imported('acme', ['th-1', 'th-2']);
    book.refresh();
    await book.put('acme/th-1', { limits });
    expect(await book.delete('acme/th-1')).toBe(true);
    expect(await book.delete('acme/th-1')).toBe(false);
    expect(book.all().map(({ id }) => id)).toEqual(['acme/th-2']);
    expect(readFileSync(join(models, 'acme.json'), 'utf8')).not.toContain('th-1');
  });

  it('lists them in pages, by text and by codec', async () => {
    imported('acme', ['th-1', 'th-2', 'th-3']);
    book.refresh();
    await book.put('own', { codec: 'acme.th-2@3f2a90bc11d0', name: 'Garden' });
    const ids = (query: object) => book.list({ limit: 10, ...query }).models.map(({ id }) => id);
    expect(book.list({ limit: 2 })).toMatchObject({ isMore: true, models: [{}, {}] });
    expect(ids({ after: 'acme/th-2' })).toEqual(['acme/th-3', 'own']);
    expect(ids({ text: 'GARD' })).toEqual(['own']);
    expect(ids({ codec: 'acme.th-2' })).toEqual(['acme/th-2', 'own']);
    const own = book.get('own');
    expect(own !== undefined && usesCodec(own, 'acme.th-2')).toBe(true);
  });

  it('tells of a file that it cannot read, and reads the others', () => {
    imported('acme', ['th-1']);
    writeFileSync(join(models, 'torn.json'), '{');
    writeFileSync(join(models, 'odd.json'), '{"format":2}');
    book.refresh();
    expect(book.size).toBe(1);
    expect(book.problems()).toHaveLength(2);
    expect(book.problems()[0]).toMatch(/^models\/(torn|odd)\.json: it cannot be read: /);
  });

  it('refuses an id that is none', async () => {
    expect(await book.put('a\nb', {})).toMatch(/^the id is no text/);
  });
});

describe('What is written of a model', () => {
  it('is taken as it is where nothing is wrong', () => {
    const mapping = [{ from: 'T2', quantity: 'water_temperature', unit: '[degF]' }];
    expect(readModelSettings({ macVersion: '1.0.3', mapping, limits })).toEqual({
      settings: { macVersion: '1.0.3', mapping, limits },
    });
    expect(readModel({ id: 'a', codec: 'b' })).toEqual({ id: 'a', settings: { codec: 'b' } });
  });

  it.each([
    [{ color: 1 }, 'color', /^Is not a known field: known are name, /],
    [{ macVersion: 'new' }, 'macVersion', /Is not a LoRaWAN version/],
    [{ limits: [{ quantity: 'nox' }] }, 'limits.0.quantity', /nox is no quantity/],
    [{ limits: [{ quantity: 'door' }] }, 'limits.0.quantity', /door is a state/],
    [{ limits: [limits[0], limits[0]] }, 'limits.1.quantity', /there twice/],
    [{ limits: [{ quantity: 'no2', speed: 1 }] }, 'limits.0.speed', /Is not a known field\./],
    [{ limits: [{ quantity: 'no2', range: { min: 2, max: 1 } }] }, 'limits.0.range', /wrong order/],
    [{ mapping: [{ from: 'a', quantity: 'no2', unit: 'K' }] }, 'mapping.0.unit', /cannot be made/],
    [{ mapping: [{ quantity: 'no2' }] }, 'mapping.0.from', /expected string/],
    [
      {
        limits: [
          {
            quantity: 'no2',
            seasons: [
              { months: [1], min: 0, max: 1 },
              { months: [1, 2], min: 0, max: 2 },
            ],
          },
        ],
      },
      'limits.0.seasons',
      /month 1 is in two of them/,
    ],
  ])('is told with its place: %j', (input, path, detail) => {
    const read = readModelSettings(input);
    const problems = 'problems' in read ? read.problems : [];
    expect(problems.map((one) => one.path)).toEqual([path]);
    expect(problems[0]?.detail).toMatch(detail);
  });

  it('needs an id in the configuration', () => {
    expect(readModel({ name: 'x' })).toMatchObject({ problems: [{ path: 'id' }] });
    expect(readModel({ id: '' })).toMatchObject({ problems: [{ path: 'id' }] });
    expect(readModel({ id: 'a', x: 1 })).toMatchObject({ problems: [{ path: 'x' }] });
    expect(readModel(5)).toMatchObject({ problems: [{ path: 'id' }] });
  });
});
