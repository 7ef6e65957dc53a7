/** What the end-to-end benchmark and its sending process tell each other. */

export interface LoadPlan {
  readonly port: number;
  readonly username: string;
  readonly password: string;
  readonly connections: number;
  /** Unacknowledged messages a connection may have. */
  readonly window: number;
  readonly devices: number;
  readonly messages: number;
  /** The number of the first message, so that a later run is not taken for a redelivery. */
  readonly first: number;
  /** Messages a second in all; 0 for as fast as they are acknowledged. */
  readonly rate: number;
}

export interface LoadResult {
  readonly sent: number;
  readonly acknowledged: number;
  readonly seconds: number;
  /** Milliseconds from writing a message to its PUBACK; sorted ascending, at most 100,000. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

export function devEuiOf(device: number): string {
  return `70b3d5fffe${device.toString(16).padStart(6, '0')}`;
}
