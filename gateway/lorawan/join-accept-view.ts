/** A join-accept in clear as a person reads it: what the network tells the device to use. */
import type { ClearJoinAccept } from './frame.ts';

export interface JoinAcceptView {
  readonly joinNonce: number;
  readonly netId: string;
  readonly devAddr: string;
  readonly version: '1.0' | '1.1';
  readonly rx1DrOffset: number;
  readonly rx2DataRate: number;
  readonly rxDelaySeconds: number;
  /** Hz; channels that the device adds. */
  readonly frequencies?: readonly number[];
  /** 16 bits each in hex, of the fixed channel plans: which channels are on. */
  readonly channelMasks?: readonly string[];
}

export function viewJoinAccept(accept: ClearJoinAccept): JoinAcceptView {
  const { joinNonce, netId, devAddr, dlSettings, rxDelay, cfList } = accept;
  return {
    ...{ joinNonce, netId, devAddr },
    version: (dlSettings & 0x80) === 0 ? '1.0' : '1.1',
    rx1DrOffset: (dlSettings >> 4) & 0x07,
    rx2DataRate: dlSettings & 0x0f,
    rxDelaySeconds: Math.max(1, rxDelay & 0x0f),
    ...channelsOf(cfList),
  };
}

/** The last of 16 bytes is the type: 0 five frequencies, 1 channel masks; others are not known. */
function channelsOf(cfList: Buffer): Pick<JoinAcceptView, 'frequencies' | 'channelMasks'> {
  const type = cfList[15];
  if (type === 0) {
    const places = [0, 3, 6, 9, 12];
    const frequencies = places.map((at) => cfList.readUIntLE(at, 3) * 100);
    return { frequencies: frequencies.filter((frequency) => frequency > 0) };
  }
  if (type !== 1) return {};
  const masks = [0, 2, 4, 6, 8].map((at) => cfList.readUInt16LE(at).toString(16).padStart(4, '0'));
  return { channelMasks: masks };
}
