/** What the end-to-end tests ask of a running gateway, in the words of its HTTP API. */
import type { LatestJson, ReadingJson, ReadingsJson } from '../../dashboard/protocol.ts';
import type { UplinkJson, UplinksJson } from '../../dashboard/protocol-uplinks.ts';
import type { GatewayProcess } from '../setup/gateway-process.ts';

export type StoredReading = Omit<ReadingJson, 'receivedAt'>;

/** Throws on any answer but 200, with what the gateway said. */
async function answerOf({ http, token }: GatewayProcess, path: string): Promise<string> {
  const headers = { Authorization: `Bearer ${token}` };
  const response = await fetch(`${http}${path}`, { headers });
  const text = await response.text();
  if (response.status !== 200) throw new Error(`${path}: ${response.status} ${text}`);
  return text;
}

/** Every ledger entry after `after`, oldest first; `filter` is such as `outcome=accepted`. */
export async function uplinksAfter(
  gateway: GatewayProcess,
  after: number,
  filter = '',
): Promise<UplinkJson[]> {
  const found: UplinkJson[] = [];
  let place = `after=${after}`;
  for (;;) {
    const path = `/api/v1/uplinks?${place}&limit=1000&${filter}`;
    const page: UplinksJson = JSON.parse(await answerOf(gateway, path));
    found.push(...page.items);
    if (page.nextCursor === undefined) return found;
    place = `cursor=${page.nextCursor}`;
  }
}

/** Every stored reading of a device since LoRa began, in the store's order. */
export async function readingsOf(
  gateway: GatewayProcess,
  device: string,
  quantity?: string,
): Promise<StoredReading[]> {
  const found: StoredReading[] = [];
  const wish = quantity === undefined ? '' : `&quantity=${quantity}`;
  const path = `/api/v1/readings?device=${device}&from=2000-01-01T00:00:00Z&limit=10000${wish}`;
  let place = '';
  for (;;) {
    const page: ReadingsJson = JSON.parse(await answerOf(gateway, `${path}${place}`));
    for (const item of page.items) if ('seq' in item) found.push(item);
    if (page.nextCursor === undefined) return found;
    place = `&cursor=${page.nextCursor}`;
  }
}

export async function latestOf(gateway: GatewayProcess): Promise<LatestJson['items']> {
  const latest: LatestJson = JSON.parse(await answerOf(gateway, '/api/v1/latest?limit=10000'));
  return latest.items;
}

export interface Readiness {
  readonly status: number;
  readonly dependencies: readonly { name: string; ok: boolean; reason?: string }[];
}

export async function readinessOf({ http }: GatewayProcess): Promise<Readiness> {
  const response = await fetch(`${http}/healthz/ready`);
  const { dependencies } = JSON.parse(await response.text());
  return { status: response.status, dependencies };
}

/** True once every entry of the ledger has been derived and is in the store. */
export async function isAllStored(gateway: GatewayProcess): Promise<boolean> {
  const head = await gateway.metric('fieldgate_ledger_seq');
  const stored = await gateway.metric('fieldgate_cursor_seq', 'reader="store"');
  return stored === head;
}
