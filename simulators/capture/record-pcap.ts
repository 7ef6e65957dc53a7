/**
 * The uplinks of Semtech packet forwarders in a packet capture, as the server side saw or would
 * have seen them.
 */
import { semtechHeaderBytes } from './body-text.ts';
import type { CapturedMessage } from './message.ts';
import { type PcapCounts, udpDatagrams } from './pcap.ts';

export interface SemtechCounts extends PcapCounts {
  /** UDP datagrams that no packet forwarder sends up, among them keep-alives and answers. */
  others: number;
}

export interface SemtechFilter {
  /** The server's port; absent: any, since the form of a datagram tells enough. */
  readonly port?: number | undefined;
}

/** What carries uplinks, statistics and downlink reports; keep-alives carry nothing. */
const kinds = { pushData: 0, txAck: 5 } as const;

/** Throws CaptureUnreadable when the file is no packet capture. */
export function* semtechMessages(
  file: Buffer,
  counts: SemtechCounts,
  { port }: SemtechFilter = {},
): Generator<CapturedMessage, void> {
  for (const { at, targetPort, payload } of udpDatagrams(file, counts)) {
    if (isUplink(payload) && (port === undefined || targetPort === port)) {
      const gateway = payload.toString('hex', 4, semtechHeaderBytes);
      const body = Buffer.from(payload);
      yield { at, via: 'udp', route: `semtech-udp/${gateway}`, body, sender: gateway };
    } else counts.others += 1;
  }
}

function isUplink(payload: Buffer): boolean {
  const [version, , , kind] = payload;
  const isKind = kind === kinds.pushData || kind === kinds.txAck;
  const isJson = payload.length === semtechHeaderBytes || payload[semtechHeaderBytes] === 0x7b;
  return (
    payload.length >= semtechHeaderBytes && (version === 1 || version === 2) && isKind && isJson
  );
}
