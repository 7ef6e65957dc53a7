/** Starts the page: language, state, stream, view. */
import './style/tokens.css';
import './style/page.css';
import './style/device.css';
import { effect } from '@preact/signals';
import { render } from 'preact';
import { createApi } from './api.ts';
import { App } from './app.tsx';
import { startLive } from './browser-live.ts';
import { chooseLanguage } from './language.ts';
import { PageProvider } from './page-context.tsx';
import { createPageState } from './page-state.ts';

const languageKey = 'fieldgate.language';

/** Storage may be forbidden; then the choice lasts as long as the page. */
function remembered(): string | null {
  try {
    return localStorage.getItem(languageKey);
  } catch {
    return null;
  }
}

function remember(language: string): void {
  try {
    localStorage.setItem(languageKey, language);
  } catch {
    return;
  }
}

async function start(): Promise<void> {
  const root = document.getElementById('app');
  if (root === null) return;
  const language = chooseLanguage({
    search: window.location.search,
    remembered: remembered(),
    browser: navigator.languages,
  });
  const api = createApi((path, init) => fetch(new URL(path, document.baseURI), init));
  const page = createPageState({ api, language, localNow: () => Date.now() });
  effect(() => remember(page.language.value));
  const live = startLive(page);
  render(
    <PageProvider page={page} live={live}>
      <App />
    </PageProvider>,
    root,
  );
  await page.load();
  if (page.session.peek() === 'signed-out') live.stop();
}

void start();
