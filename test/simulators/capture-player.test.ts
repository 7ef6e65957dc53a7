/** The player against a clock that the test holds. */
import { describe, expect, it } from '@jest/globals';
import type { CapturedMessage } from '../../simulators/capture/message.ts';
import { createPlayer, type Player, type PlayerOptions } from '../../simulators/capture/player.ts';
import { keysOf, pressKey } from '../../simulators/capture/replay-keys.ts';

const start = Date.parse('2026-01-01T00:00:00Z');
const now = Date.parse('2026-06-01T00:00:00Z');

function message(seconds: number): CapturedMessage {
  const at = start + seconds * 1_000;
  return { at, via: 'mqtt', route: `up/${seconds}`, body: Buffer.from(JSON.stringify({ ts: at })) };
}

interface Sent {
  /** Seconds since the replay began, by the clock. */
  readonly after: number;
  readonly route: string;
  /** Seconds after `now` that the message tells of. */
  readonly tells: number;
}

/** Runs to the end; `at` is asked at every pause of the player and may press keys. */
async function played(
  seconds: readonly number[],
  wish: Partial<PlayerOptions> & { at?: (player: Player, clock: number, sent: Sent[]) => void },
): Promise<Sent[]> {
  const sent: Sent[] = [];
  const messages = seconds.map(message);
  let clock = now;
  const { at, ...options } = wish;
  const player: Player = createPlayer(
    {
      span: { first: messages[0]?.at ?? 0, last: messages.at(-1)?.at ?? 0 },
      open: async () =>
        (async function* () {
          yield* messages;
        })(),
      send: async ({ route, body }) => {
        const tells = (JSON.parse(body.toString()).ts - now) / 1_000;
        sent.push({ after: (clock - now) / 1_000, route, tells });
      },
      clock: {
        now: () => clock,
        sleep: async (milliseconds, signal) => {
          await new Promise(setImmediate);
          const before = clock;
          at?.(player, (clock - now) / 1_000, sent);
          if (!signal.aborted && clock === before) clock += milliseconds;
        },
      },
    },
    { speed: 1, shift: 0, rounds: 1, signal: new AbortController().signal, ...options },
  );
  await player.play();
  return sent;
}

const places = [0, 10, 15, 100, 4_000];

describe('A player', () => {
  it('keeps the distances of the capture', async () => {
    const sent = await played(places, {});
    expect(sent.map(({ after }) => after)).toEqual(places);
    expect(sent.map(({ route }) => route)).toEqual(places.map((place) => `up/${place}`));
  });

  it('divides them by the speed, and waits for nothing at the highest', async () => {
    const fast = await played(places, { speed: 10 });
    expect(fast.map(({ after }) => after)).toEqual(places.map((place) => place / 10));
    const fastest = await played(places, { speed: Number.POSITIVE_INFINITY });
    expect(fastest.map(({ after }) => after)).toEqual([0, 0, 0, 0, 0]);
  });

  it('leaves the times in messages unless told to shift them', async () => {
    const far = (start - now) / 1_000;
    expect((await played(places, {})).map(({ tells }) => tells - far)).toEqual(places);
    const shifted = await played(places, { shift: 86_400_000 });
    expect(shifted.map(({ tells }) => tells - far)).toEqual(places.map((place) => place + 86_400));
  });

  it('tells of now when shifted to now, and never of the future', async () => {
    const real = await played(places, { shift: 'now' });
    expect(real.map(({ tells }) => tells)).toEqual(places);
    const fast = await played(places, { shift: 'now', speed: 10 });
    expect(fast.map(({ tells, after }) => after - tells)).toEqual([
      3_600, 3_591, 3_586.5, 3_510, 0,
    ]);
    const fastest = await played(places, { shift: 'now', speed: Number.POSITIVE_INFINITY });
    expect(fastest.at(-1)?.tells).toBe(0);
  });

  it('plays rounds one after the other, each later by the length of the capture', async () => {
    const sent = await played([0, 10], { rounds: 3, speed: Number.POSITIVE_INFINITY });
    const far = (start - now) / 1_000;
    expect(sent.map(({ tells }) => tells - far)).toEqual([0, 10, 11, 21, 22, 32]);
  });

  it('ends when the signal is given', async () => {
    const end = new AbortController();
    const sent = await played(places, {
      signal: end.signal,
      at: (_, clock) => clock >= 15 && end.abort(),
    });
    expect(sent.map(({ route }) => route)).toEqual(['up/0', 'up/10', 'up/15']);
  });

  it('waits while paused, sends one by one, and goes on', async () => {
    const log: number[] = [];
    let pauses = 0;
    const sent = await played([0, 10, 20, 30], {
      startPaused: true,
      at: (player, _, { length }) => {
        pauses += 1;
        log.push(length);
        if (pauses === 2) pressKey('s', player, () => undefined);
        if (pauses === 4) pressKey('n', player, () => undefined);
        if (pauses === 5) pressKey(' ', player, () => undefined);
      },
    });
    expect(log.slice(0, 5)).toEqual([0, 0, 1, 1, 2]);
    expect(sent.map(({ route }) => route)).toEqual(['up/0', 'up/10', 'up/20', 'up/30']);
  });

  it('passes over what a seek leaves behind, and comes back for what it wants again', async () => {
    let hasSought = false;
    const seeking = (step: number, when: number) => (player: Player, clock: number) => {
      if (hasSought || clock < when) return;
      hasSought = true;
      player.seek(step);
    };
    const ahead = await played([0, 10, 20, 30, 90], { at: seeking(60_000, 10) });
    expect(ahead.map(({ route }) => route)).toEqual(['up/0', 'up/10', 'up/90']);
    hasSought = false;
    const back = await played([0, 10, 20, 30], { at: seeking(-10_000, 20) });
    expect(back.map(({ route }) => route)).toEqual([
      ...['up/0', 'up/10', 'up/20'],
      ...['up/10', 'up/20', 'up/30'],
    ]);
  });

  it('takes a new speed from where it is', async () => {
    const sent = await played([0, 100, 200], {
      at: (player, clock) => clock === 60 && player.place.speed === 1 && player.setSpeed(2),
    });
    // 60 s at the old speed, 40 s of the capture at the new one.
    expect(sent.map(({ after }) => after)).toEqual([0, 80, 130]);
  });
});

describe('The keyboard of a replay', () => {
  it('tells arrows from letters when several come at once', () => {
    expect(keysOf(' \u001b[C\u001b[Bq')).toEqual([' ', '\u001b[C', '\u001b[B', 'q']);
  });

  it('ends at q and at Ctrl-C', () => {
    let ends = 0;
    const player = createPlayer(
      {
        span: { first: 0, last: 0 },
        open: async () => (async function* () {})(),
        send: async () => undefined,
        clock: { now: () => 0, sleep: async () => undefined },
      },
      { speed: 1, shift: 0, rounds: 1, signal: new AbortController().signal },
    );
    for (const key of ['q', '\u0003', '+', '-', 'x', '\u001b[A', '\u001b[D']) {
      pressKey(key, player, () => {
        ends += 1;
      });
    }
    expect([ends, player.place.speed]).toEqual([2, 1]);
  });
});
