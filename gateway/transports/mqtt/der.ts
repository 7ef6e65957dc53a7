/** The little of DER [X.690] that is needed to find the fields of a certificate's structures. */

export interface DerElement {
  /** The identifier octet; those of more than one octet do not occur in what is read here. */
  readonly tag: number;
  readonly content: Buffer;
  /** With its header. */
  readonly whole: Buffer;
}

/** A length has at most four octets here: 4 GiB. */
const lengthOctetsMax = 4;

/** Undefined where the bytes end too early, or are no definite length. */
export function readElement(bytes: Buffer, at: number): DerElement | undefined {
  const tag = bytes[at];
  const first = bytes[at + 1];
  if (tag === undefined || first === undefined) return undefined;
  const octets = first < 0x80 ? 0 : first & 0x7f;
  const from = at + 2 + octets;
  if (first === 0x80 || octets > lengthOctetsMax || from > bytes.length) return undefined;
  const length = octets === 0 ? first : bytes.readUIntBE(at + 2, octets);
  if (from + length > bytes.length) return undefined;
  const end = from + length;
  return { tag, content: bytes.subarray(from, end), whole: bytes.subarray(at, end) };
}

/** One after the other, up to what is none. */
export function readElements(bytes: Buffer): readonly DerElement[] {
  const elements: DerElement[] = [];
  for (let at = 0; at < bytes.length; ) {
    const element = readElement(bytes, at);
    if (element === undefined) break;
    elements.push(element);
    at += element.whole.length;
  }
  return elements;
}
