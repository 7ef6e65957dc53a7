/**
 * Join-requests whose answer may still come. A join-accept of LoRaWAN 1.0 names nobody, so each of
 * these is tried with its own keys, those heard by the gateway that is to send the accept first.
 */
import type { HeardRequest } from './join-book.ts';

export interface PendingJoin {
  readonly deviceId: string;
  /** The newest last: an accept may cross the next request on its way. */
  readonly requests: readonly HeardRequest[];
  readonly gateways: ReadonlySet<string>;
}

/** The receive windows close after 6 s; the rest is for servers and links that are slow. */
export const acceptWindowMs = 60_000;
/** All devices of a large town after a power cut. */
export const pendingMax = 100_000;
/** Devices tried for one accept, at 25 µs each. */
export const acceptTriesMax = 256;
const requestsMax = 2;
const gatewaysMax = 64;

export class PendingJoins {
  /** In the order of their newest request. */
  readonly #byDevice = new Map<string, PendingJoin>();

  open(deviceId: string, request: HeardRequest, gateways: readonly string[]): void {
    const before = this.#byDevice.get(deviceId)?.requests ?? [];
    const requests = [...before, request].slice(-requestsMax);
    this.#byDevice.delete(deviceId);
    this.#byDevice.set(deviceId, { deviceId, requests, gateways: new Set(gateways) });
    this.#expire(request.heardAt);
  }

  /** A copy of the request by another gateway, which may be the one that answers. */
  heardBy(deviceId: string, gateways: readonly string[]): void {
    const pending = this.#byDevice.get(deviceId);
    if (pending === undefined) return;
    const all = new Set([...pending.gateways, ...gateways].slice(0, gatewaysMax));
    this.#byDevice.set(deviceId, { ...pending, gateways: all });
  }

  close(deviceId: string): void {
    this.#byDevice.delete(deviceId);
  }

  /** Likeliest first, and no more than are worth trying. */
  candidates(gatewayId: string | undefined, now: number): readonly PendingJoin[] {
    this.#expire(now);
    const newestFirst = [...this.#byDevice.values()].reverse();
    const near = newestFirst.filter(({ gateways }) => gateways.has(gatewayId ?? ''));
    const far = newestFirst.filter(({ gateways }) => !gateways.has(gatewayId ?? ''));
    return [...near, ...far].slice(0, acceptTriesMax);
  }

  #expire(now: number): void {
    for (const [deviceId, { requests }] of this.#byDevice) {
      const age = now - (requests.at(-1)?.heardAt ?? 0);
      if (this.#byDevice.size <= pendingMax && Math.abs(age) <= acceptWindowMs) return;
      this.#byDevice.delete(deviceId);
    }
  }
}
