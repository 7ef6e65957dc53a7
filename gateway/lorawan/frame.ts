/**
 * LoRaWAN frames as values. This is the only file that imports lora-packet, which does not check
 * lengths and throws on some bytes: everything is checked here first, so that any bytes give a
 * frame or a fault. Layouts as in lora-packet and brocaar/lorawan; multi-byte fields are turned
 * into display order (most significant byte first) as devices print them.
 */
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import type LoraPacketLibrary from 'lora-packet';
import { type Fault, fault } from '../model/fault.ts';

/** The largest PHYPayload a LoRa modem can carry: its length field is one byte. */
export const phyPayloadBytesMax = 255;
const micBytes = 4;
/** MHDR, DevAddr, FCtrl, FCnt. */
const headerBytes = 8;
const dataFrameBytesMin = headerBytes + micBytes;

export interface FrameControl {
  readonly adr: boolean;
  /** ADRACKReq; in downlinks this bit has no meaning. */
  readonly adrAckReq: boolean;
  readonly ack: boolean;
  /** FPending in a downlink, class B in an uplink. */
  readonly fPending: boolean;
}

export type DataType =
  | 'UnconfirmedDataUp'
  | 'UnconfirmedDataDown'
  | 'ConfirmedDataUp'
  | 'ConfirmedDataDown';

interface FrameBase {
  /** The whole frame as it was on air. */
  readonly phyPayload: Buffer;
}

export interface DataFrame extends FrameBase {
  readonly kind: 'data';
  readonly mType: DataType;
  readonly direction: 'up' | 'down';
  /** 8 lower-case hex digits. */
  readonly devAddr: string;
  readonly fCtrl: FrameControl;
  /** Only the low 16 bits of the counter are on air. */
  readonly fCnt16: number;
  /** Still encrypted in LoRaWAN 1.1. */
  readonly fOpts: Buffer;
  readonly fPort?: number;
  /** Still encrypted. */
  readonly frmPayload: Buffer;
  readonly mic: Buffer;
}

export interface JoinRequestFrame extends FrameBase {
  readonly kind: 'join-request';
  readonly joinEui: string;
  readonly devEui: string;
  readonly devNonce: number;
  readonly mic: Buffer;
}

/** Everything after the first byte is encrypted, the MIC too: see join.ts. */
export interface JoinAcceptFrame extends FrameBase {
  readonly kind: 'join-accept';
}

export interface RejoinRequestFrame extends FrameBase {
  readonly kind: 'rejoin-request';
  readonly rejoinType: 0 | 1 | 2;
  /** Types 0 and 2: 6 hex digits. */
  readonly netId?: string;
  /** Type 1. */
  readonly joinEui?: string;
  readonly devEui: string;
  /** RJCount1 for type 1, RJCount0 for the others. */
  readonly rjCount: number;
  readonly mic: Buffer;
}

export interface ProprietaryFrame extends FrameBase {
  readonly kind: 'proprietary';
}

export type Frame =
  | DataFrame
  | JoinRequestFrame
  | JoinAcceptFrame
  | RejoinRequestFrame
  | ProprietaryFrame;

// lora-packet's typings declare a default export that its CommonJS module does not have, so an
// import would be typed for a value that is absent when it runs. `require` gives what is there.
const loraPacket: typeof LoraPacketLibrary.default = createRequire(import.meta.url)('lora-packet');

/** Total: any bytes give a frame or FRAME_MALFORMED, never an exception. */
export function parseFrame(phyPayload: Buffer): Frame | Fault {
  const mhdr = phyPayload[0];
  if (mhdr === undefined || phyPayload.length > phyPayloadBytesMax) {
    return malformed(`A frame has 1 to ${phyPayloadBytesMax} bytes, not ${phyPayload.length}.`);
  }
  const mType = mhdr >> 5;
  if (mType === 7) return { kind: 'proprietary', phyPayload };
  if ((mhdr & 0x03) !== 0)
    return malformed('The frame names a major version other than LoRaWAN R1.');
  if (mType === 0) return parseJoinRequest(phyPayload);
  if (mType === 1) return parseJoinAccept(phyPayload);
  if (mType === 6) return parseRejoinRequest(phyPayload);
  return parseData(phyPayload, dataTypeOf(mType));
}

/** MType 2 to 5: unconfirmed up and down, confirmed up and down. */
function dataTypeOf(mType: number): DataType {
  if (mType < 4) return mType === 2 ? 'UnconfirmedDataUp' : 'UnconfirmedDataDown';
  return mType === 4 ? 'ConfirmedDataUp' : 'ConfirmedDataDown';
}

function parseData(phyPayload: Buffer, mType: DataType): DataFrame | Fault {
  const problem = dataProblem(phyPayload);
  if (problem !== undefined) return malformed(problem);
  const packet = loraPacket.fromWire(phyPayload);
  const fCtrl = present(packet.FCtrl).readUInt8(0);
  const fPort = present(packet.FPort)[0];
  const frame: Omit<DataFrame, 'fPort'> & { fPort?: number } = {
    kind: 'data',
    phyPayload,
    mType,
    direction: mType.endsWith('Up') ? 'up' : 'down',
    devAddr: hex(packet.DevAddr),
    fCtrl: {
      adr: (fCtrl & 0x80) !== 0,
      adrAckReq: (fCtrl & 0x40) !== 0,
      ack: (fCtrl & 0x20) !== 0,
      fPending: (fCtrl & 0x10) !== 0,
    },
    fCnt16: uint16(packet.FCnt),
    fOpts: present(packet.FOpts),
    frmPayload: present(packet.FRMPayload),
    mic: present(packet.MIC),
  };
  if (fPort !== undefined) frame.fPort = fPort;
  return frame;
}

/** lora-packet reads FOpts over the MIC and beyond the end, so the lengths are checked before. */
function dataProblem(phyPayload: Buffer): string | undefined {
  const length = phyPayload.length;
  if (length < dataFrameBytesMin) {
    return `A data frame has at least ${dataFrameBytesMin} bytes, not ${length}.`;
  }
  const fOptsBytes = phyPayload.readUInt8(5) & 0x0f;
  const fPortAt = headerBytes + fOptsBytes;
  if (fPortAt + micBytes > length) return 'FOptsLen reaches beyond the end of the frame.';
  if (fPortAt + micBytes < length && phyPayload[fPortAt] === 0 && fOptsBytes > 0) {
    return 'MAC commands stand in FOpts and on FPort 0 at once.';
  }
  return undefined;
}

function parseJoinRequest(phyPayload: Buffer): JoinRequestFrame | Fault {
  if (phyPayload.length !== 23) {
    return malformed(`A join-request has 23 bytes, not ${phyPayload.length}.`);
  }
  const packet = loraPacket.fromWire(phyPayload);
  return {
    kind: 'join-request',
    phyPayload,
    joinEui: hex(packet.AppEUI),
    devEui: hex(packet.DevEUI),
    devNonce: uint16(packet.DevNonce),
    mic: present(packet.MIC),
  };
}

function parseJoinAccept(phyPayload: Buffer): JoinAcceptFrame | Fault {
  return phyPayload.length === 17 || phyPayload.length === 33
    ? { kind: 'join-accept', phyPayload }
    : malformed(`A join-accept has 17 or 33 bytes, not ${phyPayload.length}.`);
}

function parseRejoinRequest(phyPayload: Buffer): RejoinRequestFrame | Fault {
  const rejoinType = phyPayload[1];
  if (rejoinType !== 0 && rejoinType !== 1 && rejoinType !== 2) {
    return malformed('The rejoin type is not 0, 1 or 2.');
  }
  const length = rejoinType === 1 ? 24 : 19;
  if (phyPayload.length !== length) {
    return malformed(`This rejoin-request has ${length} bytes, not ${phyPayload.length}.`);
  }
  const packet = loraPacket.fromWire(phyPayload);
  return {
    kind: 'rejoin-request',
    phyPayload,
    rejoinType,
    ...(rejoinType === 1 ? { joinEui: hex(packet.AppEUI) } : { netId: hex(packet.NetID) }),
    devEui: hex(packet.DevEUI),
    // lora-packet reads RJCount1 out of the middle of the DevEUI; the count is the last field.
    rjCount: phyPayload.readUInt16LE(length - micBytes - 2),
    mic: present(packet.MIC),
  };
}

/**
 * A join-accept's clear PHYPayload under the root key. Its fields mean nothing before this, and
 * only its MIC tells whether the key was the right one: see join.ts.
 */
export function decryptJoinAccept(frame: JoinAcceptFrame, rootKey: Buffer): ClearJoinAccept {
  const clear = loraPacket.decryptJoinAccept(loraPacket.fromWire(frame.phyPayload), rootKey);
  const packet = loraPacket.fromWire(clear);
  return {
    clear,
    joinNonce: present(packet.AppNonce).readUIntBE(0, 3),
    netId: hex(packet.NetID),
    devAddr: hex(packet.DevAddr),
    dlSettings: present(packet.DLSettings).readUInt8(0),
    rxDelay: present(packet.RxDelay).readUInt8(0),
    cfList: present(packet.CFList),
    mic: present(packet.MIC),
  };
}

export interface ClearJoinAccept {
  /** The whole frame in clear, MIC included. */
  readonly clear: Buffer;
  readonly joinNonce: number;
  readonly netId: string;
  readonly devAddr: string;
  readonly dlSettings: number;
  readonly rxDelay: number;
  /** 0 or 16 bytes. */
  readonly cfList: Buffer;
  readonly mic: Buffer;
}

const malformed = (detail: string): Fault => fault('FRAME_MALFORMED', detail);
const hex = (field: Buffer | undefined): string => present(field).toString('hex');
const uint16 = (field: Buffer | undefined): number => present(field).readUInt16BE(0);

/** lora-packet types every field as optional; after the checks above it always sets these. */
function present(field: Buffer | undefined): Buffer {
  assert(field !== undefined, 'lora-packet left a field unset that this frame type has');
  return field;
}
