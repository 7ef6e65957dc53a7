/** The page around its views: skip link, status line, the chosen view, the zone of all times. */
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { usePage } from './page-context.tsx';
import { PlainLine, StatusLine } from './parts/status-line.tsx';
import { type Route, routeOf } from './route.ts';
import { DeviceList } from './views/device-list.tsx';
import { DevicePage } from './views/device-page.tsx';
import { SignIn } from './views/sign-in.tsx';

function useRoute(): Route {
  const route = useSignal<Route>(routeOf(window.location.hash) ?? { view: 'list' });
  useEffect(() => {
    const follow = () => {
      const next = routeOf(window.location.hash);
      if (next !== undefined) route.value = next;
    };
    window.addEventListener('hashchange', follow);
    return () => window.removeEventListener('hashchange', follow);
  }, [route]);
  return route.value;
}

/** A change of view is told by moving the focus to its heading, but not when the page opens. */
function useFocusOnChange(place: string): void {
  const first = useSignal(true);
  useEffect(() => {
    if (first.peek()) first.value = false;
    else {
      window.scrollTo(0, 0);
      document.querySelector('main')?.querySelector('h1')?.focus();
    }
  }, [place]);
}

function SkipLink() {
  const { t } = usePage();
  return (
    // biome-ignore lint/a11y/useValidAnchor: it is a link into the page; only the address stays.
    <a
      class="skip"
      href="#main"
      onClick={(event) => {
        event.preventDefault();
        document.getElementById('main')?.focus();
      }}
    >
      {t('page.skip')}
    </a>
  );
}

function Trouble() {
  const { page, t } = usePage();
  const reason = page.trouble.value;
  if (reason === undefined) return null;
  return (
    <p class="panel trouble-text" role="alert">
      {t('page.failed', { words: { reason } })}{' '}
      <button type="button" class="button" onClick={() => void page.load()}>
        {t('page.again')}
      </button>
    </p>
  );
}

function View({ route }: { route: Route }) {
  const { page, t } = usePage();
  if (page.session.value === 'signed-out') return <SignIn />;
  if (!page.isLoaded.value)
    return page.trouble.value === undefined ? <p>{t('page.loading')}</p> : null;
  return route.view === 'list' ? <DeviceList /> : <DevicePage key={route.id} id={route.id} />;
}

export function App() {
  const { page, t, format } = usePage();
  const route = useRoute();
  const { phase } = page.live.value;
  const isDown = phase === 'down' || phase === 'refused';
  const at = page.now.value;
  const isSignedOut = page.session.value === 'signed-out';
  useFocusOnChange(route.view === 'list' ? '' : route.id);
  useEffect(() => {
    const device = route.view === 'device' ? page.deviceById.value.get(route.id) : undefined;
    const name = route.view === 'device' ? (device?.name ?? route.id) : t('page.title');
    document.title = `${name} · Fieldgate`;
    document.documentElement.lang = page.language.value;
  });
  return (
    <div class={isDown && !isSignedOut ? 'page is-down' : 'page'}>
      <SkipLink />
      {isSignedOut ? <PlainLine /> : <StatusLine />}
      <main id="main" tabIndex={-1}>
        <Trouble />
        <View route={route} />
      </main>
      <footer>
        <p class="printed">
          {t('page.printed', { words: { date: format.date(at), time: format.clock(at) } })}
        </p>
        <p>{t('page.zone', { words: { zone: format.zoneName } })}</p>
      </footer>
    </div>
  );
}
