/**
 * Where a visitor without a session comes to: what a sign-in link is, and a place for its token.
 */
import { useState } from 'preact/hooks';
import type { MessageKey } from '../messages/en.ts';
import { usePage } from '../page-context.tsx';

/** Longer than any token of the gateway. */
const tokenLengthMax = 4_096;

export function SignIn() {
  const { page, t } = usePage();
  const [trouble, setTrouble] = useState<MessageKey | undefined>(undefined);
  const [isBusy, setBusy] = useState(false);
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    if (!(event.currentTarget instanceof HTMLFormElement)) return;
    const token = String(new FormData(event.currentTarget).get('token') ?? '').trim();
    setBusy(true);
    const answer = await page.api.signIn(token);
    setBusy(false);
    if (answer.ok) window.location.reload();
    else setTrouble(answer.reason === 'signed-out' ? 'signIn.wrong' : 'signIn.failed');
  };
  return (
    <section class="sign-in panel">
      <h1 tabIndex={-1}>{t('signIn.title')}</h1>
      <p>{t('signIn.why')}</p>
      <p>{t('signIn.link')}</p>
      <pre>
        <code>npx fieldgate token create --name …</code>
      </pre>
      <form onSubmit={submit}>
        <label for="token">{t('signIn.token')}</label>
        <input
          id="token"
          name="token"
          type="password"
          autocomplete="current-password"
          spellcheck={false}
          required
          maxLength={tokenLengthMax}
          aria-describedby={trouble === undefined ? undefined : 'token-trouble'}
          aria-invalid={trouble === undefined ? undefined : 'true'}
        />
        <button type="submit" class="button primary" disabled={isBusy}>
          {t('signIn.submit')}
        </button>
        <p id="token-trouble" class="trouble-text" role="alert">
          {trouble === undefined ? '' : t(trouble)}
        </p>
      </form>
    </section>
  );
}
