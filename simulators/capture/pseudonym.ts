/**
 * Other names for what leads to a person or a place: the same secret gives the same name for the
 * same thing in every capture; without the secret nobody finds the way back.
 */
import { createHmac } from 'node:crypto';

export interface Pseudonyms {
  /** 16 hex digits, locally administered like every simulated EUI. */
  eui(eui: string): string;
  /** 8 hex digits of the block for experiments, NetID 000000. */
  devAddr(devAddr: string): string;
  /** As many digits, starting with the country code for tests, 001. */
  digits(digits: string): string;
  /** Hex of the same length, for keys and other secrets. */
  hex(hex: string): string;
  uuid(uuid: string): string;
  /** Any other name. */
  name(name: string): string;
  /** Degrees: moved by one distance for the whole secret, and coarse to about 100 m. */
  latitude(degrees: number): number;
  longitude(degrees: number): number;
}

/** Bytes of an HMAC, so that nobody can try out all of the few DevAddrs that there are. */
export function createPseudonyms(secret: string): Pseudonyms {
  const digest = (kind: string, text: string): Buffer =>
    createHmac('sha256', secret).update(`${kind}\n${text.toLowerCase()}`).digest();
  const hexOf = (kind: string, text: string): string => digest(kind, text).toString('hex');
  const moved = {
    latitude: share(digest('move', 'latitude')),
    longitude: share(digest('move', 'longitude')),
  };
  return {
    eui: (eui) => `02${hexOf('eui', eui).slice(0, 14)}`,
    devAddr: (devAddr) => `01${hexOf('devAddr', devAddr).slice(0, 6)}`,
    digits: (digits) => `001${decimalOf(digest('digits', digits))}`.slice(0, digits.length),
    hex: (hex) =>
      hexOf('hex', hex)
        .repeat(Math.ceil(hex.length / 64))
        .slice(0, hex.length),
    uuid: (uuid) => {
      const hex = hexOf('uuid', uuid);
      const parts = [hex.slice(0, 8), hex.slice(8, 12), `4${hex.slice(12, 15)}`];
      return [...parts, `8${hex.slice(15, 18)}`, hex.slice(18, 30)].join('-');
    },
    name: (name) => `x-${hexOf('name', name).slice(0, 10)}`,
    latitude: (degrees) => coarse(wrapped(degrees + 60 + 40 * moved.latitude, 75)),
    longitude: (degrees) => coarse(wrapped(degrees + 90 + 180 * moved.longitude, 180)),
  };
}

/** 0 to 1 from the first bytes. */
function share(bytes: Buffer): number {
  return bytes.readUInt32BE(0) / 0x100000000;
}

function decimalOf(bytes: Buffer): string {
  return BigInt(`0x${bytes.toString('hex')}`).toString();
}

/** Into -limit to limit. */
function wrapped(degrees: number, limit: number): number {
  const span = 2 * limit;
  return ((((degrees + limit) % span) + span) % span) - limit;
}

function coarse(degrees: number): number {
  return Math.round(degrees * 1_000) / 1_000;
}
