/** The HTTP side of the page: same origin, session by cookie, every answer checked for its form. */
import type { DeviceJson, ListeningJson, QualityFlag, ReadingJson } from '../protocol.ts';
import type { LiveReading } from './live-subscription.ts';
import type { QuantityJson } from './quantity.ts';

/** Rows asked for at once, and how many pages of them at most. */
const pageRows = 1_000;
const pagesMax = 100;
const answerWithinMs = 30_000;

type ApiResult<T> =
  | { ok: true; value: T }
  | { ok: false; reason: 'signed-out' | 'failed'; detail: string };

export interface Api {
  devices(): Promise<ApiResult<DeviceJson[]>>;
  quantities(): Promise<ApiResult<QuantityJson[]>>;
  /** The last value of every series; `now` is the server's clock, epoch milliseconds. */
  latest(): Promise<ApiResult<{ now: number; readings: LiveReading[] }>>;
  /** Oldest first is not promised: sort by time. */
  history(query: { device: string; from: number; to: number }): Promise<ApiResult<LiveReading[]>>;
  /** Where the gateway listens. */
  listening(): Promise<ApiResult<ListeningJson[]>>;
  /** Whether whoever is signed in may make accounts for devices. */
  mayMakeAccounts(): Promise<boolean>;
  signIn(token: string): Promise<ApiResult<true>>;
}

/** The part of `fetch` that is used; a test passes its own with an absolute address. */
type Fetch = (path: string, init: RequestInit) => Promise<Response>;

type Fields = Readonly<Record<string, unknown>>;

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isDevice(value: unknown): value is DeviceJson {
  return isFields(value) && typeof value['id'] === 'string' && typeof value['kind'] === 'string';
}

function isQuantity(value: unknown): value is QuantityJson {
  return isFields(value) && typeof value['quantity'] === 'string' && isFields(value['names']);
}

function isListening(value: unknown): value is ListeningJson {
  if (!isFields(value) || !Number.isInteger(value['port'])) return false;
  return typeof value['name'] === 'string' && typeof value['host'] === 'string';
}

function isQuality(value: unknown): value is QualityFlag {
  return value === 1 || value === 2 || value === 3 || value === 4 || value === 9;
}

/** History rows bear no `receivedAt`. */
function isReading(value: unknown): value is Omit<ReadingJson, 'receivedAt'> & Fields {
  if (!isFields(value) || !isQuality(value['quality'])) return false;
  const isValue = typeof value['value'] === 'string' || Number.isFinite(value['value']);
  const words = ['device', 'quantity', 'unit', 'time', 'vouchedBy'];
  return isValue && words.every((name) => typeof value[name] === 'string');
}

function readingFrom(value: unknown): LiveReading | undefined {
  if (!isReading(value)) return undefined;
  const time = Date.parse(value.time);
  if (!Number.isFinite(time)) return undefined;
  const receivedAt = Date.parse(String(value['receivedAt']));
  return {
    device: value.device,
    quantity: value.quantity,
    channel: value.channel ?? '',
    unit: value.unit,
    value: value.value,
    time,
    quality: value.quality,
    vouchedBy: value.vouchedBy,
    receivedAt: Number.isFinite(receivedAt) ? receivedAt : time,
    ledgerSeq: value.seq,
  };
}

function failure(detail: string): ApiResult<never> {
  return { ok: false, reason: 'failed', detail };
}

async function readBody(response: Response): Promise<ApiResult<Fields>> {
  if (response.status === 401) return { ok: false, reason: 'signed-out', detail: '401' };
  if (!response.ok) return failure(`${response.status} ${response.statusText}`.trim());
  const body: unknown = await response.json();
  return isFields(body) ? { ok: true, value: body } : failure('JSON');
}

/** All failures of network and form become values; `detail` is short and for people. */
async function ask(fetchPath: Fetch, path: string): Promise<ApiResult<Fields>> {
  try {
    const response = await fetchPath(path, {
      headers: { accept: 'application/json' },
      credentials: 'same-origin',
      signal: AbortSignal.timeout(answerWithinMs),
    });
    return await readBody(response);
  } catch (error) {
    return failure(error instanceof Error ? error.name : 'network');
  }
}

/** Follows the cursor to the end. `first` receives the first page's other fields. */
async function askAll(
  fetchPath: Fetch,
  path: string,
  first: (body: Fields) => void = () => {},
): Promise<ApiResult<unknown[]>> {
  const items: unknown[] = [];
  let cursor: string | undefined;
  for (let page = 0; page < pagesMax; page += 1) {
    const joint = path.includes('?') ? '&' : '?';
    const more = cursor === undefined ? '' : `&cursor=${encodeURIComponent(cursor)}`;
    const answer = await ask(fetchPath, `${path}${joint}limit=${pageRows}${more}`);
    if (!answer.ok) return answer;
    if (page === 0) first(answer.value);
    if (!Array.isArray(answer.value['items'])) return failure('JSON');
    for (const item of answer.value['items']) items.push(item);
    const next = answer.value['nextCursor'];
    if (typeof next !== 'string' || next === '') break;
    cursor = next;
  }
  return { ok: true, value: items };
}

function keep<T>(
  answer: ApiResult<unknown[]>,
  narrow: (value: unknown) => T | undefined,
): ApiResult<T[]> {
  if (!answer.ok) return answer;
  return { ok: true, value: answer.value.flatMap((item) => narrow(item) ?? []) };
}

async function signIn(fetchPath: Fetch, token: string): Promise<ApiResult<true>> {
  try {
    const response = await fetchPath('api/v1/session', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      credentials: 'same-origin',
      body: JSON.stringify({ token }),
      signal: AbortSignal.timeout(answerWithinMs),
    });
    if (response.ok) return { ok: true, value: true };
    const isRefused = response.status >= 400 && response.status < 500;
    const reason = isRefused ? 'signed-out' : 'failed';
    return { ok: false, reason, detail: String(response.status) };
  } catch (error) {
    return failure(error instanceof Error ? error.name : 'network');
  }
}

export function createApi(fetchPath: Fetch): Api {
  return {
    devices: async () =>
      keep(await askAll(fetchPath, 'api/v1/devices'), (value) =>
        isDevice(value) ? value : undefined,
      ),
    async quantities() {
      const answer = await ask(fetchPath, 'api/v1/quantities');
      if (!answer.ok) return answer;
      const items = answer.value['items'];
      return Array.isArray(items) ? { ok: true, value: items.filter(isQuantity) } : failure('JSON');
    },
    async latest() {
      let now = Number.NaN;
      const answer = await askAll(fetchPath, 'api/v1/latest', (body) => {
        now = Date.parse(String(body['now']));
      });
      const kept = keep(answer, readingFrom);
      return kept.ok ? { ok: true, value: { now, readings: kept.value } } : kept;
    },
    async history({ device, from, to }) {
      const range = `from=${new Date(from).toISOString()}&to=${new Date(to).toISOString()}`;
      const path = `api/v1/readings?device=${encodeURIComponent(device)}&${range}`;
      return keep(await askAll(fetchPath, path), readingFrom);
    },
    async listening() {
      const answer = await ask(fetchPath, 'api/v1/sources');
      if (!answer.ok) return answer;
      const list = answer.value['listening'];
      return Array.isArray(list) ? { ok: true, value: list.filter(isListening) } : failure('JSON');
    },
    mayMakeAccounts: async () => (await ask(fetchPath, 'api/v1/credentials?limit=1')).ok,
    signIn: (token) => signIn(fetchPath, token),
  };
}
