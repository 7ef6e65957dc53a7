/** What a person writes of a device model, in YAML or JSON, and what is wrong with it. */
import { z } from 'zod';
import type { ModelSettings } from '../../model/device-model.ts';
import { limitsInput, mappingInput } from '../../model/own-settings.ts';

/** Ids of device repositories are `<vendor>/<device>`; a person's own may be any name. */
export const modelIdPattern = /^[^\p{Cc}\p{Cs}]{1,128}$/u;

const label = z
  .string()
  .regex(/^[^\p{Cc}\p{Cs}]{1,128}$/u, 'Is not a text of 1 to 128 characters on one line.');
const sensorsMax = 64;
const descriptionCharsMax = 4_096;

/** Each field by itself; what rules and limits name is checked beside it. */
export const modelShape = z.strictObject({
  name: label.exactOptional(),
  description: z.string().max(descriptionCharsMax).exactOptional(),
  sensors: z.array(label).max(sensorsMax).exactOptional(),
  codec: label.exactOptional(),
  macVersion: z
    .string()
    .regex(/^1\.[01](\.\d{1,2})?$/, 'Is not a LoRaWAN version, such as 1.0.3.')
    .exactOptional(),
  mapping: mappingInput.exactOptional(),
  limits: limitsInput.exactOptional(),
});

export interface ModelProblem {
  /** The field, with dots between levels; empty for the model as a whole. */
  readonly path: string;
  readonly detail: string;
}

export type ModelRead =
  | { readonly settings: ModelSettings }
  | { readonly problems: readonly ModelProblem[] };

/** Never throws. */
export function readModelSettings(input: unknown): ModelRead {
  const read = modelShape.safeParse(input);
  if (read.success) return { settings: read.data };
  const known = Object.keys(modelShape.shape).join(', ');
  return {
    problems: read.error.issues.flatMap((issue) => {
      const path = issue.path.map(String);
      if (issue.code !== 'unrecognized_keys')
        return [{ path: path.join('.'), detail: issue.message }];
      const hint = path.length === 0 ? `: known are ${known}` : '';
      return issue.keys.map((key) => ({
        path: [...path, key.slice(0, 128)].join('.'),
        detail: `Is not a known field${hint}.`,
      }));
    }),
  };
}

/** A model as it stands in the configuration: with its id among its fields. */
export function readModel(
  input: unknown,
):
  | { readonly id: string; readonly settings: ModelSettings }
  | { problems: readonly ModelProblem[] } {
  if (typeof input !== 'object' || input === null || !('id' in input)) {
    return { problems: [{ path: 'id', detail: 'Is missing.' }] };
  }
  const { id, ...rest } = input;
  if (typeof id !== 'string' || !modelIdPattern.test(id)) {
    return { problems: [{ path: 'id', detail: 'Is not a text of 1 to 128 characters.' }] };
  }
  const read = readModelSettings(rest);
  return 'problems' in read ? read : { id, settings: read.settings };
}
