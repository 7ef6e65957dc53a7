/** The keyboard of a replay: only where a person sits, and only while it runs. */
import type { ReadStream } from 'node:tty';
import type { Player } from './player.ts';

export const keyWords =
  'space pause · s or n one step · ← → one minute · ↑ ↓ one hour · + − speed · q end';

const escapeByte = '\u001b';
const minuteMs = 60_000;
const hourMs = 3_600_000;
const speedMin = 1 / 64;
const speedMax = 65_536;

/** Gives the terminal back by the function that it returns. */
export function listenToKeys(input: ReadStream, player: Player, end: () => void): () => void {
  const take = (bytes: Buffer): void => {
    for (const key of keysOf(bytes.toString('latin1'))) pressKey(key, player, end);
  };
  input.setRawMode(true);
  input.on('data', take);
  input.resume();
  return () => {
    input.off('data', take);
    input.setRawMode(false);
    input.pause();
  };
}

/** Arrows come as three bytes; several keys may come at once. */
export function keysOf(text: string): string[] {
  return text
    .split(new RegExp(`(${escapeByte}\\[[A-D])|`))
    .filter((key) => key !== undefined && key !== '');
}

export function pressKey(key: string, player: Player, end: () => void): void {
  switch (key) {
    case ' ':
      if (player.isPaused()) player.resume();
      else player.pause();
      break;
    case 's':
    case 'n':
      if (!player.isPaused()) player.pause();
      player.step();
      break;
    case `${escapeByte}[C`:
      player.seek(minuteMs);
      break;
    case `${escapeByte}[D`:
      player.seek(-minuteMs);
      break;
    case `${escapeByte}[A`:
      player.seek(hourMs);
      break;
    case `${escapeByte}[B`:
      player.seek(-hourMs);
      break;
    case '+':
      player.setSpeed(Math.min(speedMax, player.place.speed * 2));
      break;
    case '-':
      player.setSpeed(Math.max(speedMin, Math.min(speedMax, player.place.speed) / 2));
      break;
    case 'q':
    case '\u0003':
      end();
      break;
    default:
  }
}
