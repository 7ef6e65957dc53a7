/**
 * The line that says whether the picture can be trusted: live, paused or not, and how many report.
 */
import { useState } from 'preact/hooks';
import { closeCodes } from '../../protocol.ts';
import { createAnnouncer } from '../announcer.ts';
import { languages } from '../language.ts';
import { type PageTools, usePage } from '../page-context.tsx';
import { type LineState, LiveIcon, WarningIcon } from './icons.tsx';

const languageNames = { az: 'Azərbaycanca', ru: 'Русский', en: 'English' } as const;

/** What the line says of the stream, in words. */
function liveWords({ page, t, format }: PageTools): {
  state: LineState;
  text: string;
} {
  const live = page.live.value;
  const pausedAt = page.pausedAt.value;
  const isLost = live.phase === 'down' || live.phase === 'refused';
  if (isLost && live.lastHeard === undefined) return { state: 'down', text: t('status.never') };
  if (isLost) {
    const key = live.phase === 'down' ? 'status.down' : 'status.refused';
    const offset = page.serverNow() - Date.now();
    const time = format.moment((live.lastHeard ?? 0) + offset, page.serverNow());
    return { state: 'down', text: t(key, { words: { time } }) };
  }
  if (pausedAt !== undefined) {
    return {
      state: 'paused',
      text: t('status.paused', { words: { time: format.clock(pausedAt) } }),
    };
  }
  if (live.phase === 'connecting') return { state: 'waiting', text: t('status.connecting') };
  return { state: 'live', text: t('status.live') };
}

/** What limits the picture beside the stream itself: a reader must not take it for whole. */
function warningWords({ page, t, format }: PageTools): string | undefined {
  const { phase } = page.live.value;
  const lateSince = page.storeLateSince.value;
  if (phase === 'down') {
    const trying = t('status.trying');
    return page.isLoaded.value ? `${t('status.old')} ${trying}` : trying;
  }
  if (phase === 'refused') return page.isLoaded.value ? t('status.old') : undefined;
  if (lateSince === undefined) return undefined;
  return t('status.storeLate', { words: { time: format.moment(lateSince, page.serverNow()) } });
}

/** One sentence of counts; the same words for the eye and for the screen reader. */
function countWords({ page, t, format }: PageTools): { reporting: string; troubles: string[] } {
  const { all, reporting, late, silent } = page.counts.value;
  const live = format.number(reporting, 0);
  return {
    reporting: t('status.reporting', { n: all, words: { live } }),
    troubles: [
      ...(late > 0 ? [t('status.late', { n: late })] : []),
      ...(silent > 0 ? [t('status.silent', { n: silent })] : []),
    ],
  };
}

function PauseButton() {
  const { page, live, t } = usePage();
  const isPaused = page.pausedAt.value !== undefined;
  const toggle = () => {
    if (isPaused) {
      page.pausedAt.value = undefined;
      page.tick();
      live.go();
    } else {
      page.pausedAt.value = page.serverNow();
      live.pause();
    }
  };
  return (
    <button type="button" class="button pause" onClick={toggle}>
      <svg class="icon" viewBox="0 0 16 16" aria-hidden="true" focusable="false">
        <path
          d={isPaused ? 'M5 3l8 5l-8 5z' : 'M4.5 3h2.5v10h-2.5zM9.5 3h2.5v10h-2.5z'}
          fill="currentColor"
        />
      </svg>
      {t(isPaused ? 'status.resume' : 'status.pause')}
    </button>
  );
}

function LanguageSwitch() {
  const { page, t } = usePage();
  return (
    <nav class="languages" aria-label={t('page.language')}>
      {languages.map((language) => (
        <button
          key={language}
          type="button"
          lang={language}
          title={languageNames[language]}
          aria-label={`${language.toUpperCase()} ${languageNames[language]}`}
          aria-pressed={page.language.value === language}
          onClick={() => {
            page.language.value = language;
          }}
        >
          {language}
        </button>
      ))}
    </nav>
  );
}

/** Exists from the start and is filled later, as screen readers need it. */
function Announcement() {
  const tools = usePage();
  const [announcer] = useState(createAnnouncer);
  const [said, say] = useState('');
  const now = tools.page.now.value;
  const isReady = tools.page.isLoaded.value;
  const { reporting, troubles } = countWords(tools);
  const words = liveWords(tools);
  const counts = [reporting, ...troubles].join(', ');
  const sentence = [`${words.text}.`, warningWords(tools), `${counts}.`]
    .filter((part) => part !== undefined)
    .join(' ');
  const news = isReady && words.state !== 'waiting' ? announcer.offer(sentence, now) : undefined;
  if (news !== undefined) queueMicrotask(() => say(news));
  return (
    <p class="visually-hidden" role="status">
      {said}
    </p>
  );
}

/** Before sign-in there is nothing to tell but the name, and the language to choose. */
export function PlainLine() {
  return (
    <header class="status">
      <div class="status-inner">
        <p class="brand">Fieldgate</p>
        <LanguageSwitch />
      </div>
    </header>
  );
}

export function StatusLine() {
  const tools = usePage();
  const { page, t, format } = tools;
  const { state, text } = liveWords(tools);
  const { reporting, troubles } = countWords(tools);
  const updatedAt = page.updatedAt.value;
  const slowMs = page.slowMs.value;
  return (
    <header class={`status status-${state}`}>
      <div class="status-inner">
        <p class="brand">Fieldgate</p>
        <PauseButton />
        <p class="live">
          <LiveIcon state={state} />
          <strong>{text}</strong>
          {updatedAt === undefined || state !== 'live' ? null : (
            <span class="updated">
              {t('status.updated', { words: { time: format.clock(updatedAt) } })}
            </span>
          )}
        </p>
        {page.isLoaded.value ? (
          <p class="counts">
            {reporting}
            {troubles.map((trouble) => (
              <span key={trouble} class="trouble">
                {trouble}
              </span>
            ))}
          </p>
        ) : null}
        <LanguageSwitch />
      </div>
      <StatusNotes slowMs={slowMs} />
      <Announcement />
    </header>
  );
}

function StatusNotes({ slowMs }: { slowMs: number | undefined }) {
  const tools = usePage();
  const { page, t, format } = tools;
  const live = page.live.value;
  const warning = warningWords(tools);
  const notes: string[] = [];
  if (page.isSimulated.value) notes.push(t('page.simulated'));
  if (page.pausedAt.value !== undefined) notes.push(t('status.pausedNote'));
  if (live.phase === 'refused') {
    notes.push(t(live.code === closeCodes.auth ? 'status.signIn' : 'status.reload'));
  }
  if (slowMs !== undefined) notes.push(t('status.slow', { words: { span: format.span(slowMs) } }));
  return (
    <>
      {warning === undefined ? null : (
        <p class="notes warning">
          <WarningIcon />
          <span>{warning}</span>
        </p>
      )}
      {notes.length === 0 ? null : <p class="notes">{notes.join(' ')}</p>}
    </>
  );
}
