/** Reads what a viewer sends on the live stream; anything else than the grammar is refused. */
import { z } from 'zod';
import type { ClientMessage } from '../protocol.ts';

const id = z.number().int().min(0).max(1_000_000);
const name = z.string().min(1).max(128);
const clientMessage = z.discriminatedUnion('t', [
  z.strictObject({ t: z.literal('auth'), token: z.string().min(1).max(512) }),
  z.strictObject({
    t: z.literal('sub'),
    id,
    view: z.enum(['latest', 'series']),
    filter: z
      .strictObject({ device: name.exactOptional(), area: name.exactOptional() })
      .exactOptional(),
    rate: z.number().min(1).max(600_000).exactOptional(),
    resume: z
      .strictObject({ epoch: z.string().max(64), seq: z.number().int().min(0) })
      .exactOptional(),
  }),
  z.strictObject({ t: z.literal('unsub'), id }),
  z.strictObject({ t: z.literal('rate'), id, ms: z.number().min(1).max(600_000) }),
  z.strictObject({ t: z.literal('pause') }),
  z.strictObject({ t: z.literal('go') }),
]);

/** Undefined for anything that is not a message of this protocol. */
export function parseClientMessage(text: string): ClientMessage | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const parsed = clientMessage.safeParse(value);
  return parsed.success ? parsed.data : undefined;
}
