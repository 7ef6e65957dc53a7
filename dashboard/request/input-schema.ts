/** What may be sent, for the API's document, made of the very schema that checks it. */
import { z } from 'zod';

/** Before defaults are put in and spellings are brought into one. */
export function inputSchema(schema: z.ZodType) {
  const { $schema: _draft, ...json } = z.toJSONSchema(schema, {
    io: 'input',
    override({ jsonSchema }) {
      const { pattern } = jsonSchema;
      if (pattern !== undefined) jsonSchema.pattern = portable(pattern);
    },
  });
  return json;
}

/**
 * A pattern as the tools of many languages read it [JSON Schema 2020-12, core, section 6.4]: no
 * classes of Unicode. A lone surrogate cannot stand in UTF-8 and needs no word.
 */
export function portable(pattern: string): string {
  return pattern
    .replaceAll('\\p{Cc}', '\\u0000-\\u001f\\u007f-\\u009f')
    .replaceAll('\\p{Cs}', '')
    .replaceAll('\\0', '\\u0000');
}
