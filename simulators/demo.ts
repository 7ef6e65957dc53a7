/**
 * The program behind `npm run demo`. Exit codes: 0 when all that was acknowledged is stored, 1 when
 * not or when it could not run (with the reason), 2 for wrong options.
 */
import { spawn } from 'node:child_process';
import { CommanderError } from 'commander';
import { type DemoOptions, parseDemoOptions } from './demo-options.ts';
import { type DemoScreen, runDemo } from './demo-run.ts';
import { failuresOf } from './demo-summary.ts';

const progressLineMs = 5_000;

async function main(): Promise<number> {
  const options = readOptions();
  if (typeof options === 'number') return options;
  const end = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(name, () => {
      if (end.signal.aborted) process.exit(1);
      end.abort();
    });
  }
  try {
    const failures = failuresOf(await runDemo(options, createScreen(), end.signal));
    for (const failure of failures) console.error(`Failed: ${failure}`);
    return failures.length === 0 ? 0 : 1;
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    return 1;
  }
}

/** The options, or the exit code when commander has already answered. */
function readOptions(): DemoOptions | number {
  try {
    return parseDemoOptions(process.argv.slice(2));
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    throw error;
  }
}

/** On a terminal the progress stays on one line; elsewhere a line every few seconds. */
function createScreen(): DemoScreen {
  const { isTTY = false, columns = 80 } = process.stdout;
  const clear = isTTY ? '\r\u001b[K' : '';
  let nextProgress = 0;
  return {
    line: (text) => console.log(`${clear}${text}`),
    progress(text) {
      if (isTTY) {
        process.stdout.write(`${clear}${text.slice(0, columns - 1)}`);
      } else if (Date.now() >= nextProgress) {
        nextProgress = Date.now() + progressLineMs;
        console.log(text);
      }
    },
    openBrowser,
  };
}

/** Only where a person sits: a terminal, and a screen to open a window on. */
function openBrowser(url: string): void {
  const { DISPLAY, WAYLAND_DISPLAY } = process.env;
  const isMac = process.platform === 'darwin';
  if (!process.stdout.isTTY || !(isMac || DISPLAY || WAYLAND_DISPLAY)) return;
  const browser = spawn(isMac ? 'open' : 'xdg-open', [url], { detached: true, stdio: 'ignore' });
  // No opener is installed: the printed link is enough.
  browser.on('error', () => undefined);
  browser.unref();
}

process.exitCode = await main();
