/**
 * Reads packet captures, pcap and pcapng, and takes the UDP datagrams out of their link layers.
 * Formats: draft-ietf-opsawg-pcap and draft-ietf-opsawg-pcapng; link types from the registry of
 * tcpdump.org. A datagram that was fragmented or cut short is counted and left out.
 */
import { CaptureUnreadable } from './message.ts';

export interface UdpDatagram {
  /** Epoch milliseconds. */
  readonly at: number;
  readonly sourcePort: number;
  readonly targetPort: number;
  readonly payload: Buffer;
}

export interface PcapCounts {
  /** Cut by the recorder's limit, or one of several fragments. */
  incomplete: number;
}

/** A file is read whole, so it has a limit. */
export const pcapBytesMax = 2_000_000_000;

interface Packet {
  readonly at: number;
  readonly linkType: number;
  readonly bytes: Buffer;
  readonly isCut: boolean;
}

/** Throws CaptureUnreadable when it is neither format; a missing end is passed over. */
export function* udpDatagrams(file: Buffer, counts: PcapCounts): Generator<UdpDatagram, void> {
  for (const packet of packetsOf(file)) {
    const datagram = datagramOf(packet);
    if (datagram === undefined) continue;
    if (datagram === 'incomplete' || packet.isCut) counts.incomplete += 1;
    else yield datagram;
  }
}

function packetsOf(file: Buffer): Generator<Packet, void> {
  if (file.length >= 24) {
    const magic = file.readUInt32BE(0);
    if (magic === 0x0a0d0d0a) return pcapngPackets(file);
    if (magic === 0xa1b2c3d4) return pcapPackets(file, { isLittle: false, perMs: 1_000 });
    if (magic === 0xd4c3b2a1) return pcapPackets(file, { isLittle: true, perMs: 1_000 });
    if (magic === 0xa1b23c4d) return pcapPackets(file, { isLittle: false, perMs: 1_000_000 });
    if (magic === 0x4d3cb2a1) return pcapPackets(file, { isLittle: true, perMs: 1_000_000 });
  }
  throw new CaptureUnreadable('this is neither a pcap nor a pcapng file');
}

function word(bytes: Buffer, at: number, isLittle: boolean): number {
  return isLittle ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at);
}

function* pcapPackets(
  file: Buffer,
  { isLittle, perMs }: { isLittle: boolean; perMs: number },
): Generator<Packet, void> {
  const linkType = word(file, 20, isLittle) & 0x0fffffff;
  let place = 24;
  while (place + 16 <= file.length) {
    const seconds = word(file, place, isLittle);
    const fraction = word(file, place + 4, isLittle);
    const held = word(file, place + 8, isLittle);
    const original = word(file, place + 12, isLittle);
    const end = place + 16 + held;
    if (end > file.length) return;
    const at = seconds * 1_000 + Math.floor(fraction / perMs);
    yield { at, linkType, bytes: file.subarray(place + 16, end), isCut: held < original };
    place = end;
  }
}

interface Interface {
  readonly linkType: number;
  /** Ticks a second. */
  readonly resolution: bigint;
}

const blockTypes = { section: 0x0a0d0d0a, interface: 1, enhanced: 6 } as const;

/** Blocks of kinds that hold no packet with a time are passed over. */
function* pcapngPackets(file: Buffer): Generator<Packet, void> {
  let isLittle = false;
  let interfaces: Interface[] = [];
  let place = 0;
  while (place + 12 <= file.length) {
    if (file.readUInt32BE(place) === blockTypes.section) {
      isLittle = file.readUInt32LE(place + 8) === 0x1a2b3c4d;
      interfaces = [];
    }
    const type = word(file, place, isLittle);
    const length = word(file, place + 4, isLittle);
    if (length < 12 || length % 4 !== 0)
      throw new CaptureUnreadable(`a block at ${place} is unsound`);
    if (place + length > file.length) return;
    const block = file.subarray(place + 8, place + length - 4);
    if (type === blockTypes.interface) interfaces.push(interfaceOf(block, isLittle));
    if (type === blockTypes.enhanced && block.length >= 20) {
      const packet = enhancedPacket(block, interfaces, isLittle);
      if (packet !== undefined) yield packet;
    }
    place += length;
  }
}

function interfaceOf(block: Buffer, isLittle: boolean): Interface {
  const linkType = isLittle ? block.readUInt16LE(0) : block.readUInt16BE(0);
  return { linkType, resolution: resolutionOf(block, isLittle) };
}

const resolutionOption = 9;

/** Microseconds unless option if_tsresol says otherwise. */
function resolutionOf(block: Buffer, isLittle: boolean): bigint {
  const half = (at: number) => (isLittle ? block.readUInt16LE(at) : block.readUInt16BE(at));
  let place = 8;
  while (place + 4 <= block.length) {
    const [code, length] = [half(place), half(place + 2)];
    const value = block[place + 4];
    if (code === resolutionOption && length === 1 && value !== undefined) {
      return (value & 0x80) === 0 ? 10n ** BigInt(value) : 2n ** BigInt(value & 0x7f);
    }
    if (code === 0) break;
    place += 4 + Math.ceil(length / 4) * 4;
  }
  return 1_000_000n;
}

function enhancedPacket(
  block: Buffer,
  interfaces: readonly Interface[],
  isLittle: boolean,
): Packet | undefined {
  const source = interfaces[word(block, 0, isLittle)];
  const held = word(block, 12, isLittle);
  if (source === undefined || 20 + held > block.length) return undefined;
  const ticks = (BigInt(word(block, 4, isLittle)) << 32n) | BigInt(word(block, 8, isLittle));
  return {
    at: Number((ticks * 1_000n) / source.resolution),
    linkType: source.linkType,
    bytes: block.subarray(20, 20 + held),
    isCut: held < word(block, 16, isLittle),
  };
}

const etherTypes = { ipv4: 0x0800, ipv6: 0x86dd, vlan: 0x8100, serviceVlan: 0x88a8 } as const;

type Found = UdpDatagram | 'incomplete' | undefined;

function datagramOf({ linkType, bytes, at }: Packet): Found {
  switch (linkType) {
    case 1:
      return ethernet(bytes, 12, at);
    case 113:
      return ethernet(bytes, 14, at);
    case 276:
      return bytes.length < 20 ? undefined : byEtherType(bytes.readUInt16BE(0), bytes, 20, at);
    case 12:
    case 101:
    case 228:
    case 229:
      return internet(bytes, at);
    case 0:
    case 108:
      return internet(bytes.subarray(4), at);
    default:
      throw new CaptureUnreadable(`packets of link type ${linkType} are not read here`);
  }
}

/** The type stands at `place`; tags of virtual networks come before it. */
function ethernet(bytes: Buffer, place: number, at: number): Found {
  if (bytes.length < place + 2) return undefined;
  const type = bytes.readUInt16BE(place);
  const isTagged = type === etherTypes.vlan || type === etherTypes.serviceVlan;
  return isTagged ? ethernet(bytes, place + 4, at) : byEtherType(type, bytes, place + 2, at);
}

function byEtherType(type: number, bytes: Buffer, start: number, at: number): Found {
  const isInternet = type === etherTypes.ipv4 || type === etherTypes.ipv6;
  return isInternet ? internet(bytes.subarray(start), at) : undefined;
}

const udpProtocol = 17;

function internet(bytes: Buffer, at: number): Found {
  const version = (bytes[0] ?? 0) >> 4;
  if (version === 4 && bytes.length >= 20) {
    if (bytes[9] !== udpProtocol) return undefined;
    const isFragment = (bytes.readUInt16BE(6) & 0x3fff) !== 0;
    return isFragment ? 'incomplete' : udp(bytes.subarray((bytes.readUInt8(0) & 0x0f) * 4), at);
  }
  if (version !== 6 || bytes.length < 40) return undefined;
  // Extension headers other than a fragment's do not come before a forwarder's datagrams.
  if (bytes[6] === 44) return 'incomplete';
  return bytes[6] === udpProtocol ? udp(bytes.subarray(40), at) : undefined;
}

/** By the length that the datagram names: Ethernet fills short packets up. */
function udp(bytes: Buffer, at: number): Found {
  if (bytes.length < 8) return undefined;
  const length = bytes.readUInt16BE(4);
  if (length < 8 || length > bytes.length) return 'incomplete';
  return {
    at,
    sourcePort: bytes.readUInt16BE(0),
    targetPort: bytes.readUInt16BE(2),
    payload: bytes.subarray(8, length),
  };
}
