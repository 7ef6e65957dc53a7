/** Hands the page's state, words and formats to the views. */
import { type ComponentChildren, createContext } from 'preact';
import { useContext, useMemo } from 'preact/hooks';
import { createFormatter, type Formatter } from './format/formatter.ts';
import type { LiveClient } from './live-client.ts';
import { createTranslate, type Translate } from './messages/translate.ts';
import type { PageState } from './page-state.ts';

export interface PageTools {
  readonly page: PageState;
  readonly live: LiveClient;
  readonly t: Translate;
  readonly format: Formatter;
}

const Context = createContext<PageTools | undefined>(undefined);

export function PageProvider(props: {
  page: PageState;
  live: LiveClient;
  children: ComponentChildren;
}) {
  const { page, live, children } = props;
  const language = page.language.value;
  const tools = useMemo<PageTools>(() => {
    const { timeZone } = new Intl.DateTimeFormat().resolvedOptions();
    const format = createFormatter({ language, timeZone, now: Date.now() });
    const t = createTranslate({ language, number: (value) => format.number(value, 0) });
    return { page, live, t, format };
  }, [page, live, language]);
  return <Context.Provider value={tools}>{children}</Context.Provider>;
}

export function usePage(): PageTools {
  const tools = useContext(Context);
  if (tools === undefined) throw new Error('usePage outside PageProvider');
  return tools;
}
