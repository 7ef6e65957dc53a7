/**
 * The half of a LoRaWAN 1.1 uplink MIC that covers data rate and channel index, which gateways do
 * not report. So those that fit the radio parameters are tried. Each one tried is a chance for a
 * forger: what was learnt of a frequency is therefore believed until another channel has fitted two
 * frames, as it does when the network moves it. Only a frame whose other half is right gets here.
 */
import type { TxInfo } from '../model/uplink.ts';
import type { DataFrame } from './frame.ts';
import { isSameMic, uplinkMicS } from './frame-mic.ts';
import { type LearntChannel, rememberChannel, type SessionCiphers } from './session-ciphers.ts';

export interface Sent {
  readonly fCnt: number;
  readonly confFCnt: number;
  readonly txInfo: TxInfo | undefined;
}

export function isSignedForChannel(frame: DataFrame, ciphers: SessionCiphers, sent: Sent): boolean {
  const frequency = sent.txInfo?.frequency;
  const learnt = frequency === undefined ? undefined : ciphers.channels.get(frequency);
  const found = findChannel(frame, ciphers, sent, learnt);
  if (found === undefined) return false;
  if (frequency === undefined) return true;
  const isKnown = learnt === undefined || isSame(found, learnt);
  const { doubt } = learnt ?? {};
  const isMoved = doubt !== undefined && isSame(found, doubt) && doubt.fCnt !== sent.fCnt;
  if (isKnown || isMoved) {
    rememberChannel(ciphers, frequency, found);
    return true;
  }
  rememberChannel(ciphers, frequency, { ...learnt, doubt: { ...found, fCnt: sent.fCnt } });
  return false;
}

function isSame(one: LearntChannel, other: LearntChannel): boolean {
  const isOtherRegion =
    one.rateSum !== undefined && other.rateSum !== undefined && one.rateSum !== other.rateSum;
  return one.txCh === other.txCh && !isOtherRegion;
}

function findChannel(
  frame: DataFrame,
  ciphers: SessionCiphers,
  { fCnt, confFCnt, txInfo }: Sent,
  learnt: LearntChannel | undefined,
): LearntChannel | undefined {
  const half = frame.mic.subarray(0, 2);
  const others = channelCandidates(txInfo?.frequency);
  for (const txCh of learnt === undefined ? others : [learnt.txCh, ...others]) {
    for (const { txDr, rateSum } of rateCandidates(txInfo, learnt)) {
      const context = { confFCnt, txDr, txCh };
      if (!isSameMic(uplinkMicS(ciphers.sNwkSIntKey, frame, fCnt, context), half)) continue;
      return rateSum === undefined ? { txCh } : { txCh, rateSum };
    }
  }
  return undefined;
}

const range = (length: number): readonly number[] => Array.from({ length }, (_, index) => index);
const allChannels = range(96);
/** Where the network chooses the frequencies, a device knows 16 channels. */
const chosenChannels = range(16);

interface FixedPlan {
  /** Hz */
  readonly first: number;
  readonly step: number;
  readonly count: number;
  /** The index of the first. */
  readonly from: number;
}

/** US915 and AU915, narrow and wide, and CN470. */
const fixedPlans: readonly FixedPlan[] = [
  { first: 902_300_000, step: 200_000, count: 64, from: 0 },
  { first: 903_000_000, step: 1_600_000, count: 8, from: 64 },
  { first: 915_200_000, step: 200_000, count: 64, from: 0 },
  { first: 915_900_000, step: 1_600_000, count: 8, from: 64 },
  { first: 470_300_000, step: 200_000, count: 96, from: 0 },
];

function channelCandidates(frequency: number | undefined): readonly number[] {
  if (frequency === undefined) return allChannels;
  const fixed = fixedPlans.flatMap(({ first, step, count, from }) => {
    const place = Math.round((frequency - first) / step);
    const isOn = place >= 0 && place < count && Math.abs(first + place * step - frequency) < 1_000;
    return isOn ? [from + place] : [];
  });
  return [...fixed, ...chosenChannels];
}

interface Rate {
  readonly txDr: number;
  readonly rateSum?: number;
}

const allRates: readonly Rate[] = range(16).map((txDr) => ({ txDr }));

/** Regions number spreading factors down from 12 or from 10; wider channels stand above them. */
function rateCandidates(
  txInfo: TxInfo | undefined,
  learnt: LearntChannel | undefined,
): readonly Rate[] {
  const spreadingFactor = txInfo?.spreadingFactor;
  if (spreadingFactor === undefined || (txInfo?.bandwidth ?? 0) > 125_000) return allRates;
  const sums = learnt?.rateSum === undefined ? [12, 10] : [learnt.rateSum, 12, 10];
  return sums
    .map((rateSum) => ({ txDr: rateSum - spreadingFactor, rateSum }))
    .filter(({ txDr }) => txDr >= 0);
}
