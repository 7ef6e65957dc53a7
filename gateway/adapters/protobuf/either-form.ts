/**
 * One topic, two encodings: a server's operator chooses JSON or protobuf without a change of topic,
 * so the message itself has to tell. One adapter claims the topic and asks its first bytes.
 */
import type { Adapter } from '../adapter.ts';

/** Keeps the name and the topics of the JSON adapter; each item names the form it was read from. */
export function eitherForm(json: Adapter, protobuf: Adapter): Adapter {
  return {
    name: json.name,
    topicFilters: json.topicFilters,
    isNetworkServer: json.isNetworkServer,
    parse: (inbound) => (isJson(inbound.body) ? json : protobuf).parse(inbound),
  };
}

const byteOrderMark = 0xefbbbf;

/**
 * A brace after white space, and then a quotation mark or the other brace. The brace alone is not
 * enough: a protobuf message that begins with 123 bytes in field 1 begins with the bytes `\n{`. An
 * empty body is left to JSON, where it is a fault.
 */
export function isJson(body: Buffer): boolean {
  const start = body.length >= 3 && body.readUIntBE(0, 3) === byteOrderMark ? 3 : 0;
  const brace = skipBlanks(body, start);
  if (body[brace] !== 0x7b) return body.length === 0;
  const inside = body[skipBlanks(body, brace + 1)];
  return inside === 0x22 || inside === 0x7d;
}

function skipBlanks(body: Buffer, start: number): number {
  let at = start;
  while (isBlank(body[at])) at += 1;
  return at;
}

function isBlank(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}
