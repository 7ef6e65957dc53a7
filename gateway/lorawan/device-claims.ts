/**
 * The limits of the registry, with the devices counted that are on their way to the disk: of many
 * that are put at once each is let in before any of them has arrived.
 */
import type { Device } from '../model/device.ts';
import type { DeviceProblem } from './device-input.ts';
import type { DeviceView } from './device-view.ts';

export interface RegistryLimits {
  readonly devicesMax: number;
  /** Each one costs a MIC computation for every frame of this DevAddr that none of them sent. */
  readonly devicesPerDevAddrMax: number;
}

export const registryLimits: RegistryLimits = { devicesMax: 1_000_000, devicesPerDevAddrMax: 256 };

export class DeviceClaims {
  readonly #view: DeviceView;
  readonly #limits: RegistryLimits;
  /** How many writes of an id are under way. */
  readonly #claimed = new Map<string, number>();
  /** With an id for each write that is under way. */
  readonly #joining = new Map<string, readonly string[]>();
  /** Claimed ids that are not registered. */
  #newCount = 0;

  constructor(view: DeviceView, limits: RegistryLimits) {
    this.#view = view;
    this.#limits = limits;
  }

  /** Claims room for the device, or says why there is none. Each claim is released, once. */
  claim(device: Device): readonly DeviceProblem[] {
    const problems = this.#problemsOf(device);
    if (problems.length > 0) return problems;
    const { id, devAddr } = device;
    const count = this.#claimed.get(id) ?? 0;
    if (count === 0 && !this.#view.has(id)) this.#newCount += 1;
    this.#claimed.set(id, count + 1);
    if (devAddr !== undefined) this.#joining.set(devAddr, [...this.#joiningOf(devAddr), id]);
    return [];
  }

  release({ id, devAddr }: Device): void {
    const count = this.#claimed.get(id) ?? 0;
    if (count > 1) this.#claimed.set(id, count - 1);
    else if (this.#claimed.delete(id) && !this.#view.has(id)) this.#newCount -= 1;
    if (devAddr === undefined) return;
    const ids = this.#joiningOf(devAddr);
    const left = ids.toSpliced(ids.indexOf(id), 1);
    if (left.length === 0) this.#joining.delete(devAddr);
    else this.#joining.set(devAddr, left);
  }

  /** After an id has become registered. */
  onAdded(id: string): void {
    if (this.#claimed.has(id)) this.#newCount -= 1;
  }

  /** After so many claimed ids have become registered. */
  onAllAdded(count: number): void {
    this.#newCount -= count;
  }

  /** After an id has ceased to be registered. */
  onRemoved(id: string): void {
    if (this.#claimed.has(id)) this.#newCount += 1;
  }

  #problemsOf({ id, devAddr }: Device): readonly DeviceProblem[] {
    const { devicesMax, devicesPerDevAddrMax } = this.#limits;
    const isKnown = this.#view.has(id) || this.#claimed.has(id);
    const isFull = !isKnown && this.#view.size + this.#newCount >= devicesMax;
    const isCrowded = devAddr !== undefined && this.#sharing(devAddr, id) > devicesPerDevAddrMax;
    return [
      ...(isFull ? [limitProblem('', `${devicesMax} devices are registered`)] : []),
      ...(isCrowded ? [limitProblem('devAddr', `${devicesPerDevAddrMax} devices share it`)] : []),
    ];
  }

  /** Those that would have this DevAddr; one that is about to leave it still has it. */
  #sharing(devAddr: string, id: string): number {
    const held = this.#view.idsOf(devAddr);
    // As nearly all have a DevAddr of their own, the count is seldom made.
    if (held.includes(id)) return 0;
    const joining = this.#joiningOf(devAddr);
    return held.length + joining.length === 0 ? 1 : new Set([...held, ...joining, id]).size;
  }

  #joiningOf(devAddr: string): readonly string[] {
    return this.#joining.get(devAddr) ?? [];
  }
}

function limitProblem(path: string, message: string): DeviceProblem {
  return {
    path,
    message: `The limit is reached: ${message}.`,
    remedy: 'Delete devices that are out of use.',
  };
}
