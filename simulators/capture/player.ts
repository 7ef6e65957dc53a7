/**
 * Plays messages at their own distances in time: faster, slower, paused, one by one, from another
 * place. It knows nothing of files and wires, so that tests hold its clock.
 */
import type { CapturedMessage } from './message.ts';
import { shiftMessage, wholeSeconds } from './time-shift.ts';

export interface PlayerParts {
  /** Opens the messages from their start; called once more for every round and every way back. */
  readonly open: () => Promise<AsyncIterable<CapturedMessage>>;
  /** Resolves when there is room for the next one. */
  readonly send: (message: CapturedMessage) => Promise<void>;
  readonly clock: PlayerClock;
  /** Times of the earliest and of the latest message; the open ones lie between them. */
  readonly span: CaptureSpan;
}

export interface CaptureSpan {
  readonly first: number;
  readonly last: number;
}

export interface PlayerClock {
  now(): number;
  /** Resolves after that time or when the signal is given. */
  sleep(milliseconds: number, signal: AbortSignal): Promise<void>;
}

export interface PlayerOptions {
  /** Times as fast as recorded; Infinity for as fast as they are taken. */
  readonly speed: number;
  /**
   * Moves the times within the messages by milliseconds, and by the length of the capture more in
   * every further round; or, `now`, so that the capture ends when playing it does: at speed 1 each
   * message tells of now, at a higher one the first ones tell of the past, and none of the future.
   */
  readonly shift: 'now' | number;
  /** Times that it is played; Infinity for ever. */
  readonly rounds: number;
  readonly startPaused?: boolean;
  readonly signal: AbortSignal;
}

export interface Player {
  /** Resolves at the end, or when the signal was given. */
  play(): Promise<void>;
  pause(): void;
  resume(): void;
  isPaused(): boolean;
  /** While paused: sends one more. */
  step(): void;
  /** Goes this far ahead or, when negative, back, in the time of the capture. */
  seek(milliseconds: number): void;
  setSpeed(speed: number): void;
  readonly place: PlayerPlace;
}

export interface PlayerPlace {
  /** Epoch milliseconds in the capture; undefined before its first message. */
  at: number | undefined;
  readonly sent: number;
  readonly passed: number;
  readonly round: number;
  readonly speed: number;
}

/** Between two rounds, so that the first message of the next is not at the time of the last. */
const roundGapMs = 1_000;
/** No timer is longer, so that a pause or a new speed is met soon even without a signal. */
const sleepMsMax = 60_000;

interface State {
  place: { at: number | undefined; sent: number; passed: number; round: number; speed: number };
  /** A time of the capture and the time of the clock at which it was reached. */
  anchor: { captured: number; clock: number } | undefined;
  isPaused: boolean;
  steps: number;
  /** Messages before it are passed over; after a way back the capture is opened anew. */
  seekTo: number | undefined;
  isBack: boolean;
  wake: AbortController;
  /** Of this round. */
  shiftMs: number | undefined;
}

export function createPlayer(parts: PlayerParts, options: PlayerOptions): Player {
  const state: State = {
    place: { at: undefined, sent: 0, passed: 0, round: 1, speed: options.speed },
    ...{ anchor: undefined, isPaused: options.startPaused === true, steps: 0 },
    ...{ seekTo: undefined, isBack: false, wake: new AbortController(), shiftMs: undefined },
  };
  const wake = (): void => {
    state.wake.abort();
    state.wake = new AbortController();
  };
  /** What was waited for so far counts, whatever changes; while it is paused no time passes. */
  const change = (apply: () => void): void => {
    const { anchor, isPaused } = state;
    const clock = parts.clock.now();
    const speed = isPaused || !Number.isFinite(state.place.speed) ? 0 : state.place.speed;
    if (anchor !== undefined) {
      state.anchor = { captured: anchor.captured + (clock - anchor.clock) * speed, clock };
    }
    apply();
    wake();
  };
  options.signal.addEventListener('abort', wake);
  return {
    place: state.place,
    play: () => play(parts, options, state),
    pause: () => change(() => (state.isPaused = true)),
    resume: () => change(() => (state.isPaused = false)),
    isPaused: () => state.isPaused,
    step: () => change(() => (state.steps += 1)),
    setSpeed: (speed) => change(() => (state.place.speed = speed)),
    seek(milliseconds) {
      if (state.place.at === undefined) return;
      const to = (state.seekTo ?? state.place.at) + milliseconds;
      change(() => {
        state.seekTo = to;
        state.anchor = undefined;
        if (milliseconds < 0) state.isBack = true;
      });
    },
  };
}

async function play(parts: PlayerParts, options: PlayerOptions, state: State): Promise<void> {
  for (;;) {
    const end = await playOnce(parts, options, state);
    if (end === 'back') continue;
    const isOver = state.place.at === undefined || state.place.round >= options.rounds;
    if (end === 'stopped' || isOver) return;
    state.place.round += 1;
    state.anchor = undefined;
    state.seekTo = undefined;
    state.shiftMs = undefined;
  }
}

/** `back`: somebody wants an earlier place, so the capture is opened anew. */
async function playOnce(
  parts: PlayerParts,
  options: PlayerOptions,
  state: State,
): Promise<'end' | 'back' | 'stopped'> {
  state.isBack = false;
  for await (const message of await parts.open()) {
    if (state.seekTo !== undefined && message.at < state.seekTo) {
      state.place.passed += 1;
      continue;
    }
    state.seekTo = undefined;
    state.place.at ??= message.at;
    const turn = await untilItsTurn(message, parts.clock, options, state);
    if (turn !== 'send') {
      if (turn === 'pass') continue;
      return turn;
    }
    state.place.at = message.at;
    state.shiftMs ??= shiftOf(parts, options, state.place);
    await parts.send(shiftMessage(message, state.shiftMs));
    state.place.sent += 1;
  }
  return options.signal.aborted ? 'stopped' : 'end';
}

async function untilItsTurn(
  { at }: CapturedMessage,
  clock: PlayerClock,
  { signal }: PlayerOptions,
  state: State,
): Promise<'send' | 'pass' | 'back' | 'stopped'> {
  for (;;) {
    if (signal.aborted) return 'stopped';
    if (state.isBack) return 'back';
    if (state.seekTo !== undefined && at < state.seekTo) return 'pass';
    if (state.isPaused) {
      if (state.steps > 0) {
        state.steps -= 1;
        state.anchor = { captured: at, clock: clock.now() };
        return 'send';
      }
      await clock.sleep(sleepMsMax, state.wake.signal);
      continue;
    }
    const { speed } = state.place;
    if (speed === Number.POSITIVE_INFINITY) {
      state.anchor = { captured: at, clock: clock.now() };
      return 'send';
    }
    state.anchor ??= { captured: at, clock: clock.now() };
    const due = state.anchor.clock + (at - state.anchor.captured) / speed;
    const wait = due - clock.now();
    if (wait <= 0) return 'send';
    await clock.sleep(Math.min(wait, sleepMsMax), state.wake.signal);
  }
}

/** Of the round that begins. */
function shiftOf(
  { span, clock }: PlayerParts,
  { shift }: PlayerOptions,
  { round, speed }: PlayerPlace,
): number {
  const length = span.last - span.first;
  if (shift === 'now') return wholeSeconds(clock.now() + length / speed - span.last);
  return wholeSeconds(shift + (round - 1) * (length + roundGapMs));
}
