/**
 * CoAP messages as bytes, as a modem would send them; written apart from the gateway's own reader.
 */
export interface RequestPacket {
  readonly type?: 0 | 1 | 2 | 3;
  /** As two digits of class and detail: 0x02 is POST. */
  readonly code?: number;
  readonly messageId?: number;
  readonly token?: string;
  readonly path?: string;
  readonly query?: readonly string[];
  readonly format?: number;
  readonly block1?: { readonly num: number; readonly more: boolean; readonly exponent: number };
  readonly size1?: number;
  /** By number, beside those above. */
  readonly options?: readonly (readonly [number, Buffer | string])[];
  readonly payload?: Buffer | string;
}

export function requestPacket(request: RequestPacket): Buffer {
  const { type = 0, code = 2, messageId = 1, token = 'cafe', path = '', block1 } = request;
  const tokenBytes = Buffer.from(token, 'hex');
  const options: [number, Buffer][] = [
    ...path
      .split('/')
      .flatMap((part): [number, Buffer][] => (part === '' ? [] : [[11, Buffer.from(part)]])),
    ...(request.format === undefined ? [] : [option(12, request.format)]),
    ...(request.query ?? []).map((part): [number, Buffer] => [15, Buffer.from(part)]),
    ...(block1 === undefined
      ? []
      : [option(27, block1.num * 16 + (block1.more ? 8 : 0) + block1.exponent)]),
    ...(request.size1 === undefined ? [] : [option(60, request.size1)]),
    ...(request.options ?? []).map(([number, value]): [number, Buffer] => [
      number,
      Buffer.from(value),
    ]),
  ];
  options.sort(([one], [other]) => one - other);
  const payload = Buffer.from(request.payload ?? '');
  let last = 0;
  const written = options.map(([number, value]) => {
    const bytes = Buffer.concat([heads(number - last, value.length), value]);
    last = number;
    return bytes;
  });
  return Buffer.concat([
    Buffer.from([0x40 | (type << 4) | tokenBytes.length, code, messageId >> 8, messageId & 0xff]),
    tokenBytes,
    ...written,
    ...(payload.length === 0 ? [] : [Buffer.from([0xff]), payload]),
  ]);
}

function option(number: number, integer: number): [number, Buffer] {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(integer);
  return [
    number,
    bytes.subarray(
      bytes.findIndex((byte) => byte !== 0) < 0 ? 4 : bytes.findIndex((byte) => byte !== 0),
    ),
  ];
}

function heads(delta: number, length: number): Buffer {
  const [deltaNibble, deltaBytes] = extended(delta);
  const [lengthNibble, lengthBytes] = extended(length);
  return Buffer.from([(deltaNibble << 4) | lengthNibble, ...deltaBytes, ...lengthBytes]);
}

function extended(value: number): [number, number[]] {
  if (value < 13) return [value, []];
  if (value < 269) return [13, [value - 13]];
  return [14, [(value - 269) >> 8, (value - 269) & 0xff]];
}
