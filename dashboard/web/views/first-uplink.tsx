/** What to do next where no device is known yet: where to send to, and a line that does it. */
import { useEffect, useState } from 'preact/hooks';
import type { ListeningJson } from '../../protocol.ts';
import { usePage } from '../page-context.tsx';

const doorNames: Readonly<Record<string, string>> = {
  http: 'HTTP',
  mqtt: 'MQTT',
  mqtts: 'MQTT, TLS',
  'mqtt-websocket': 'MQTT, WebSocket',
  udp: 'UDP, Semtech',
  coap: 'CoAP',
  'basic-station': 'Basics Station',
};

const tokenCommand = 'FIELDGATE_TOKEN=$(npx fieldgate token create --name first --role admin)';
const deviceId = 'first-modem';
const reading = '{\\"ts\\": $(date +%s)000, \\"temperature\\": 12.4, \\"humidity\\": 71}';

/** A door that is open on all addresses is reached where the page is. */
export function reachableHost(host: string, pageHost: string): string {
  return host === '0.0.0.0' || host === '::' ? pageHost : host;
}

const isLoopback = (host: string) => host.startsWith('127.');

/** For a POSIX shell; undefined where neither MQTT nor MQTT with TLS is open. */
export function publishCommand(
  doors: readonly ListeningJson[],
  pageHost: string,
): string | undefined {
  const door =
    doors.find(({ name }) => name === 'mqtt') ?? doors.find(({ name }) => name === 'mqtts');
  if (door === undefined) return undefined;
  const tls = door.name === 'mqtts' ? ' --tls-use-os-certs' : '';
  const place = `-h ${reachableHost(door.host, pageHost)} -p ${door.port}${tls}`;
  const account = `-u ${deviceId} -P "$PASSWORD"`;
  return `mosquitto_pub ${place} ${account} -q 1 -t up/${deviceId} \\\n  -m "${reading}"`;
}

/** Asks for the account of the same device that `publishCommand` speaks for. */
export function accountCommand(base: string): string {
  const headers = '-H "Authorization: Bearer $FIELDGATE_TOKEN" -H "Content-Type: application/json"';
  const body = `{"devices": [{"deviceId": "${deviceId}"}]}`;
  return `curl ${headers} \\\n  -d '${body}' ${new URL('api/v1/credentials', base).href}`;
}

interface Known {
  readonly doors: readonly ListeningJson[];
  readonly mayMakeAccounts: boolean;
}

/** Undefined until both answers are there, and where the doors are not told. */
function useKnown(): Known | undefined {
  const { page } = usePage();
  const [known, setKnown] = useState<Known | undefined>(undefined);
  useEffect(() => {
    let isGone = false;
    void Promise.all([page.api.listening(), page.api.mayMakeAccounts()]).then(
      ([doors, mayMakeAccounts]) => {
        if (doors.ok && !isGone) setKnown({ doors: doors.value, mayMakeAccounts });
      },
    );
    return () => {
      isGone = true;
    };
  }, [page]);
  return known;
}

function Command({ text }: { text: string }) {
  return (
    <pre>
      <code>{text}</code>
    </pre>
  );
}

export function FirstUplink() {
  const { t } = usePage();
  const known = useKnown();
  if (known === undefined) return null;
  const { doors, mayMakeAccounts } = known;
  const pageHost = window.location.hostname;
  const publish = publishCommand(doors, pageHost);
  return (
    <section class="panel first-uplink" aria-labelledby="first-title">
      <h2 id="first-title">{t('first.title')}</h2>
      <p>{t('first.listens')}:</p>
      <ul>
        {doors.map(({ name, host, port }) => (
          <li key={`${name} ${port}`}>
            {doorNames[name] ?? name}: <code>{`${reachableHost(host, pageHost)}:${port}`}</code>
          </li>
        ))}
      </ul>
      {doors.some(({ host }) => isLoopback(host)) ? (
        <p class="hint">{t('first.loopback')}</p>
      ) : null}
      {publish === undefined ? (
        <p>{t('first.noMqtt')}</p>
      ) : (
        <ol>
          <li>
            {t(mayMakeAccounts ? 'first.account' : 'first.ask')}
            {mayMakeAccounts ? <Command text={tokenCommand} /> : null}
            {mayMakeAccounts ? <Command text={accountCommand(document.baseURI)} /> : null}
          </li>
          <li>
            {t('first.send')}
            <Command text={publish} />
          </li>
        </ol>
      )}
    </section>
  );
}
