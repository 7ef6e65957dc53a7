/**
 * One device of a fleet: when it wakes, on what channel it sends, what it does when no answer
 * comes; and what its network sends back.
 */
import { encodeCayenneLpp } from '../payload-cayenne-lpp.ts';
import { hashNoise, noiseKey, smoothNoise } from '../random.ts';
import type { Air, Fate, Frame } from './air.ts';
import { airtimeMs, createDutyCycle, type DutyCycle } from './airtime.ts';
import { createEndDevice, type EndDevice } from './end-device.ts';
import type { EventQueue } from './event-queue.ts';
import type {
  FleetCounts,
  FleetEvent,
  FleetReading,
  FleetSpan,
  UplinkKind,
} from './fleet-event.ts';
import type { DeviceMemory } from './fleet-memory.ts';
import type { Fleet, FleetDevice } from './fleet-plan.ts';
import type { Answer, NetworkServer } from './network-server.ts';
import {
  channels,
  fadedSignal,
  isDecodable,
  noiseFloor,
  type Path,
  pathsFrom,
  spreadingFactorFor,
} from './propagation.ts';
import type { Reception, Transmission } from './radio.ts';

export interface World {
  readonly fleet: Fleet;
  readonly span: FleetSpan;
  readonly queue: EventQueue;
  readonly air: Air;
  readonly network: NetworkServer;
  readonly gatewayDuty: ReadonlyMap<string, DutyCycle>;
  readonly out: FleetEvent[];
  readonly counts: FleetCounts;
}

/** Every device knows these; the others are told in the join-accept. */
export const joinChannels = 3;
/** From the end of an uplink to the first window [RP002-1.0.5, 3.3]; the second is 1 s later. */
const rxDelayMs = 1_000;
const joinDelayMs = 5_000;
const secondWindowMs = 1_000;
const rx2 = { frequency: 869_525_000, spreadingFactor: 12 } as const;
/** The server's way to its gateways. */
const backhaulMs = 60;
/** A window is open for some symbols; the longest downlink of it ends well within. */
const windowMs = 3_500;
/**
 * A confirmed uplink is sent so often at most, as LoRaWAN 1.0.3 recommends; the pause, once called
 * ACK_TIMEOUT, is RETRANSMIT_TIMEOUT [RP002-1.0.5, 3.3].
 */
const transmissionsMax = 8;
const ackTimeoutMs = [1_000, 3_000] as const;
/** From 20 s the pause before the next try to join grows to ten minutes. */
const joinBackoffMs = 20_000;
const joinBackoffMsMax = 600_000;
const rejoinAfter = 6;
const fPort = 2;
const batteryFull = 254;

interface Agent {
  readonly world: World;
  readonly device: FleetDevice;
  radio: EndDevice;
  readonly key: number;
  readonly paths: readonly Path[];
  readonly duty: DutyCycle;
  spreadingFactor: number;
  knownChannels: number;
  /** Frames on the air, its uplinks, and those since it has last joined. */
  frames: number;
  uplinks: number;
  uplinksSinceJoin: number;
  hasRejoined: boolean;
  joinTries: number;
  /** It has no session, or has lost it. */
  needsJoin: boolean;
}

/** Gives the device's side of the radio, to be asked what it would remember. */
export function startAgent(
  world: World,
  device: FleetDevice,
  remembered?: DeviceMemory,
): EndDevice {
  const { seed, gateways } = world.fleet;
  const { devEui, activation } = device.identity;
  const key = noiseKey(seed, devEui, 'fleet radio');
  const paths = pathsFrom(device.location, gateways, key);
  const agent: Agent = {
    ...{ world, device, key, paths, duty: createDutyCycle() },
    radio: createEndDevice(device.identity, seed, remembered),
    spreadingFactor: spreadingFactorFor(paths[0]?.rssi ?? noiseFloor),
    knownChannels: activation.kind === 'abp' ? channels.length : joinChannels,
    ...{ frames: 0, uplinks: 0, uplinksSinceJoin: 0, hasRejoined: false, joinTries: 0 },
    needsJoin: activation.kind === 'otaa',
  };
  const { from, intervalMs } = world.span;
  wakeAt(agent, from + Math.floor(hashNoise(key ^ 21, 0) * intervalMs));
  return agent.radio;
}

function wakeAt(agent: Agent, time: number): void {
  const { queue, span } = agent.world;
  if (time < span.to) queue.at(time, () => wake(agent, time));
}

function wakeLater(agent: Agent, time: number): void {
  const share = 0.8 + 0.4 * hashNoise(agent.key ^ 23, agent.frames);
  wakeAt(agent, time + Math.round(agent.world.span.intervalMs * share));
}

function wake(agent: Agent, time: number): void {
  const { radio, device } = agent;
  const isDue = !agent.hasRejoined && agent.uplinksSinceJoin >= rejoinAfter;
  const rejoins = isDue ? device.rejoins : undefined;
  if (rejoins !== undefined) agent.hasRejoined = true;
  if (rejoins === 'power-cut') agent.needsJoin = true;
  if (agent.needsJoin) {
    send(agent, time, { what: 'join-request', make: () => ({ phyPayload: radio.joinRequest() }) });
  } else if (rejoins === undefined || rejoins === 'power-cut') {
    sendReading(agent, time);
  } else {
    const make = () => ({ phyPayload: radio.rejoinRequest(rejoins) });
    send(agent, time, { what: 'rejoin-request', make });
  }
}

interface Outgoing {
  readonly what: UplinkKind;
  /** Called once for each transmission, when it is known on what channel. */
  readonly make: (channel: { txDr: number; txCh: number }) => {
    phyPayload: Buffer;
    reading?: FleetReading;
  };
  /** How often it was sent before. */
  readonly tries?: number;
}

function sendReading(agent: Agent, time: number): void {
  const { radio, device, key } = agent;
  const hour = 3_600_000;
  const temperature = Math.round(200 + 80 * smoothNoise(key, time, 3 * hour)) / 10;
  const humidity = Math.round(100 + 60 * smoothNoise(key ^ 31, time, 5 * hour)) / 2;
  const frmPayload = encodeCayenneLpp([
    { channel: 1, field: 'temperature', value: temperature },
    { channel: 2, field: 'humidity', value: humidity },
  ]);
  const confirmed = device.isConfirmed;
  const session = radio.joins();
  agent.uplinks += 1;
  agent.uplinksSinceJoin += 1;
  let isFirst = true;
  send(agent, time, {
    what: 'data',
    make: (channel) => {
      const content = { fPort, frmPayload, confirmed };
      const { phyPayload, fCnt } = isFirst ? radio.uplink(content, channel) : radio.repeat(channel);
      isFirst = false;
      return { phyPayload, reading: { session, fCnt, temperature, humidity, confirmed } };
    },
  });
}

/** As soon as the duty cycle allows, on a channel drawn from those that are free. */
function send(agent: Agent, time: number, outgoing: Outgoing): void {
  const { world, duty, key } = agent;
  const known = outgoing.what === 'join-request' ? joinChannels : agent.knownChannels;
  const choices = channels.slice(0, known).map((frequency, channel) => ({ frequency, channel }));
  const free = choices.filter(({ frequency }) => duty.freeAt(frequency) <= time);
  const chosen = free[Math.floor(hashNoise(key ^ 25, agent.frames) * free.length)];
  if (chosen === undefined) {
    const earliest = Math.min(...choices.map(({ frequency }) => duty.freeAt(frequency)));
    world.queue.at(earliest, () => send(agent, earliest, outgoing));
    return;
  }
  const { spreadingFactor } = agent;
  const made = outgoing.make({ txDr: 12 - spreadingFactor, txCh: chosen.channel });
  const airtime = airtimeMs(made.phyPayload.length, spreadingFactor);
  const frame: Frame = {
    ...{ channel: chosen.channel, spreadingFactor, start: time, end: time + airtime },
    ...{ paths: agent.paths, key, step: agent.frames },
  };
  agent.frames += 1;
  world.counts.sent += 1;
  world.air.begin(frame);
  duty.sent(chosen.frequency, time, airtime);
  world.queue.at(frame.end, () => arrive(agent, frame, { ...outgoing, ...made }));
}

type Sent = Outgoing & ReturnType<Outgoing['make']>;

function arrive(agent: Agent, frame: Frame, sent: Sent): void {
  const { world } = agent;
  const fate = world.air.fateOf(frame);
  const wait: Waiting = { isAnswered: false };
  const heard = describe(frame, forwarded(world.fleet, sent.what, fate));
  if (heard === undefined) {
    world.counts.lost[fate.loss ?? 'too-weak'] += 1;
  } else {
    world.counts.heard += 1;
    world.counts.copies += heard.receptions.length;
    const { what, phyPayload, reading } = sent;
    world.out.push({
      ...{ kind: 'up', time: frame.end, devEui: agent.device.identity.devEui, what, phyPayload },
      ...{ transmission: heard, ...(reading === undefined ? {} : { reading }) },
    });
    const [{ snr, channel }] = heard.receptions;
    const answer = world.network.receive({ phyPayload, dataRate: heard.dataRate, channel, snr });
    if (answer !== undefined) sendDown(agent, { answer, frame, heard, wait });
  }
  const delay = sent.what === 'data' ? rxDelayMs : joinDelayMs;
  const closed = frame.end + delay + secondWindowMs + windowMs;
  world.queue.at(closed, () => conclude(agent, closed, { sent, wait }));
}

/**
 * Basics Station takes a rejoin-request for a broken join-request, by its length (src/lora.c of
 * lorabasics/basicstation), and hands it to nobody.
 */
function forwarded({ gateways }: Fleet, what: UplinkKind, { receptions }: Fate): Fate {
  if (what !== 'rejoin-request') return { receptions };
  const stations = gateways.filter(({ door }) => door === 'basic-station').map(({ id }) => id);
  return { receptions: receptions.filter(({ gateway }) => !stations.includes(gateway.id)) };
}

function describe(frame: Frame, { receptions }: Fate): Transmission | undefined {
  const [best, ...others] = receptions;
  if (best === undefined) return undefined;
  const { channel, spreadingFactor } = frame;
  const frequency = channels[channel] ?? channels[0];
  return {
    ...{ frequency, spreadingFactor, dataRate: 12 - spreadingFactor },
    receptions: [best, ...others],
  };
}

interface Waiting {
  isAnswered: boolean;
}

interface Downlink {
  readonly answer: Answer;
  readonly frame: Frame;
  readonly heard: Transmission;
  readonly wait: Waiting;
}

/** The best gateway that may send in the first window, else in the second. */
function sendDown(agent: Agent, { answer, frame, heard, wait }: Downlink): void {
  const { world } = agent;
  const delay = answer.kind === 'data' ? rxDelayMs : joinDelayMs;
  const { frequency, spreadingFactor, receptions } = heard;
  const windows = [
    { frequency, spreadingFactor, delayMs: delay },
    { ...rx2, delayMs: delay + secondWindowMs },
  ];
  for (const window of windows) {
    const start = frame.end + window.delayMs;
    const by = receptions.find(({ gateway }) => {
      const duty = world.gatewayDuty.get(gateway.id);
      return duty !== undefined && duty.freeAt(window.frequency) <= start;
    });
    if (by === undefined) continue;
    const airtime = airtimeMs(answer.phyPayload.length, window.spreadingFactor, 'down');
    world.gatewayDuty.get(by.gateway.id)?.sent(window.frequency, start, airtime);
    world.air.transmit(by.gateway.id, start, start + airtime);
    world.counts.downlinks += 1;
    const { devEui } = agent.device.identity;
    const time = frame.end + backhaulMs;
    const down = { devEui, what: answer.kind, phyPayload: answer.phyPayload, answers: by };
    world.queue.at(time, () => world.out.push({ kind: 'down', time, ...down, ...window }));
    const end = start + airtime;
    world.queue.at(end, () => hear(agent, { answer, by, wait, ...window }));
    return;
  }
  world.counts.unanswered += 1;
}

interface Arriving {
  readonly answer: Answer;
  readonly by: Reception;
  readonly wait: Waiting;
  readonly spreadingFactor: number;
}

/** The way down fades apart from the way up. */
function hear(agent: Agent, { answer, by, wait, spreadingFactor }: Arriving): void {
  const path = agent.paths.find(({ gateway }) => gateway.id === by.gateway.id);
  const signal = fadedSignal(path?.rssi ?? noiseFloor, agent.key ^ 27, agent.frames);
  if (!isDecodable(signal, spreadingFactor)) return;
  const battery = Math.max(1, batteryFull - agent.uplinks);
  const margin = Math.max(-32, Math.min(31, Math.round(signal.snr)));
  const heard = agent.radio.receive(answer.phyPayload, { battery, margin });
  if (heard === undefined) return;
  wait.isAnswered = heard.kind === 'joined' || heard.isAck;
  if (heard.kind === 'joined') {
    agent.world.counts.joins += 1;
    agent.knownChannels = joinChannels + heard.frequencies.length;
    agent.uplinksSinceJoin = 0;
    agent.joinTries = 0;
    agent.needsJoin = false;
  } else if (heard.dataRate !== undefined) {
    agent.spreadingFactor = 12 - heard.dataRate;
    agent.world.counts.adrMoves += 1;
  }
}

/** Both windows are over. */
function conclude(agent: Agent, time: number, { sent, wait }: { sent: Sent; wait: Waiting }): void {
  const { world, key } = agent;
  const tries = (sent.tries ?? 0) + 1;
  const chance = hashNoise(key ^ 29, agent.frames);
  if (sent.reading?.confirmed === true) {
    if (tries === 1) world.counts.confirmed += 1;
    if (wait.isAnswered) world.counts.confirmedAcknowledged += 1;
  }
  if (agent.needsJoin) {
    agent.joinTries += 1;
    const pause = Math.min(joinBackoffMsMax, joinBackoffMs * 2 ** (agent.joinTries - 1));
    wakeAt(agent, time + Math.round(pause * (0.5 + chance)));
  } else if (sent.reading?.confirmed === true && !wait.isAnswered && tries < transmissionsMax) {
    const [least, most] = ackTimeoutMs;
    const again = Math.round(time + least + chance * (most - least));
    world.counts.repeated += 1;
    world.queue.at(again, () => send(agent, again, { ...sent, tries }));
  } else wakeLater(agent, time);
}
