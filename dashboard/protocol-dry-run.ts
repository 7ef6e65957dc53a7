/** The part of the protocol that says what another version of a codec would change. */

/** `POST /api/v1/codecs/{id}:dryrun` */
export interface DryRunJson {
  /** The version that it would be. */
  version: string;
  devices: number;
  uplinks: number;
  same: number;
  different: number;
  /** Uplinks that give nothing, with the version before and with the new one. */
  faultsBefore: number;
  faultsAfter: number;
  /** The newest first, not all of them. */
  differences: {
    seq: number;
    device: string;
    receivedAt: string;
    faultBefore?: string;
    faultAfter?: string;
    readings: {
      quantity: string;
      unit: string;
      channel?: string;
      time?: string;
      before?: number | string;
      after?: number | string;
    }[];
  }[];
}
