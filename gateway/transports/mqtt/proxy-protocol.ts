/**
 * The PROXY protocol, versions 1 and 2: before the first byte of its client a load balancer says
 * whose connection it is [HAProxy, proxy-protocol.txt, 2.1 and 2.2]. Only from addresses that are
 * trusted with it, and there it is required: a receiver must not guess (chapter 2).
 */
import { BlockList, isIP, isIPv4, isIPv6, type Socket } from 'node:net';
import { plainAddress } from '../connection-count.ts';

export type ProxyHeader =
  | { readonly kind: 'incomplete' }
  | { readonly kind: 'malformed'; readonly detail: string; readonly isLate?: boolean }
  /** Without an address the connection is the proxy's own, such as its health check. */
  | { readonly kind: 'whole'; readonly lengthBytes: number; readonly address: string | undefined };

/** With its line end; the longest there can be (2.1). */
const lineBytesMax = 107;
/** Addresses and whatever the proxy adds to them, such as the name of a client certificate. */
const bodyBytesMax = 2_048;
const headBytes = 16;
const signature = Buffer.from('0d0a0d0a000d0a515549540a', 'hex');
const word = Buffer.from('PROXY ');

export interface ProxyHeaderOptions {
  /** From the connection to the last byte of the header. */
  readonly timeoutMs: number;
}

/** Takes the header off a connection; what follows it stays to be read. */
export function takeProxyHeader(
  socket: Socket,
  { timeoutMs }: ProxyHeaderOptions,
  done: (header: Exclude<ProxyHeader, { kind: 'incomplete' }>) => void,
): void {
  let held: Buffer = Buffer.alloc(0);
  const timer = setTimeout(
    () => finish({ kind: 'malformed', detail: 'it did not come', isLate: true }),
    timeoutMs,
  );

  function finish(header: Parameters<typeof done>[0]): void {
    clearTimeout(timer);
    socket.off('readable', read);
    socket.off('close', forget);
    socket.off('error', ignore);
    if (header.kind === 'whole' && held.length > header.lengthBytes) {
      socket.unshift(held.subarray(header.lengthBytes));
    }
    done(header);
  }

  function forget(): void {
    clearTimeout(timer);
  }

  function read(): void {
    for (let chunk: unknown = socket.read(); Buffer.isBuffer(chunk); chunk = socket.read()) {
      held = Buffer.concat([held, chunk]);
      const header = parseProxyHeader(held);
      if (header.kind === 'incomplete') continue;
      finish(header);
      return;
    }
  }

  socket.on('close', forget);
  socket.on('error', ignore);
  socket.on('readable', read);
}

export function parseProxyHeader(bytes: Buffer): ProxyHeader {
  if (startsLike(bytes, signature)) return parseBinary(bytes);
  if (startsLike(bytes, word)) return parseLine(bytes);
  return malformed('neither version begins so');
}

/** As far as both go. */
function startsLike(bytes: Buffer, beginning: Buffer): boolean {
  const length = Math.min(bytes.length, beginning.length);
  return bytes.subarray(0, length).equals(beginning.subarray(0, length));
}

function parseLine(bytes: Buffer): ProxyHeader {
  const end = bytes.subarray(0, lineBytesMax).indexOf('\r\n');
  if (end < 0) {
    const isTooLong = bytes.length >= lineBytesMax;
    return isTooLong ? malformed('a line of more than 107 bytes') : { kind: 'incomplete' };
  }
  const line = bytes.toString('latin1', 0, end);
  const lengthBytes = end + 2;
  if (/^PROXY UNKNOWN( |$)/.test(line)) return { kind: 'whole', lengthBytes, address: undefined };
  const found = /^PROXY (TCP4|TCP6) (\S+) (\S+) (\d{1,5}) (\d{1,5})$/.exec(line);
  const [, family, source = '', destination = '', ...ports] = found ?? [];
  const isOfFamily = family === 'TCP4' ? isIPv4 : isIPv6;
  const isSound =
    found !== null &&
    isOfFamily(source) &&
    isOfFamily(destination) &&
    ports.every((port) => Number(port) <= 65_535);
  if (!isSound) return malformed('a line of another form');
  return { kind: 'whole', lengthBytes, address: spellAddress(source) };
}

const inet = 0x11;
const inet6 = 0x21;
const unspecified = 0x00;

function parseBinary(bytes: Buffer): ProxyHeader {
  if (bytes.length < headBytes) return { kind: 'incomplete' };
  const [versionAndCommand = 0, family = 0] = bytes.subarray(signature.length);
  const length = bytes.readUInt16BE(14);
  if (versionAndCommand !== 0x20 && versionAndCommand !== 0x21) return malformed('a wrong command');
  if (length > bodyBytesMax) return malformed(`${length} bytes of addresses`);
  const lengthBytes = headBytes + length;
  if (bytes.length < lengthBytes) return { kind: 'incomplete' };
  const isLocal = versionAndCommand === 0x20;
  if (isLocal || family === unspecified) return { kind: 'whole', lengthBytes, address: undefined };
  const body = bytes.subarray(headBytes, lengthBytes);
  if (family === inet && length >= 12) {
    return { kind: 'whole', lengthBytes, address: body.subarray(0, 4).join('.') };
  }
  if (family === inet6 && length >= 36) {
    const groups = body.subarray(0, 16).toString('hex').match(/.{4}/g) ?? [];
    return { kind: 'whole', lengthBytes, address: spellAddress(groups.join(':')) };
  }
  return malformed('addresses that are not of TCP');
}

/** One spelling for an address, so that it is counted as one. */
function spellAddress(address: string): string {
  if (isIPv4(address)) return address;
  const short = new URL(`http://[${address}]`).hostname.slice(1, -1);
  const mapped = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(short);
  if (mapped === null) return short;
  const bytes = mapped.slice(1).flatMap((group) => {
    const value = Number.parseInt(group, 16);
    return [value >> 8, value & 0xff];
  });
  return bytes.join('.');
}

function malformed(detail: string): ProxyHeader {
  return { kind: 'malformed', detail };
}

/** Whether an address is one of these; each is an address or a range such as 10.0.0.0/8. */
export function createTrust(trusted: readonly string[]): (address: string) => boolean {
  // Asked for every connection; a list of nobody takes as long to look through as one of many.
  if (trusted.length === 0) return () => false;
  const list = new BlockList();
  for (const each of trusted) {
    const [address = '', prefix] = each.split('/');
    const family = isIPv6(address) ? 'ipv6' : 'ipv4';
    if (prefix === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(prefix), family);
  }
  return (address) => {
    const plain = plainAddress(address);
    return isIP(plain) !== 0 && list.check(plain, isIPv6(plain) ? 'ipv6' : 'ipv4');
  };
}

function ignore(): void {}
