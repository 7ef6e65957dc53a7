/**
 * The header of a Semtech UDP datagram: protocol version, random token, type, and the gateway's
 * EUI on everything that a gateway sends.
 */
export const udpTypes = {
  ...{ pushData: 0, pushAck: 1, pullData: 2, pullResp: 3, pullAck: 4, txAck: 5 },
} as const;

export interface UdpHeader {
  readonly type: number;
  /** 16 lower-case hex digits. */
  readonly gateway: string;
}

const headerBytes = 12;

/** Undefined for anything that no gateway sends; such a datagram is never answered. */
export function readUdpHeader(datagram: Buffer): UdpHeader | undefined {
  const [version, , , type] = datagram;
  if (datagram.length < headerBytes || (version !== 1 && version !== 2)) return undefined;
  if (type !== udpTypes.pushData && type !== udpTypes.pullData && type !== udpTypes.txAck) {
    return undefined;
  }
  return { type, gateway: datagram.toString('hex', 4, headerBytes) };
}

/** An acknowledgement repeats the version and the token of what it acknowledges. */
export function acknowledgementOf(datagram: Buffer, type: number): Buffer {
  const answer = Buffer.from(datagram.subarray(0, 4));
  answer[3] = type;
  return answer;
}

const openingBrace = 0x7b;

/** A server's datagram to a gateway, which names none; a multiplexer lets it be heard. */
export function isPullResp(datagram: Buffer): boolean {
  const [version, , , type, first] = datagram;
  if (version !== 1 && version !== 2) return false;
  return type === udpTypes.pullResp && first === openingBrace;
}
