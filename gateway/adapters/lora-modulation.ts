/** LoRa transmission parameters as short texts and in megahertz, to the units of the model. */
import type { TxInfo } from '../model/uplink.ts';
import type { Draft } from './place.ts';

const dataRate = /^SF(\d{1,2}) ?BW(\d{2,4})(?: ?4\/[5-8])?$/;

/** Adds what `SF12 BW125 4/5` or `SF9BW125` says; FSK is written as a number and adds nothing. */
export function addDataRate(txInfo: Draft<TxInfo>, text: unknown): void {
  const [, spreadingFactor, kilohertz] = (typeof text === 'string' && dataRate.exec(text)) || [];
  if (spreadingFactor === undefined || kilohertz === undefined) return;
  txInfo.spreadingFactor = Number(spreadingFactor);
  txInfo.bandwidth = Number(kilohertz) * 1_000;
}

/**
 * Adds a frequency given in MHz, in the 100 Hz steps that LoRaWAN counts in: 912.29998 is 912.3.
 */
export function addMegahertz(txInfo: Draft<TxInfo>, megahertz: number | undefined): void {
  if (megahertz !== undefined) txInfo.frequency = Math.round(megahertz * 10_000) * 100;
}
