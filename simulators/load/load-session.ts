/**
 * A load from start to verdict: sends it, keeps its history, watches the live stream meanwhile, and
 * asks the gateway afterwards if it has all of it.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLiveViewer } from '../live-viewer.ts';
import { checkGateway, type GatewayDoor, ledgerHead, type Verdict } from './gateway-check.ts';
import { createHistoryFile, readHistory } from './history-file.ts';
import { createLiveMatcher, type LiveFigures } from './live-matcher.ts';
import { createLiveRowReader } from './live-rows.ts';
import { type LoadParts, type LoadProgress, runLoad } from './load-run.ts';

export interface LoadSession extends Pick<LoadParts, 'plan' | 'clock' | 'signal'> {
  /** Where to watch and to ask; without it only acknowledgements are measured. */
  readonly gateway?: GatewayDoor | undefined;
  /** Kept there; without it a history is made for the check alone. */
  readonly historyFile?: string | undefined;
  readonly settleMs: number;
  readonly onProgress: (progress: LoadProgress, live: LiveFigures | undefined) => void;
}

export interface LoadOutcome {
  readonly load: LoadProgress;
  readonly live?: LiveFigures;
  /** What the live stream refused, in words. */
  readonly liveFaults?: readonly string[];
  readonly verdict?: Verdict;
}

/** The fastest that the stream gives. */
const liveRateMs = 100;
const livePollMs = 50;
/** Before the first message, for the stream; after the last acknowledgement, for its rows. */
const liveGraceMs = 5_000;

export async function runLoadSession(session: LoadSession): Promise<LoadOutcome> {
  const { historyFile } = session;
  if (historyFile !== undefined) return runWith(session, historyFile);
  const directory = await mkdtemp(join(tmpdir(), 'fieldgate-load-'));
  try {
    return await runWith(session, join(directory, 'history.ndjson'));
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function runWith(session: LoadSession, file: string): Promise<LoadOutcome> {
  const { plan, clock, gateway, settleMs } = session;
  const history = await createHistoryFile(file, {
    ...{ run: plan.run, seed: plan.seed, started: new Date(clock.now()).toISOString() },
    ledgerAfter: gateway === undefined ? 0 : await ledgerHead(gateway),
  });
  const live = gateway === undefined ? undefined : watchLive(gateway, session);
  try {
    await live?.connected();
    const load = await runLoad({
      ...{ plan, clock, signal: session.signal },
      onSent(message, due) {
        history.sent(message);
        live?.matcher.sent(message, due);
      },
      onAcknowledged: history.acknowledged,
      onProgress: (progress) => session.onProgress(progress, live?.matcher.figures()),
    }).finally(history.close);
    if (gateway === undefined || live === undefined) return { load };
    await live.settled();
    const verdict = await checkGateway({
      ...{ door: gateway, clock, settleMs },
      history: await readHistory(file),
    });
    const figures = live.matcher.figures();
    return { load, live: figures, liveFaults: live.viewer.faults, verdict };
  } finally {
    live?.viewer.close();
  }
}

function watchLive({ url, token }: GatewayDoor, { clock }: LoadSession) {
  const matcher = createLiveMatcher();
  const rowsOf = createLiveRowReader();
  let isWatching = false;
  const viewer = createLiveViewer(`${url.replace(/^http/, 'ws')}/live`, token, {
    rateMs: liveRateMs,
    onText(text) {
      const now = clock.now();
      isWatching = true;
      for (const row of rowsOf(text)) matcher.shown(row, now);
    },
  });
  const until = async (isTrue: () => boolean): Promise<void> => {
    const { signal } = new AbortController();
    const deadline = clock.now() + liveGraceMs;
    while (!isTrue() && clock.now() < deadline) await clock.sleep(livePollMs, signal);
  };
  return {
    ...{ matcher, viewer },
    connected: () => until(() => isWatching),
    settled: () => until(() => matcher.outstanding() === 0),
  };
}

/** Everything was sent and acknowledged, and the gateway, if asked, has exactly that. */
export function isGood({ load, verdict }: LoadOutcome): boolean {
  const { planned, acknowledged, due, isOverloaded } = load;
  const isWhole = acknowledged === due && due <= planned && !isOverloaded;
  return isWhole && verdict?.isSound !== false && due > 0;
}
