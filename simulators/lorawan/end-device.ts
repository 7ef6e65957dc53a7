/**
 * A LoRaWAN device of class A: it joins over the air or was given its session, counts, signs,
 * acknowledges, and answers the MAC commands of its network. The radio is somebody else's.
 */
import assert from 'node:assert/strict';
import { createRandom, type Random } from '../random.ts';
import {
  createFrameCodec,
  type DataContent,
  type FrameCodec,
  type MicContext,
  type OpenedFrame,
  wholeCounter,
} from './data-frame.ts';
import type { DeviceMemory } from './fleet-memory.ts';
import {
  type AnsweredRequest,
  type JoinNames,
  joinRequest,
  joinRequestType,
  openJoinAccept,
  type RejoinType,
  rejoinRequest,
} from './join-frame.ts';
import { encodeDeviceCommand, readNetworkCommands } from './mac-command.ts';
import { deriveSession, joinServerKeys, type RootKeys, type Session } from './session.ts';

export type MacVersion = '1.0.2' | '1.0.3' | '1.0.4' | '1.1';

export interface DeviceIdentity extends JoinNames {
  readonly macVersion: MacVersion;
  readonly activation:
    | { readonly kind: 'otaa'; readonly roots: RootKeys }
    | { readonly kind: 'abp'; readonly session: Session };
}

/** What the device would say of itself. */
export interface DeviceStatus {
  /** 1 to 254, 0 for mains, 255 for not known [TS001-1.0.4 5.5]. */
  readonly battery: number;
  /** dB, -32 to 31: the SNR of the last DevStatusReq. */
  readonly margin: number;
}

export type Heard =
  | { readonly kind: 'joined'; readonly frequencies: readonly number[] }
  /** `dataRate` is set where the network has asked for another one. */
  | { readonly kind: 'data'; readonly isAck: boolean; readonly dataRate?: number };

export interface SentFrame {
  readonly phyPayload: Buffer;
  readonly fCnt: number;
}

type Channel = Required<Pick<MicContext, 'txDr' | 'txCh'>>;
export type UplinkContent = Pick<DataContent, 'fPort' | 'frmPayload' | 'confirmed'>;

export interface EndDevice {
  isJoined(): boolean;
  /** How often it has joined; tells its sessions apart. */
  joins(): number;
  joinRequest(): Buffer;
  /** Only of LoRaWAN 1.1, and only in a session of 1.1. */
  rejoinRequest(type: RejoinType): Buffer;
  uplink(content: UplinkContent, channel: Channel): SentFrame;
  /** The last uplink once more, on whatever channel: the same counter. */
  repeat(channel: Channel): SentFrame;
  /** What it would keep through a power cut. */
  memory(): Omit<DeviceMemory, 'joinNonce'>;
  /** Undefined for a frame that is not for it, or that it has heard before. */
  receive(frame: Buffer, status: DeviceStatus): Heard | undefined;
}

interface ActiveSession {
  readonly session: Session;
  readonly codec: FrameCodec;
  readonly netId: string;
  nextUp: number;
  /** By counter: LoRaWAN 1.1 counts the downlinks of the application apart. */
  readonly nextDown: { network: number; application: number };
  /** The counter of a confirmed downlink that is to be acknowledged. */
  owedAck: number | undefined;
  /** MAC commands for the next uplink. */
  readonly answers: Buffer[];
  /** In 1.1 a device tells its new keys until the network confirms them. */
  rekeys: boolean;
  nextRejoin0: number;
  last: { content: DataContent; confFCnt: number } | undefined;
}

const fOptsBytesMax = 15;
const abpNetId = '000000';

export function createEndDevice(
  identity: DeviceIdentity,
  seed: string,
  remembered?: DeviceMemory,
): EndDevice {
  const { activation } = identity;
  const devNonces = createDevNonces(identity, seed, remembered?.devNonces ?? 0);
  let active =
    activation.kind === 'abp' ? startSession(activation.session, abpNetId, remembered) : undefined;
  let asked: AnsweredRequest | undefined;
  let joins = 0;
  let nextRejoin1 = remembered?.rejoins ?? 0;

  function current(): ActiveSession {
    assert.ok(active !== undefined, 'the device has a session');
    return active;
  }

  function rootKeys(): RootKeys {
    assert.ok(activation.kind === 'otaa', 'only a device with root keys joins');
    return activation.roots;
  }

  function ask(joinReqType: AnsweredRequest['joinReqType'], devNonce: number): void {
    const { devEui, joinEui } = identity;
    asked = { devEui, joinEui, joinReqType, devNonce };
  }

  function join(frame: Buffer, request: AnsweredRequest): Heard | undefined {
    const roots = rootKeys();
    const accept = openJoinAccept(roots, frame, request);
    if (accept === undefined) return undefined;
    const { joinEui, devNonce } = request;
    active = startSession(deriveSession(roots, { ...accept, joinEui, devNonce }), accept.netId);
    asked = undefined;
    joins += 1;
    return { kind: 'joined', frequencies: accept.frequencies };
  }

  return {
    isJoined: () => active !== undefined,
    joins: () => joins,
    joinRequest() {
      const { appKey, nwkKey } = rootKeys();
      const devNonce = devNonces.next();
      ask(joinRequestType, devNonce);
      return joinRequest(nwkKey ?? appKey, identity, devNonce);
    },
    rejoinRequest(type) {
      const state = current();
      const { nwkKey } = rootKeys();
      assert.ok(nwkKey !== undefined && state.session.macVersion === '1.1', 'rejoins are of 1.1');
      const count = type === 1 ? nextRejoin1++ : state.nextRejoin0++;
      ask(type, count);
      const { sNwkSIntKey } = state.session.keys;
      const key = type === 1 ? joinServerKeys(nwkKey, identity.devEui).jsIntKey : sNwkSIntKey;
      return rejoinRequest(key, { type, netId: state.netId, count }, identity);
    },
    uplink(content, channel) {
      const state = current();
      const isAck = state.owedAck !== undefined;
      state.last = {
        content: { ...content, fCnt: state.nextUp, adr: true, ack: isAck, fOpts: answersOf(state) },
        confFCnt: state.owedAck ?? 0,
      };
      state.nextUp += 1;
      state.owedAck = undefined;
      return encodeLast(state, channel);
    },
    repeat: (channel) => encodeLast(current(), channel),
    memory() {
      const given = activation.kind === 'abp' ? active : undefined;
      const { nextUp = 0, nextDown } = given ?? {};
      const counters = { nextUp, nextDown: nextDown?.network ?? 0 };
      return { devNonces: devNonces.used(), rejoins: nextRejoin1, ...counters };
    },
    receive(frame, status) {
      const heard = asked === undefined ? undefined : join(frame, asked);
      if (heard !== undefined || active === undefined) return heard;
      return receiveData(active, frame, status);
    },
  };
}

function startSession(
  session: Session,
  netId: string,
  { nextUp = 0, nextDown = 0 }: Partial<DeviceMemory> = {},
): ActiveSession {
  return {
    ...{ session, netId, codec: createFrameCodec(session), nextUp, nextRejoin0: 0 },
    ...{ nextDown: { network: nextDown, application: 0 }, owedAck: undefined, answers: [] },
    ...{ rekeys: session.macVersion === '1.1', last: undefined },
  };
}

/** Never one twice: drawn up to LoRaWAN 1.0.3, counted from 1.0.4 on [TS001-1.0.4 6.2.5]. */
function createDevNonces({ macVersion, devEui }: DeviceIdentity, seed: string, before: number) {
  const isCounted = macVersion === '1.0.4' || macVersion === '1.1';
  const random: Random = createRandom(`${seed}\n${devEui}\ndevNonce`);
  const used = new Set<number>();
  const next = (): number => {
    assert.ok(used.size <= 0xffff, 'there are 65,536 nonces');
    let nonce = isCounted ? used.size : random.integer(0, 0xffff);
    while (!isCounted && used.has(nonce)) nonce = random.integer(0, 0xffff);
    used.add(nonce);
    return nonce;
  };
  while (used.size < before) next();
  return { next, used: () => used.size };
}

/** What fits goes now, the rest with the next uplink. */
function answersOf(state: ActiveSession): Buffer {
  const commands = state.rekeys ? [encodeDeviceCommand({ name: 'RekeyInd' })] : [];
  let length = commands.reduce((sum, command) => sum + command.length, 0);
  while (length + (state.answers[0]?.length ?? fOptsBytesMax + 1) <= fOptsBytesMax) {
    const answer = state.answers.shift() ?? Buffer.alloc(0);
    commands.push(answer);
    length += answer.length;
  }
  return Buffer.concat(commands);
}

function encodeLast({ codec, last }: ActiveSession, channel: Channel): SentFrame {
  assert.ok(last !== undefined, 'something was sent before');
  const context = { ...channel, confFCnt: last.confFCnt };
  return { phyPayload: codec.encode('up', last.content, context), fCnt: last.content.fCnt };
}

const headerLength = 12;

function receiveData(state: ActiveSession, frame: Buffer, status: DeviceStatus) {
  if (frame.length < headerLength) return undefined;
  const low = frame.readUInt16LE(6);
  const hasPort = frame.length > headerLength + (frame.readUInt8(5) & 0x0f);
  const isApplications =
    state.session.macVersion === '1.1' && hasPort && frame[8 + (frame.readUInt8(5) & 0x0f)] !== 0;
  const counter = isApplications ? 'application' : 'network';
  const fCnt = wholeCounter(low, state.nextDown[counter]);
  const confFCnt = state.last?.content.fCnt ?? 0;
  const opened = state.codec.open('down', frame, fCnt, { confFCnt });
  if (opened === undefined) return undefined;
  state.nextDown[counter] = fCnt + 1;
  if (opened.confirmed) state.owedAck = fCnt;
  return obey(state, opened, status);
}

function obey(state: ActiveSession, opened: OpenedFrame, status: DeviceStatus): Heard {
  let dataRate: number | undefined;
  const commands = opened.fPort === 0 ? opened.frmPayload : opened.fOpts;
  for (const command of readNetworkCommands(commands)) {
    if (command.name === 'RekeyConf') state.rekeys = false;
    if (command.name === 'DevStatusReq') {
      state.answers.push(encodeDeviceCommand({ name: 'DevStatusAns', ...status }));
    }
    if (command.name === 'LinkAdrReq') {
      ({ dataRate } = command);
      state.answers.push(encodeDeviceCommand({ name: 'LinkAdrAns' }));
    }
  }
  const heard = { kind: 'data', isAck: opened.ack } as const;
  return dataRate === undefined ? heard : { ...heard, dataRate };
}
