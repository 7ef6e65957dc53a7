/**
 * The text within a body: all of it, or what follows the header of a Semtech UDP datagram. Whoever
 * changes a body changes that text and keeps the rest.
 */
import type { CapturedMessage } from './message.ts';

export interface BodyText {
  readonly text: string;
  /** The body with another text. */
  with(text: string): Buffer;
}

export const semtechHeaderBytes = 12;
const semtechRoute = /^semtech-udp\//;

export function isSemtech({ via, route }: Pick<CapturedMessage, 'via' | 'route'>): boolean {
  return via === 'udp' && semtechRoute.test(route);
}

/** Undefined where the bytes are no UTF-8. */
export function bodyTextOf(message: CapturedMessage): BodyText | undefined {
  const { body } = message;
  const start = isSemtech(message) ? Math.min(semtechHeaderBytes, body.length) : 0;
  const text = body.toString('utf8', start);
  if (!Buffer.from(text, 'utf8').equals(body.subarray(start))) return undefined;
  return {
    text,
    with: (changed) => Buffer.concat([body.subarray(0, start), Buffer.from(changed, 'utf8')]),
  };
}
