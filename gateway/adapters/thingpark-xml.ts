/**
 * ThingPark's XML bodies as the same document that its JSON bodies give: texts all the way down.
 */
import { isUtf8 } from 'node:buffer';
import { XMLParser } from 'fast-xml-parser';
import { type Fault, fault } from '../model/fault.ts';
import { isObject, malformed, nestingDepthMax, type Place } from './document.ts';

/**
 * XML is read ten times slower than JSON, and the time grows with the tags. A message has a hundred
 * of them in 1.2 kB; these bounds keep the worst one from holding up the thread.
 */
const xmlBytesMax = 16_384;
const tagsMax = 400;

/** Entities are not expanded and attributes not read: no field of this format needs them. */
const parser = new XMLParser({
  ignoreAttributes: true,
  ignoreDeclaration: true,
  ignorePiTags: true,
  removeNSPrefix: true,
  parseTagValue: false,
  processEntities: false,
  htmlEntities: false,
  maxNestedTags: nestingDepthMax,
  isArray: (tagName) => tagName === 'Lrr',
});

/** A document type is where entity bombs are declared; ThingPark sends none. */
const documentType = /<!(?:DOCTYPE|ENTITY)/i;

/** Never throws. */
export function openXml(body: Buffer): Place | Fault {
  if (body.length > xmlBytesMax) {
    return fault('INBOUND_TOO_LARGE', `the body has more than ${xmlBytesMax} bytes of XML`);
  }
  if (!isUtf8(body)) return malformed('the body is not UTF-8');
  // A byte order mark and blanks before the declaration are no part of the document.
  const text = body.toString('utf8').trimStart();
  if (documentType.test(text)) return malformed('the XML declares a document type');
  if (text.split('<', tagsMax + 2).length > tagsMax + 1) {
    return malformed(`the XML has more than ${tagsMax} tags`);
  }
  try {
    const value: unknown = parser.parse(text, true);
    if (isObject(value)) return { object: value, path: '', complaints: [] };
  } catch {
    // The parser's own message quotes the body, which may not stand in a fault.
  }
  return malformed('the body is not XML');
}
