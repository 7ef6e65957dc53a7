/**
 * How many raw frames one core proves: parse, session lookup, MIC and decryption, with the same
 * steps by lora-packet alone beside it. Frames come in an order that no cache can foresee.
 */
import { createCipheriv, createHash } from 'node:crypto';
import { createRequire } from 'node:module';
import type LoraPacketLibrary from 'lora-packet';
import { cmac, createCmacKey } from '../gateway/lorawan/cmac.ts';
import { SessionCipherCache, sessionCiphersMax } from '../gateway/lorawan/session-ciphers.ts';
import { verifyDefaults, verifyUplink } from '../gateway/lorawan/verify.ts';
import type { Session } from '../gateway/model/device.ts';
import type { FrameUplink } from '../gateway/model/uplink.ts';

const payloadBytes = 20;
const rounds = 3;
/** A prime, so that each round visits every session once and neighbours never follow each other. */
const stride = 7919;
const comparedFrames = 4_000;
const sharersOfAddress = 32;

export interface RawFramesResult {
  /** With 10,000 sessions: the figure of the budget; the median of three rounds. */
  readonly framesPerSecond: number;
  /** With 100,000 sessions, more than the kept ciphers: for information. */
  readonly framesPerSecondManySessions: number;
  /** With 32 devices on each DevAddr, whose sessions are tried in turn. */
  readonly framesPerSecondSharedAddress: number;
  /** The same steps, lookup left out, by lora-packet alone. */
  readonly loraPacketFramesPerSecond: number;
  /** framesPerSecond ÷ loraPacketFramesPerSecond: comparable between machines. */
  readonly ratio: number;
}

const loraPacket: typeof LoraPacketLibrary.default = createRequire(import.meta.url)('lora-packet');

export async function rawFrames(): Promise<RawFramesResult> {
  const framesPerSecond = await measured(10_000);
  const framesPerSecondManySessions = await measured(100_000);
  const framesPerSecondSharedAddress = await measured(6_400, sharersOfAddress);
  const loraPacketFramesPerSecond = byLoraPacket();
  return {
    framesPerSecond,
    framesPerSecondManySessions,
    framesPerSecondSharedAddress,
    loraPacketFramesPerSecond,
    ratio: framesPerSecond / loraPacketFramesPerSecond,
  };
}

/** The median of the rounds after a first one that opens ciphers and warms the compiler. */
async function measured(sessionCount: number, sharers = 1): Promise<number> {
  const { sessions, uplinks } = fleet(sessionCount, sharers);
  const byDevAddr = new Map<string, Session[]>();
  for (const session of sessions) {
    const known = byDevAddr.get(session.devAddr);
    if (known === undefined) byDevAddr.set(session.devAddr, [session]);
    else known.push(session);
  }
  const lookup = (devAddr: string) => byDevAddr.get(devAddr) ?? [];
  const options = { ...verifyDefaults, ciphers: new SessionCipherCache(sessionCiphersMax) };
  const rates: number[] = [];
  for (let round = 0; round <= rounds; round += 1) {
    const startedAt = process.cpuUsage();
    for (const uplink of uplinks) {
      const result = verifyUplink(uplink, lookup, () => 1_000, options);
      if (result.kind === 'fault') throw new Error(`${result.code}: ${result.detail}`);
    }
    rates.push(perSecond(uplinks.length, startedAt));
    // Lets the garbage of a round go before the next one, as it does between real packets.
    await new Promise((resolve) => setImmediate(resolve));
  }
  return rates.slice(1).sort((first, second) => first - second)[rounds >> 1] ?? 0;
}

function byLoraPacket(): number {
  const { sessions, uplinks } = fleet(comparedFrames);
  const keysOf = new Map(sessions.map((session) => [session.devAddr, session.keys]));
  const startedAt = process.cpuUsage();
  for (const { phyPayload } of uplinks) {
    const packet = loraPacket.fromWire(phyPayload);
    const keys = keysOf.get(packet.DevAddr?.toString('hex') ?? '');
    if (!loraPacket.verifyMIC(packet, keys?.fNwkSIntKey)) throw new Error('MIC_MISMATCH');
    loraPacket.decrypt(packet, keys?.appSKey, keys?.nwkSEncKey);
  }
  return perSecond(uplinks.length, startedAt);
}

/** By CPU time, the garbage collector's threads included: what one core of a busy machine does. */
function perSecond(count: number, startedAt: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(startedAt);
  return (count * 1e6) / (user + system);
}

/** One session and one frame each, in a scattered order, the same on every run. */
function fleet(sessionCount: number, sharers = 1) {
  const sessions = Array.from({ length: sessionCount }, (_, index) =>
    sessionNumber(index, sharers),
  );
  const uplinks = sessions.map((_, index): FrameUplink => {
    const session = sessions[(index * stride) % sessionCount] ?? sessionNumber(0, 1);
    const phyPayload = frameOf(session);
    return { kind: 'frame', adapter: 'bench', phyPayload, rxInfo: [{ gatewayId: 'bench' }] };
  });
  return { sessions, uplinks };
}

function sessionNumber(index: number, sharers: number): Session {
  const material = createHash('sha256').update(`bench session ${index}`).digest();
  const nwkSKey = material.subarray(0, 16);
  return {
    deviceId: (0x70b3d57ed0000000n + BigInt(index)).toString(16),
    devAddr: (0x26000000 + Math.floor(index / sharers)).toString(16),
    macVersion: '1.0',
    keys: {
      appSKey: material.subarray(16),
      fNwkSIntKey: nwkSKey,
      sNwkSIntKey: nwkSKey,
      nwkSEncKey: nwkSKey,
    },
  };
}

/** Counter 1,001 on FPort 1; the payload is random bytes, since opening them costs the same. */
function frameOf(session: Session): Buffer {
  const header = Buffer.from([0x40, 0, 0, 0, 0, 0, 0, 0, 1]);
  header.writeUInt32LE(Number.parseInt(session.devAddr, 16), 1);
  header.writeUInt16LE(1_001, 6);
  const payload = createCipheriv('aes-128-ctr', session.keys.appSKey, Buffer.alloc(16));
  const unsigned = Buffer.concat([header, payload.update(Buffer.alloc(payloadBytes))]);
  const block = Buffer.concat([Buffer.from([0x49, 0, 0, 0, 0, 0]), header.subarray(1, 5)]);
  const head = Buffer.concat([block, Buffer.from([0xe9, 0x03, 0, 0, 0, unsigned.length])]);
  const tag = cmac(createCmacKey(session.keys.fNwkSIntKey), head, unsigned);
  return Buffer.concat([unsigned, tag.subarray(0, 4)]);
}
