/**
 * The network server of the simulated devices: it accepts joins, knows sessions and counters,
 * acknowledges, asks devices how they are and moves them to better data rates. It says what is to
 * go down; when and by which gateway is the radio's matter.
 */
import { createHash } from 'node:crypto';
import { createFrameCodec, type FrameCodec, type OpenedFrame, wholeCounter } from './data-frame.ts';
import type { DeviceIdentity } from './end-device.ts';
import type { DeviceMemory } from './fleet-memory.ts';
import {
  type AnsweredRequest,
  isSignedWith,
  joinAccept,
  joinRequestType,
  type RejoinType,
} from './join-frame.ts';
import { encodeNetworkCommand, type NetworkCommand, readDeviceCommands } from './mac-command.ts';
import { deriveSession, joinServerKeys, type Session } from './session.ts';

export interface HeardUplink {
  readonly phyPayload: Buffer;
  /** Data rate and channel index of the plan. */
  readonly dataRate: number;
  readonly channel: number;
  /** dB, of the best reception. */
  readonly snr: number;
}

export interface Answer {
  readonly kind: 'join-accept' | 'data';
  readonly phyPayload: Buffer;
}

export interface NetworkServer {
  /** Once for each transmission, however many gateways heard it. */
  receive(uplink: HeardUplink): Answer | undefined;
  /** Of a device: the last JoinNonce, and the next downlink of a session that was given to it. */
  memoryOf(devEui: string): Pick<DeviceMemory, 'joinNonce' | 'nextDown'>;
}

export interface NetworkOptions {
  readonly seed: string;
  readonly netId: string;
  /** Hz: channels that are told in the accept, beside the three that every device knows. */
  readonly frequencies: readonly number[];
  /** Of an earlier run. */
  readonly memory?: ReadonlyMap<string, DeviceMemory>;
}

interface KnownSession {
  readonly identity: DeviceIdentity;
  readonly session: Session;
  readonly codec: FrameCodec;
  nextUp: number;
  readonly nextDown: { network: number; application: number };
  /** Of the last confirmed downlink. */
  confDown: number;
  /** SNRs of the uplinks since the data rate was last looked at. */
  readonly snrs: number[];
  uplinks: number;
}

/** Uplinks between two looks at a device's data rate; network servers take 10 to 20. */
const adrHistory = 6;
/** dB kept in hand, and dB that a step of the data rate costs. */
const adrMargin = 10;
const adrStep = 2.5;
const dataRateMax = 5;
/** The weakest SNR that is decoded at data rate 0, SF12. */
const snrMinAtRate0 = -20;
/** By the uplinks of a session: when a device is asked for its status, and for a receipt. */
const statusEvery = 8;
const statusAt = 2;
const confirmedEvery = 6;
const confirmedAt = 3;
const rxDelaySeconds = 1;
const downlinkPort = 10;
const frameLengthMin = 12;

export function createNetworkServer(
  identities: readonly DeviceIdentity[],
  options: NetworkOptions,
): NetworkServer {
  const byDevEui = new Map(identities.map((identity) => [identity.devEui, identity]));
  const sessions = new Map<string, KnownSession>();
  const usedNonces = new Set<string>();
  const { memory = new Map<string, DeviceMemory>() } = options;
  const joinNonces = new Map([...memory].map(([devEui, { joinNonce }]) => [devEui, joinNonce]));
  /** By DevEUI: one that is used, and those that were only given. */
  const sessionsOf = new Map<string, KnownSession[]>();
  const open = (identity: DeviceIdentity, session: Session, remembered?: DeviceMemory) => {
    const { devEui } = identity;
    const known = startSession(identity, session, remembered);
    sessions.set(session.devAddr, known);
    sessionsOf.set(devEui, [...(sessionsOf.get(devEui) ?? []), known]);
  };
  for (const identity of identities) {
    const { activation, devEui } = identity;
    if (activation.kind === 'abp') open(identity, activation.session, memory.get(devEui));
  }

  function unusedDevAddr(devEui: string): string {
    for (let attempt = 0; ; attempt += 1) {
      const words = `${options.seed}\ndevAddr\n${devEui}\n${joinNonces.get(devEui)}\n${attempt}`;
      const devAddr = `01${createHash('sha256').update(words).digest('hex').slice(0, 6)}`;
      if (!sessions.has(devAddr)) return devAddr;
    }
  }

  function accept(identity: DeviceIdentity, asked: AnsweredRequest): Answer | undefined {
    const { devEui, activation, macVersion } = identity;
    const claim = `${devEui} ${asked.joinReqType === joinRequestType} ${asked.devNonce}`;
    if (activation.kind !== 'otaa') return undefined;
    if (asked.joinReqType === joinRequestType && usedNonces.has(claim)) return undefined;
    usedNonces.add(claim);
    const joinNonce = (joinNonces.get(devEui) ?? 0) + 1;
    joinNonces.set(devEui, joinNonce);
    const terms = {
      ...{ joinNonce, netId: options.netId, devAddr: unusedDevAddr(devEui) },
      isOf11: macVersion === '1.1',
    };
    const { joinEui, devNonce } = asked;
    open(identity, deriveSession(activation.roots, { ...terms, joinEui, devNonce }));
    const told = { ...terms, rxDelay: rxDelaySeconds, frequencies: options.frequencies };
    return { kind: 'join-accept', phyPayload: joinAccept(activation.roots, told, asked) };
  }

  function joins(frame: Buffer): Answer | undefined {
    const asked = readRequest(frame);
    const identity = asked === undefined ? undefined : byDevEui.get(asked.devEui);
    if (asked === undefined || identity?.activation.kind !== 'otaa') return undefined;
    const { appKey, nwkKey } = identity.activation.roots;
    // A rejoin-request of type 0 or 2 names no join server: it is the device's own.
    const whole = { ...asked, joinEui: asked.joinEui ?? identity.joinEui };
    if (asked.joinReqType === joinRequestType) {
      return isSignedWith(nwkKey ?? appKey, frame) ? accept(identity, whole) : undefined;
    }
    if (nwkKey === undefined) return undefined;
    const keys =
      asked.joinReqType === 1
        ? [joinServerKeys(nwkKey, identity.devEui).jsIntKey]
        : (sessionsOf.get(identity.devEui) ?? []).map(({ session }) => session.keys.sNwkSIntKey);
    return keys.some((key) => isSignedWith(key, frame)) ? accept(identity, whole) : undefined;
  }

  /** The device uses this session, so that it uses no older one. */
  function retireOthers(used: KnownSession): void {
    const { devEui } = used.identity;
    for (const known of sessionsOf.get(devEui) ?? []) {
      if (known !== used) sessions.delete(known.session.devAddr);
    }
    sessionsOf.set(devEui, [used]);
  }

  function data(uplink: HeardUplink): Answer | undefined {
    const frame = uplink.phyPayload;
    const devAddr = Buffer.from(frame.subarray(1, 5)).reverse().toString('hex');
    const known = sessions.get(devAddr);
    if (known === undefined) return undefined;
    const low = frame.readUInt16LE(6);
    const isRepeated = known.nextUp > 0 && low === ((known.nextUp - 1) & 0xffff);
    const fCnt = isRepeated ? known.nextUp - 1 : wholeCounter(low, known.nextUp);
    const { dataRate: txDr, channel: txCh } = uplink;
    const context = { txDr, txCh, confFCnt: known.confDown };
    const opened = known.codec.open('up', frame, fCnt, context);
    if (opened === undefined) return undefined;
    if (!isRepeated) {
      known.nextUp = fCnt + 1;
      known.uplinks += 1;
      known.snrs.push(uplink.snr);
    }
    if (known.uplinks === 1) retireOthers(known);
    return reply(known, opened, { isRepeated, dataRate: uplink.dataRate });
  }

  return {
    receive(uplink) {
      const { phyPayload } = uplink;
      const mType = (phyPayload[0] ?? 0) >> 5;
      if (mType === 0 || mType === 6) return joins(phyPayload);
      return phyPayload.length < frameLengthMin ? undefined : data(uplink);
    },
    memoryOf(devEui) {
      const activation = byDevEui.get(devEui)?.activation;
      const given =
        activation?.kind === 'abp' ? sessions.get(activation.session.devAddr) : undefined;
      const nextDown = given?.nextDown.network ?? 0;
      return { joinNonce: joinNonces.get(devEui) ?? 0, nextDown };
    },
  };
}

function startSession(
  identity: DeviceIdentity,
  session: Session,
  { nextUp = 0, nextDown = 0 }: Partial<DeviceMemory> = {},
): KnownSession {
  return {
    ...{ identity, session, codec: createFrameCodec(session), nextUp, confDown: 0 },
    ...{ nextDown: { network: nextDown, application: 0 }, snrs: [], uplinks: 0 },
  };
}

/** Undefined where there is nothing to say: a downlink costs a gateway its ears. */
function reply(
  known: KnownSession,
  opened: OpenedFrame,
  { isRepeated, dataRate }: { isRepeated: boolean; dataRate: number },
): Answer | undefined {
  const commands = isRepeated ? [] : commandsFor(known, dataRate);
  const said = readDeviceCommands(opened.fPort === 0 ? opened.frmPayload : opened.fOpts);
  if (said.some(({ name }) => name === 'RekeyInd')) commands.unshift({ name: 'RekeyConf' });
  const confirmed = !isRepeated && known.uplinks % confirmedEvery === confirmedAt;
  if (!opened.confirmed && !confirmed && commands.length === 0) return undefined;
  const counter = known.session.macVersion === '1.1' && confirmed ? 'application' : 'network';
  const fCnt = known.nextDown[counter];
  known.nextDown[counter] += 1;
  if (confirmed) known.confDown = fCnt;
  const content = {
    ...{ fCnt, confirmed, ack: opened.confirmed, adr: true },
    fOpts: Buffer.concat(commands.map(encodeNetworkCommand)),
    ...(confirmed ? { fPort: downlinkPort, frmPayload: Buffer.of(known.uplinks & 0xff) } : {}),
  };
  const phyPayload = known.codec.encode('down', content, { confFCnt: opened.fCnt });
  return { kind: 'data', phyPayload };
}

function commandsFor(known: KnownSession, dataRate: number): NetworkCommand[] {
  const commands: NetworkCommand[] = [];
  if (known.uplinks % statusEvery === statusAt) commands.push({ name: 'DevStatusReq' });
  if (known.snrs.length >= adrHistory) {
    const best = Math.max(...known.snrs.splice(0));
    const spare = best - (snrMinAtRate0 + dataRate * adrStep) - adrMargin;
    const better = Math.min(dataRateMax, dataRate + Math.max(0, Math.floor(spare / adrStep)));
    if (better > dataRate) commands.push({ name: 'LinkAdrReq', dataRate: better, txPower: 0 });
  }
  return commands;
}

type Request = Omit<AnsweredRequest, 'joinEui'> & { readonly joinEui?: string };

function readRequest(frame: Buffer): Request | undefined {
  const hexAt = (from: number, to: number) =>
    Buffer.from(frame.subarray(from, to)).reverse().toString('hex');
  if (frame[0] === 0x00 && frame.length === 23) {
    const names = { joinEui: hexAt(1, 9), devEui: hexAt(9, 17) };
    return { ...names, joinReqType: joinRequestType, devNonce: frame.readUInt16LE(17) };
  }
  const type = rejoinTypeOf(frame[1]);
  if (frame[0] !== 0xc0 || type === undefined) return undefined;
  if (type === 1) {
    if (frame.length !== 24) return undefined;
    const names = { joinEui: hexAt(2, 10), devEui: hexAt(10, 18) };
    return { ...names, joinReqType: type, devNonce: frame.readUInt16LE(18) };
  }
  if (frame.length !== 19) return undefined;
  return { devEui: hexAt(5, 13), joinReqType: type, devNonce: frame.readUInt16LE(13) };
}

function rejoinTypeOf(value: number | undefined): RejoinType | undefined {
  return value === 0 || value === 1 || value === 2 ? value : undefined;
}
