/** Joins the live client to the browser: its WebSocket, its sleep and wake, its network. */
import { liveSubprotocol } from '../protocol.ts';
import { createLiveClient, type LiveClient, type SocketHandlers } from './live-client.ts';
import type { PageState } from './page-state.ts';

/** The list's pace; one change a second is what people can follow. */
const listRateMs = 1_000;
const tickMs = 1_000;
/** A tick that comes this much late means that the machine slept. */
const sleptMs = 5_000;
/** After this without a stream the last values are fetched by HTTP, once. */
const fallbackAfterMs = 4_000;
/** How often lists that are out of date are loaded again. */
const listEveryMs = 60_000;
/** How often a lost connection asks the HTTP side whether the session still holds. */
const probeEveryMs = 30_000;

function openSocket(handlers: SocketHandlers) {
  const address = new URL('live', document.baseURI);
  address.protocol = address.protocol.replace('http', 'ws');
  const socket = new WebSocket(address, liveSubprotocol);
  socket.onopen = () => handlers.opened();
  socket.onmessage = (event) => handlers.heard(String(event.data));
  socket.onclose = (event) => handlers.closed(event.code);
  return {
    send(text: string) {
      if (socket.readyState === WebSocket.OPEN) socket.send(text);
    },
    close: () => socket.close(),
  };
}

/** A handshake refused for want of a session looks like any other loss: HTTP tells which it was. */
function createProbe(page: PageState): () => Promise<void> {
  let probedAt = Number.NEGATIVE_INFINITY;
  return async () => {
    if (Date.now() - probedAt < probeEveryMs) return;
    probedAt = Date.now();
    const answer = await page.api.quantities();
    if (!answer.ok && answer.reason === 'signed-out') page.session.value = 'signed-out';
  };
}

async function loadLatest(page: PageState): Promise<void> {
  const answer = await page.api.latest();
  if (!answer.ok || page.live.peek().phase === 'live') return;
  if (Number.isFinite(answer.value.now)) page.setClock(answer.value.now);
  page.takeSnapshot(answer.value.readings);
}

export function startLive(page: PageState): LiveClient {
  const probe = createProbe(page);
  const client = createLiveClient({
    connect: openSocket,
    onState(state) {
      page.live.value = state;
      if (state.phase === 'down') void probe();
      if (state.phase === 'live') page.slowMs.value = undefined;
    },
    onServerTime: (now) => page.setClock(now),
    onSources: page.takeSources,
    onSlow: (rateMs) => {
      page.slowMs.value = rateMs;
    },
    now: () => Date.now(),
    random: () => Math.random(),
  });
  client.subscribe({
    view: 'latest',
    rateMs: listRateMs,
    sink: { snapshot: page.takeSnapshot, delta: page.takeDelta, gap: () => {} },
  });
  client.start();
  setTimeout(() => {
    if (page.live.peek().phase !== 'live') void loadLatest(page);
  }, fallbackAfterMs);
  watchTime(page, client);
  watchLists(page);
  return client;
}

/** Lists that lack a device, or that failed, are loaded again, but not while the reader pauses. */
function watchLists(page: PageState): void {
  setInterval(() => {
    const isPaused = page.pausedAt.peek() !== undefined;
    const isSignedIn = page.session.peek() !== 'signed-out';
    if (page.isOutdated.peek() && isSignedIn && !isPaused) void page.load();
  }, listEveryMs);
}

function watchTime(page: PageState, client: LiveClient): void {
  let tickedAt = Date.now();
  setInterval(() => {
    const now = Date.now();
    if (Math.abs(now - tickedAt - tickMs) > sleptMs) client.wake();
    tickedAt = now;
    page.tick();
  }, tickMs);
  window.addEventListener('online', () => client.wake());
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'visible') client.wake();
  });
}
