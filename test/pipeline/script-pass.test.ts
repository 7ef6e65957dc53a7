/** Script codecs in the derive loop: prepared before a pass, derived with it. */
import { describe, expect, it } from '@jest/globals';
import type { Decoded } from '../../decoders/codec.ts';
import type { PassResult, ScriptInput } from '../../gateway/codecs/script-codecs.ts';
import type { LedgerEntry } from '../../gateway/ledger/ledger.ts';
import type { Device } from '../../gateway/model/device.ts';
import type { Reading } from '../../gateway/model/reading.ts';
import { deriveEntry } from '../../gateway/pipeline/derive.ts';
import { startDeriveLoop } from '../../gateway/pipeline/derive-loop.ts';
import { createScriptPass } from '../../gateway/pipeline/script-pass.ts';
import { entryOf, receivedAt, uplinkOf } from './entries.ts';
import { type GatheredRecords, gatherRecords } from './gathered-records.ts';

const scripted: Device = { id: 'meter-7', kind: 'lorawan', codec: 'acme', tags: { site: 'a' } };

function entry(seq: number, byte: number, part: Partial<LedgerEntry> = {}): LedgerEntry {
  const item = uplinkOf({ frmPayload: Buffer.from([byte]), fPort: 2 });
  return entryOf({ seq, item, ...part });
}

/** Decodes the first byte as a temperature; a zero is refused. */
function scriptsOf(seen: ScriptInput[] = []) {
  return {
    versionOf: (id: string) => (id.startsWith('acme') ? 'f'.repeat(64) : undefined),
    decode: async (inputs: readonly ScriptInput[]): Promise<readonly Decoded[]> => {
      seen.push(...inputs);
      return inputs.map(({ bytes: [byte = 0] }) =>
        byte === 0
          ? { ok: false, error: 'zero' }
          : { ok: true, values: [{ quantity: 'air_temperature', value: byte }] },
      );
    },
  };
}

describe('The script pass', () => {
  it('sends the payloads of scripts in one batch, with time and variables', async () => {
    const seen: ScriptInput[] = [];
    const pass = createScriptPass(scriptsOf(seen), () => scripted);
    await pass.prepare([
      entry(1, 5),
      entry(2, 6, { outcome: 'copy' }),
      entry(3, 7, { item: uplinkOf({ frmPayload: Buffer.from([7]), fPort: 0 }) }),
      entry(4, 8, { item: uplinkOf({ frmPayload: Buffer.from([8]), fPort: 1, encrypted: true }) }),
    ]);
    expect(seen).toEqual([
      {
        seq: 1,
        codec: 'acme',
        bytes: Buffer.from([5]),
        fPort: 2,
        time: receivedAt,
        variables: { site: 'a' },
      },
    ]);
  });

  it('tells of the entries that the sandbox had no time for', async () => {
    const device = { ...scripted, codec: `acme@${'f'.repeat(64)}` };
    const told: [codec: string, seq: number][] = [];
    const scripts = {
      ...scriptsOf(),
      decode: async (inputs: readonly ScriptInput[]): Promise<readonly PassResult[]> =>
        inputs.map(({ bytes: [byte = 0] }) =>
          byte === 0
            ? { ok: false, error: 'no time', isPassedOver: true }
            : { ok: false, error: 'its own' },
        ),
    };
    const pass = createScriptPass(scripts, () => device, {
      ...{ notes: { note: () => {} }, programVersion: '1' },
      onPassedOver: (codec, seq) => told.push([codec, seq]),
    });
    await pass.prepare([entry(3, 0), entry(4, 1), entry(5, 0)]);
    expect(told).toEqual([
      ['acme', 3],
      ['acme', 5],
    ]);
    expect(pass.resultOf(3)).toMatchObject({ ok: false, error: 'no time' });
  });

  it('waits for nothing when no device has a script', () => {
    const pass = createScriptPass(scriptsOf(), () => ({ ...scripted, codec: 'cayenne-lpp' }));
    expect(pass.prepare([entry(1, 5)])).toBeUndefined();
    expect(createScriptPass(scriptsOf(), () => undefined).prepare([entry(1, 5)])).toBeUndefined();
  });

  it('derives with the devices as they were when the pass began', async () => {
    const devices = new Map([['meter-7', scripted]]);
    const pass = createScriptPass(scriptsOf(), (id) => devices.get(id));
    await pass.prepare([entry(1, 5), entry(2, 0)]);
    devices.set('meter-7', { ...scripted, codec: 'other' });
    const derive = (one: LedgerEntry) =>
      deriveEntry(one, {
        deviceOf: pass.deviceOf,
        codecOf: () => undefined,
        scriptResultOf: pass.resultOf,
      });
    expect(derive(entry(1, 5)).readings).toMatchObject([{ quantity: 'air_temperature', value: 5 }]);
    expect(derive(entry(2, 0)).fault).toMatchObject({
      code: 'PAYLOAD_UNDECODABLE',
      detail: 'acme: zero',
    });
    await pass.prepare([]);
    expect(pass.deviceOf('meter-7')?.codec).toBe('other');
  });
});

describe('The derive loop with scripts', () => {
  it('offers a pass once the scripts have answered, and not before', async () => {
    const ledger = [entry(1, 1), entry(2, 2), entry(3, 3)];
    const offers: number[][] = [];
    const fresh: Reading[] = [];
    let letGo: () => void = () => {};
    let prepared = 0;
    let offersBefore = -1;
    const pass = createScriptPass(scriptsOf(), () => scripted);
    const done = new Promise<void>((resolve) => {
      const loop = startDeriveLoop({
        reader: { read: (after, limit) => ledger.filter(({ seq }) => seq > after).slice(0, limit) },
        catalogue: { position: () => 0, setPosition: () => {}, note: () => {} },
        async prepare(entries) {
          prepared += 1;
          await pass.prepare(entries);
          if (prepared === 1) await new Promise<void>((go) => (letGo = go));
        },
        derive: (one) =>
          deriveEntry(one, {
            deviceOf: pass.deviceOf,
            codecOf: () => undefined,
            scriptResultOf: pass.resultOf,
          }),
        feed: {
          gather: gatherRecords,
          async offer({ taken }: GatheredRecords) {
            offers.push(taken.map(({ seq }) => seq));
          },
          isDown: () => false,
        },
        publish: (readings) => fresh.push(...readings),
        observe: () => {},
        onStored: () => void loop.stop().then(resolve),
      });
      setTimeout(() => {
        offersBefore = offers.length;
        letGo();
      }, 20);
    });
    await done;
    expect(offersBefore).toBe(0);
    expect(fresh.map(({ seq }) => seq)).toEqual([1, 2, 3]);
    expect(offers).toEqual([[1, 2, 3]]);
  });
});
