/**
 * One question to a running gateway over HTTP: its answer, or a sentence that says why there is
 * none and what to do.
 */
import type { ProblemJson } from '../../dashboard/protocol.ts';

export interface GatewayAddress {
  /** `http://host:port`, perhaps with a path before `/api`; without a slash at its end. */
  readonly base: string;
  readonly token: string;
}

interface Question {
  readonly method: string;
  /** Behind `/api/v1`. */
  readonly path: string;
  readonly body?: unknown;
  readonly signal?: AbortSignal;
}

/** Rejected with when the gateway, or what stands before it, answers with a refusal. */
export class GatewayRefused extends Error {
  readonly status: number;
  /** False of what stands before it, or in its place. */
  readonly isOfGateway: boolean;

  constructor({ status, text, location }: Refusal, base: string) {
    const problem = problemIn(text);
    super(
      problem === undefined
        ? strangerSentence(base, { status, location })
        : problemSentence(status, problem),
    );
    this.status = status;
    this.isOfGateway = problem !== undefined;
  }
}

/** The answer, parsed; undefined where it is empty. */
export async function answerOf(
  { base, token }: GatewayAddress,
  { method, path, body, signal }: Question,
): Promise<unknown> {
  const response = await fetch(`${base}/api/v1${path}`, {
    method,
    // Followed, a POST would become a GET, and the token would stay behind.
    redirect: 'manual',
    headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    ...(signal === undefined ? {} : { signal }),
  }).catch((error: unknown) => {
    throw new Error(`no gateway answers at ${base}: ${whyUnreachable(error)}`);
  });
  const text = await response.text().catch((error: unknown) => {
    throw new Error(`the answer of ${base} broke off: ${whyUnreachable(error)}`);
  });
  const { status } = response;
  if (!response.ok) {
    const location = response.headers.get('Location');
    throw new GatewayRefused({ status, text, location }, base);
  }
  if (text === '') return undefined;
  const answer = parsed(text);
  if (answer === undefined) throw new Error(`what answers at ${base} is no Fieldgate: ${look}`);
  return answer;
}

const look = 'look at the address and its port';
const start = 'start it, or give another address';
const certificateRemedy = "name the file of its authority's certificate in NODE_EXTRA_CA_CERTS";
const unknownAuthority = `its certificate is of no authority that is known here: ${certificateRemedy}`;

/** By the codes of Node, OpenSSL and undici. */
const causes: Readonly<Record<string, string>> = {
  ENOTFOUND: `no machine of that name is known: ${look}`,
  EAI_AGAIN: 'the name server does not answer: look at the network, or give an IP address',
  ECONNREFUSED: `nothing listens there: ${start}`,
  ECONNRESET: `the connection was cut: is it http:// or https://? Else ${look}`,
  EPIPE: 'the connection was cut',
  UND_ERR_SOCKET: `the connection was cut: is it http:// or https://? Else ${look}`,
  EHOSTUNREACH: 'there is no way to that machine: look at the network',
  ENETUNREACH: 'there is no way to that network: look at the network',
  ETIMEDOUT: 'no answer in time: a firewall may stand between',
  UND_ERR_CONNECT_TIMEOUT: 'no answer in time: a firewall may stand between',
  UND_ERR_HEADERS_TIMEOUT: 'it took the request and gives no answer',
  UND_ERR_BODY_TIMEOUT: 'it took the request and gives no answer',
  DEPTH_ZERO_SELF_SIGNED_CERT: unknownAuthority,
  SELF_SIGNED_CERT_IN_CHAIN: unknownAuthority,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: unknownAuthority,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: unknownAuthority,
  UNABLE_TO_GET_ISSUER_CERT: unknownAuthority,
  CERT_HAS_EXPIRED: 'its certificate has expired: renew it there',
  CERT_NOT_YET_VALID: 'its certificate does not hold yet: look at the clocks of both machines',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for other names: use one of those',
  ERR_SSL_WRONG_VERSION_NUMBER: 'it does not speak TLS: try http://',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'it does not speak TLS: try http://',
};

function whyUnreachable(error: unknown): string {
  const outer = partsOf(error);
  if (outer.get('name') === 'TimeoutError') return 'no answer in time';
  const cause = partsOf(outer.get('cause') ?? error);
  const code = String(cause.get('code') ?? '');
  if (code.startsWith('HPE_')) return `what answers there does not speak HTTP: ${look}`;
  if (cause.get('message') === 'bad port') return 'its port is kept for other protocols';
  return causes[code] ?? `${String(cause.get('message'))}. If it does not run, ${start}`;
}

/** Read by their names: fetch's errors may come from another realm than this module's Error. */
function partsOf(error: unknown): ReadonlyMap<string, unknown> {
  if (typeof error !== 'object' || error === null) return new Map([['message', error]]);
  const names = ['name', 'message', 'code', 'cause'];
  return new Map(names.map((name) => [name, Reflect.get(error, name)]));
}

interface Refusal {
  readonly status: number;
  readonly text: string;
  readonly location: string | null;
}

function problemSentence(status: number, { title, detail, errors = [] }: ProblemJson): string {
  if (status === 401) {
    return 'the gateway does not know the token (`fieldgate token create` makes one)';
  }
  return [detail ?? title, ...errors.slice(1).map((one) => one.detail)].join('\n  ');
}

function strangerSentence(base: string, { status, location }: Omit<Refusal, 'text'>): string {
  if (status >= 300 && status < 400) {
    return `${base} sends on to ${location ?? 'another address'}: give the address that answers`;
  }
  if (status === 401 || status === 403) {
    return `what stands before the gateway at ${base} lets nobody by (${status}): go another way`;
  }
  if (status >= 502 && status <= 504) {
    return `a proxy answers at ${base} (${status}), and the gateway behind it does not: start it`;
  }
  return `what answers at ${base} is no Fieldgate (${status}): ${look}`;
}

function problemIn(text: string): ProblemJson | undefined {
  const problem: ProblemJson = { type: '', title: '', status: 0 };
  const answer = parsed(text);
  if (typeof answer !== 'object' || answer === null || !('title' in answer)) return undefined;
  return Object.assign(problem, answer);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
