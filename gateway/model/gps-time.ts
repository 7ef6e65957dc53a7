/** GPS time, which LoRa gateways report: it began in 1980 and knows no leap seconds. */

/** 1980-01-06T00:00:00Z in epoch milliseconds. */
const gpsEpochMs = 315_964_800_000;

/** GPS is ahead of UTC by this since 2017-01-01; no leap second has been announced since. */
const leapMs = 18_000;

/** Epoch milliseconds of a time since the GPS epoch; right for anything after 2016. */
export function fromGpsMs(gpsMs: number): number {
  return Math.round(gpsMs + gpsEpochMs - leapMs);
}

export function toGpsMs(epochMs: number): number {
  return epochMs - gpsEpochMs + leapMs;
}
