/**
 * Fields that came without a place in the vocabulary: counted where a person would map them, by
 * codec and model, else by device. It is a view like the catalogue that it lies with.
 */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { z } from 'zod';
import type { FieldRule } from '../../decoders/field-rule.ts';
import { findRule } from '../../decoders/field-rule.ts';
import { suggestQuantities } from '../../decoders/name-suggestion.ts';
import { parseReference } from '../codecs/script.ts';
import type { SettledDevice } from '../model/device.ts';
import type { Reading } from '../model/reading.ts';

const seenField = z.object({
  /** As it stands behind `x_`. */
  field: z.string(),
  codec: z.string().optional(),
  model: z.string().optional(),
  /** The last device that sent it. */
  device: z.string(),
  count: z.number(),
  /** Epoch milliseconds. */
  firstSeen: z.number(),
  lastSeen: z.number(),
  lastValue: z.union([z.number(), z.string()]),
  /** Of its numbers. */
  min: z.number().optional(),
  max: z.number().optional(),
});

type SeenField = z.infer<typeof seenField>;

export interface UnmappedField extends Readonly<SeenField> {
  /** A rule speaks of it by now; it cannot read it if it is still seen. */
  readonly hasRule: boolean;
  readonly suggestions: readonly string[];
}

export interface UnmappedQuery {
  readonly codec?: string | undefined;
  readonly model?: string | undefined;
  readonly device?: string | undefined;
  readonly limit: number;
}

export interface UnmappedList {
  /** Those seen most often first. */
  readonly items: readonly UnmappedField[];
  /** All that are asked for, with those beyond the limit. */
  readonly total: number;
  /** Values of fields that there was no room for. */
  readonly beyond: number;
}

export interface UnmappedBook {
  /** Readings that are new. */
  note(readings: readonly Reading[]): void;
  /** How many of them had no place in the vocabulary since this was asked last. */
  takeCount(): number;
  list(query: UnmappedQuery): UnmappedList;
  /** Writes it down, if anything is new. */
  flush(): void;
}

export interface UnmappedParts {
  readonly file: string;
  readonly deviceOf: (id: string) => SettledDevice | undefined;
  /** The rules of a codec, as a device names it. */
  readonly rulesOf: (codec: string) => readonly FieldRule[];
}

export const unmappedFieldsMax = 10_000;
const written = z.object({ format: z.literal(1), beyond: z.number(), fields: z.array(seenField) });

export function openUnmappedBook({ file, deviceOf, rulesOf }: UnmappedParts): UnmappedBook {
  const kept = read(file);
  const fields = new Map(kept.fields.map((one) => [keyOf(one), one]));
  let { beyond } = kept;
  let count = 0;
  let isChanged = false;

  function noteOne({ device, quantity, value, receivedAt }: Reading): void {
    const known = deviceOf(device);
    const { model } = known ?? {};
    const codec = known?.codec === undefined ? undefined : parseReference(known.codec).id;
    const field = quantity.slice(2);
    const key = keyOf({ field, codec, model, device });
    let seen = fields.get(key);
    if (seen === undefined) {
      if (fields.size >= unmappedFieldsMax) {
        beyond += 1;
        return;
      }
      const times = { firstSeen: receivedAt, lastSeen: receivedAt };
      seen = { ...{ field, codec, model, device, count: 0 }, ...times, lastValue: value };
      fields.set(key, seen);
    }
    seen.count += 1;
    seen.device = device;
    seen.lastSeen = receivedAt;
    seen.lastValue = value;
    if (typeof value !== 'number') return;
    seen.min = Math.min(seen.min ?? value, value);
    seen.max = Math.max(seen.max ?? value, value);
  }

  function hasRule({ device, field, codec }: SeenField): boolean {
    const known = deviceOf(device);
    const own = known?.mapping ?? [];
    const all = [...own, ...(codec === undefined ? [] : rulesOf(known?.codec ?? codec))];
    const isNamed = all.some(({ quantity }) => quantity === `x_${field}`);
    return isNamed || findRule(all, [field], undefined) !== undefined;
  }

  return {
    note(readings) {
      for (const reading of readings) {
        if (!reading.quantity.startsWith('x_')) continue;
        count += 1;
        isChanged = true;
        noteOne(reading);
      }
    },
    takeCount() {
      const taken = count;
      count = 0;
      return taken;
    },
    list({ codec, model, device, limit }) {
      const wanted = [...fields.values()].filter(
        (one) =>
          (codec === undefined || one.codec === codec) &&
          (model === undefined || one.model === model) &&
          (device === undefined || one.device === device),
      );
      wanted.sort((one, other) => other.count - one.count);
      const items = wanted.slice(0, limit).map((one) => ({
        ...one,
        hasRule: hasRule(one),
        suggestions: suggestQuantities(one.field, one.lastValue),
      }));
      return { items, total: wanted.length, beyond };
    },
    flush() {
      if (!isChanged) return;
      isChanged = false;
      const all = { format: 1, beyond, fields: [...fields.values()] };
      writeFileSync(`${file}.tmp`, JSON.stringify(all), { mode: 0o600 });
      renameSync(`${file}.tmp`, file);
    },
  };
}

function keyOf(seen: Pick<SeenField, 'field' | 'codec' | 'model' | 'device'>): string {
  const { field, codec = '', model = '', device } = seen;
  return [codec, model, codec === '' && model === '' ? device : '', field].join('\n');
}

/** A file that cannot be read is begun anew: the fields will be seen again. */
function read(file: string): z.infer<typeof written> {
  try {
    return written.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return { format: 1, beyond: 0, fields: [] };
  }
}
