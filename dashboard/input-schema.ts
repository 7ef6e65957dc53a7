/** What may be sent, for the API's document, made of the very schema that checks it. */
import { z } from 'zod';

/** Before defaults are put in and spellings are brought into one. */
export function inputSchema(schema: z.ZodType) {
  const { $schema: _draft, ...json } = z.toJSONSchema(schema, { io: 'input' });
  return json;
}
