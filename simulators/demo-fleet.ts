/**
 * The few devices of the demonstration that join over the air, beside its city: what their gateway
 * has to know, and the run that counts what it has taken.
 */
import { randomBytes } from 'node:crypto';
import { noAccounts } from './capture/replay-settings.ts';
import { fleetDeviceEntries, fleetDoorsConfig } from './doors/fleet-config.ts';
import { fleetTargets, openFleetDoors } from './doors/fleet-doors.ts';
import {
  createFleetProgress,
  type FleetProgress,
  runFleet,
  type SentUplink,
} from './doors/fleet-run.ts';
import { readFleetMemory, writeFleetMemory } from './lorawan/fleet-memory.ts';
import { createFleet, type Fleet } from './lorawan/fleet-plan.ts';
import type { Account } from './mqtt-publisher.ts';

export interface DemoFleet {
  readonly fleet: Fleet;
  readonly account: Account;
  /** Of its stations. */
  readonly token: string;
}

export interface FleetTold {
  readonly devices: number;
  readonly progress: FleetProgress;
  /** Uplinks of which a door has acknowledged a copy: the gateway owes them. */
  readonly uplinksAcknowledged: number;
}

const secret = (): string => randomBytes(24).toString('base64url');

export function createDemoFleet(seed: string, devices: number): DemoFleet {
  const account = { username: 'fleet-bridge', password: secret() };
  return { fleet: createFleet({ seed, devices }), account, token: secret() };
}

/** Parts of the gateway's configuration; its ports are free ones. */
export function demoFleetConfig({ fleet, account, token }: DemoFleet) {
  const ports = { udp: 0, basicStation: 0 };
  return {
    ...fleetDoorsConfig(fleet, { account, token, ports }),
    devices: fleetDeviceEntries(fleet),
  };
}

export interface DemoFleetRun {
  /** URLs of the gateway's broker, UDP port and stations' port. */
  readonly targets: readonly string[];
  readonly memoryFile: string;
  readonly intervalMs: number;
  readonly signal: AbortSignal;
}

/** Runs until the signal. Rejects when a door stays shut. */
export async function runDemoFleet(demo: DemoFleet, run: DemoFleetRun): Promise<FleetTold> {
  const { fleet, account, token } = demo;
  const memory = await readFleetMemory(run.memoryFile, fleet.seed);
  const accounts = { ...noAccounts, of: (door?: string) => accountOf(door, account, token) };
  const doors = await openFleetDoors(fleet, fleetTargets(run.targets), accounts);
  const progress = createFleetProgress();
  const owed = createOwedCount();
  const span = { from: Date.now(), to: Number.POSITIVE_INFINITY, intervalMs: run.intervalMs };
  try {
    const { signal } = run;
    await runFleet({ fleet, span, doors, speed: 1, memory, progress, signal, onUplink: owed.note });
  } finally {
    await Promise.all(Object.values(doors).map((door) => door.close()));
    await writeFleetMemory(run.memoryFile, fleet.seed, memory);
  }
  return { devices: fleet.devices.length, progress, uplinksAcknowledged: owed.count() };
}

function accountOf(door: string | undefined, account: Account, token: string) {
  return door === 'gateway-bridge' ? account : { token };
}

/** Each uplink once, however often it was sent: those of a device come one after the other. */
function createOwedCount() {
  const last = new Map<string, string>();
  let count = 0;
  return {
    count: () => count,
    note({ uplink: { devEui, reading }, taken }: SentUplink) {
      if (reading === undefined || !taken.some(({ how }) => how === 'acknowledged')) return;
      const name = `${reading.session} ${reading.fCnt}`;
      if (last.get(devEui) !== name) count += 1;
      last.set(devEui, name);
    },
  };
}
