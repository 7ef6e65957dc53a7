/** A frame as a person reads it: its fields in display order, its MAC commands by name. */
import type { DataFrame, Frame, FrameControl } from './frame.ts';
import { parseFrame } from './frame.ts';
import { type MacCommand, parseMacCommands } from './mac-commands.ts';

export interface FrameView {
  readonly mType: string;
  /** Bytes of the PHYPayload. */
  readonly size: number;
  readonly devAddr?: string;
  readonly fCtrl?: FrameControl;
  /** The 16 bits that are on air. */
  readonly fCnt16?: number;
  readonly fPort?: number;
  readonly payloadSize?: number;
  /** In clear; absent where they are encrypted and the key was not there. */
  readonly macCommands?: readonly MacCommand[];
  readonly joinEui?: string;
  readonly devEui?: string;
  readonly devNonce?: number;
  readonly rejoinType?: number;
  readonly rjCount?: number;
  readonly netId?: string;
  /** Hex. */
  readonly mic?: string;
}

/** What only the keys open; each in clear. */
export interface Opened {
  readonly fOpts?: Buffer;
  /** Of FPort 0. */
  readonly macPayload?: Buffer;
  /** FOpts are encrypted, and `fOpts` is what they hold, where that is known. */
  readonly isVersion11?: boolean;
}

/** Undefined for bytes that are no frame. */
export function viewFrame(phyPayload: Buffer, opened: Opened = {}): FrameView | undefined {
  const frame = parseFrame(phyPayload);
  return frame.kind === 'fault' ? undefined : viewOf(frame, opened);
}

export function viewOf(frame: Frame, opened: Opened = {}): FrameView {
  const size = frame.phyPayload.length;
  switch (frame.kind) {
    case 'data':
      return { mType: frame.mType, size, ...dataView(frame, opened) };
    case 'join-request': {
      const { joinEui, devEui, devNonce, mic } = frame;
      return { mType: 'JoinRequest', size, joinEui, devEui, devNonce, mic: mic.toString('hex') };
    }
    case 'rejoin-request': {
      const { rejoinType, joinEui, netId, devEui, rjCount, mic } = frame;
      return {
        ...{ mType: 'RejoinRequest', size, rejoinType, devEui, rjCount, mic: mic.toString('hex') },
        ...(joinEui === undefined ? {} : { joinEui }),
        ...(netId === undefined ? {} : { netId }),
      };
    }
    case 'join-accept':
      return { mType: 'JoinAccept', size };
    case 'proprietary':
      return { mType: 'Proprietary', size };
  }
}

function dataView(frame: DataFrame, opened: Opened) {
  const { devAddr, fCtrl, fCnt16, fPort, frmPayload, mic } = frame;
  const commands = commandsOf(frame, opened);
  return {
    ...{ devAddr, fCtrl, fCnt16, payloadSize: frmPayload.length, mic: mic.toString('hex') },
    ...(fPort === undefined ? {} : { fPort }),
    ...(commands === undefined ? {} : { macCommands: commands }),
  };
}

function commandsOf(frame: DataFrame, opened: Opened): readonly MacCommand[] | undefined {
  const { fPort, fOpts, direction } = frame;
  const bytes =
    fPort === 0 ? opened.macPayload : (opened.fOpts ?? (opened.isVersion11 ? undefined : fOpts));
  if (bytes === undefined || bytes.length === 0) return undefined;
  return parseMacCommands(bytes, direction);
}
