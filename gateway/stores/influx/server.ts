/**
 * The HTTP conversation with an InfluxDB: 1.x, or 2.x and 3.x by their 1.x-compatible endpoints.
 * Queries and set-up go through the `influx` client. Writes are posted here: line protocol made by
 * hand costs less than two thirds of the client's time a point, and the body of a refusal is needed
 * to find the point it speaks of. There are no retries here, nor in the client: stores/feed.ts has
 * them.
 */
import { InfluxDB, type ISingleHostConfig } from 'influx';
import { queryTimeoutMs } from '../query-limits.ts';
import { parseSeries, type Series } from './series.ts';

export interface InfluxServerOptions {
  /** `http://host:8086` or `https://…`, with a path where a proxy needs one. */
  readonly url: string;
  readonly database: string;
  /** The database's default policy when absent. */
  readonly retentionPolicy?: string;
  readonly username?: string;
  readonly password?: string;
  /** An API token of InfluxDB 2.x or 3.x; goes before username and password. */
  readonly token?: string;
  readonly writeTimeoutMs?: number;
}

export interface InfluxServer {
  /** Posts lines; rejects with PointsRefused when it is the points that are wrong. */
  post(lines: string | Uint8Array): Promise<void>;
  query(influxQl: string): Promise<readonly Series[]>;
  /** Resolves once the server has proven to be an InfluxDB; rejects with the reason. */
  ping(): Promise<void>;
}

/** The server answers, but it is no InfluxDB: its answers to queries would be wrong ones. */
export class NotInfluxDb extends Error {
  readonly code = 'NOT_INFLUXDB';
}

/** The server did not take some or all of the points, and never will. */
export class PointsRefused extends Error {
  readonly code = 'POINTS_REFUSED';
}

export function connectInflux(options: InfluxServerOptions): InfluxServer {
  const { database, retentionPolicy, writeTimeoutMs = 10_000 } = options;
  const base = options.url.replace(/\/+$/, '');
  const headers = authorizationOf(options);
  const client = createClient(options, headers);
  const writeUrl = `${base}/write?${new URLSearchParams({
    db: database,
    precision: 'ms',
    ...(retentionPolicy !== undefined && { rp: retentionPolicy }),
  })}`;
  let ready: Promise<void> | undefined;

  /** Proves the engine and makes the database, once; again after a failure or a lost database. */
  function prepare(): Promise<void> {
    ready ??= proveInfluxDb(base, headers)
      // Only administrators may create; if the database is missing then, writing says so.
      .then(() => client.createDatabase(database).catch(() => undefined))
      .catch((error: unknown) => {
        ready = undefined;
        throw error;
      });
    return ready;
  }

  return {
    async post(lines) {
      await prepare();
      const answer = await request(writeUrl, { headers, body: lines, timeoutMs: writeTimeoutMs });
      if (answer.status < 300) return;
      if (answer.status === 404) ready = undefined;
      throw isAboutPoints(answer)
        ? new PointsRefused(answer.reason)
        : new Error(`InfluxDB answers a write with ${answer.status}: ${answer.reason}`);
    },
    async query(influxQl) {
      await prepare();
      const options = {
        precision: 'ms',
        method: 'POST',
        ...(retentionPolicy !== undefined && { retentionPolicy }),
      } as const;
      return parseSeries(await withDeadline(client.queryRaw(influxQl, options), queryTimeoutMs));
    },
    async ping() {
      await prepare();
      const { status } = await request(`${base}/ping`, { headers, timeoutMs: 5_000 });
      if (status >= 300) throw new Error(`InfluxDB answers /ping with ${status}`);
    },
  };
}

function authorizationOf(options: InfluxServerOptions): Readonly<Record<string, string>> {
  const { token, username, password = '' } = options;
  if (token !== undefined) return { Authorization: `Token ${token}` };
  if (username === undefined) return {};
  const pair = Buffer.from(`${username}:${password}`).toString('base64');
  return { Authorization: `Basic ${pair}` };
}

function createClient(
  options: InfluxServerOptions,
  headers: Readonly<Record<string, string>>,
): InfluxDB {
  const { protocol, hostname, port, pathname } = new URL(options.url);
  const secure = protocol === 'https:';
  const settings: ISingleHostConfig = {
    database: options.database,
    protocol: secure ? 'https' : 'http',
    host: hostname.replace(/^\[|\]$/g, ''),
    port: port === '' ? (secure ? 443 : 80) : Number(port),
    path: pathname.replace(/\/+$/, ''),
    options: { headers },
    pool: { maxRetries: 0, requestTimeout: queryTimeoutMs, backoff: noBackoff },
  };
  // The client would fill in the user `root` with the password `root` for whoever gives none.
  Object.assign(settings, { username: null });
  return new InfluxDB(settings);
}

/** A server that failed once is asked again at once. */
const noBackoff = { getDelay: () => 0, next: () => noBackoff, reset: () => noBackoff };

/**
 * Other engines speak line protocol but not InfluxQL; VictoriaMetrics answers every statement with
 * 200 and one fixed series. So a statement is sent that no InfluxDB can take for valid.
 */
async function proveInfluxDb(
  base: string,
  headers: Readonly<Record<string, string>>,
): Promise<void> {
  const body = new URLSearchParams({ q: 'NO SUCH STATEMENT' });
  const answer = await request(`${base}/query`, { headers, body, timeoutMs: 5_000 });
  if (answer.status === 401 || answer.status === 403) {
    throw new Error(`InfluxDB refuses these credentials: ${answer.reason}`);
  }
  if (answer.status >= 500) throw new Error(`InfluxDB answers ${answer.status}: ${answer.reason}`);
  if (answer.status === 404) throw new NotInfluxDb(`${base} has no InfluxQL endpoint`);
  if (answer.status < 300 && !answer.reason.includes('"error"')) {
    throw new NotInfluxDb(`${base} accepts any statement as InfluxQL, so it is no InfluxDB`);
  }
}

interface Answer {
  readonly status: number;
  /** The server's own words, or the beginning of its body. */
  readonly reason: string;
}

interface RequestOptions {
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array | URLSearchParams;
  readonly timeoutMs: number;
}

async function request(url: string, options: RequestOptions): Promise<Answer> {
  const { headers, body, timeoutMs } = options;
  try {
    const response = await fetch(url, {
      headers,
      redirect: 'error',
      signal: AbortSignal.timeout(timeoutMs),
      ...(body !== undefined && { method: 'POST', body }),
    });
    const text = await response.text();
    const reason = response.headers.get('x-influxdb-error') ?? text.slice(0, reasonLengthMax);
    return { status: response.status, reason: reason.trim() };
  } catch (error) {
    throw new Error(`InfluxDB cannot be reached: ${messageOf(error)}`, { cause: error });
  }
}

/** How much of a foreign answer is kept to tell a person. */
const reasonLengthMax = 500;

/** fetch says "fetch failed" and keeps what happened in the cause. */
function messageOf(error: unknown): string {
  if (typeof error !== 'object' || error === null) return String(error);
  if ('cause' in error && error.cause !== undefined) return messageOf(error.cause);
  const code = 'code' in error && typeof error.code === 'string' ? `${error.code} ` : '';
  const message = 'message' in error ? String(error.message) : String(error);
  return message.startsWith(code.trim()) ? message : `${code}${message}`;
}

/** A 400 may also be about the database or its policy; that is for an operator, not for a point. */
function isAboutPoints({ status, reason }: Answer): boolean {
  if (status === 413) return true;
  if (status !== 400 && status !== 422) return false;
  if (reason.includes('partial write') || reason.includes('unable to parse')) return true;
  return !/database|retention policy|bucket|organi[sz]ation|token/i.test(reason);
}

/** The client waits for ever when a connection breaks in the middle of an answer. */
async function withDeadline<T>(work: Promise<T>, timeoutMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const tell = () => reject(new Error(`InfluxDB did not answer within ${timeoutMs} ms`));
    timer = setTimeout(tell, timeoutMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
