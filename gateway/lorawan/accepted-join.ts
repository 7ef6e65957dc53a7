/** What a join-accept makes of a request that was heard: a session, if their keys agree. */
import type { Device, SessionKeys } from '../model/device.ts';
import type { ClearJoinAccept, JoinAcceptFrame } from './frame.ts';
import {
  deriveJoinServerKeys,
  deriveSessionKeys10,
  deriveSessionKeys11,
  openJoinAccept,
} from './join.ts';
import type { HeardRequest, NewSession } from './join-book.ts';

/** The root keys that are held for a device. */
export interface RootKeys {
  /** All of LoRaWAN 1.0. */
  readonly appKey?: Buffer;
  readonly nwkKey?: Buffer;
}

export const joinRequestType = 255;
const optNeg = 0x80;

/** Undefined when this accept was not made for this request under these keys. */
export function acceptedSession(
  frame: JoinAcceptFrame,
  request: HeardRequest,
  device: Pick<Device, 'id'>,
  roots: RootKeys,
): Omit<NewSession, 'joinedAt'> | undefined {
  for (const opening of openings(request, device, roots)) {
    const accept = openJoinAccept(frame, opening, request);
    if ('code' in accept) continue;
    const keys = sessionKeys(accept, request, roots, opening.rootKey);
    if (keys === undefined) continue;
    const { devAddr, joinNonce } = accept;
    const macVersion = isOf11(accept) ? '1.1' : '1.0';
    return { devAddr, joinNonce, macVersion, keys, devNonce: request.devNonce };
  }
  return undefined;
}

const isOf11 = ({ dlSettings }: ClearJoinAccept): boolean => (dlSettings & optNeg) !== 0;

interface Opening {
  readonly rootKey: Buffer;
  readonly jsIntKey?: Buffer;
}

/** The answer to a rejoin-request is under JSEncKey, that to a join-request under a root key. */
function openings(
  { joinReqType }: HeardRequest,
  { id }: Pick<Device, 'id'>,
  { appKey, nwkKey }: RootKeys,
): readonly Opening[] {
  const of10 = appKey === undefined ? [] : [{ rootKey: appKey }];
  if (nwkKey === undefined) return joinReqType === joinRequestType ? of10 : [];
  const { jsIntKey, jsEncKey } = deriveJoinServerKeys(nwkKey, id);
  if (joinReqType !== joinRequestType) return [{ rootKey: jsEncKey, jsIntKey }];
  return [{ rootKey: nwkKey, jsIntKey }, ...of10];
}

/** A 1.1 device on a 1.0 network derives everything from its NwkKey. */
function sessionKeys(
  accept: ClearJoinAccept,
  request: HeardRequest,
  { appKey, nwkKey }: RootKeys,
  rootKey: Buffer,
): SessionKeys | undefined {
  const { joinNonce, netId } = accept;
  const { devNonce, joinEui } = request;
  if (!isOf11(accept)) return deriveSessionKeys10(rootKey, { joinNonce, devNonce, netId });
  if (appKey === undefined || nwkKey === undefined) return undefined;
  return deriveSessionKeys11({ appKey, nwkKey }, { joinNonce, devNonce, joinEui });
}
