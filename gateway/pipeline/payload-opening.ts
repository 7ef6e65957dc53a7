/**
 * Payloads that network servers hand on encrypted, because the AppSKey is the application's: opened
 * here, where the key is known. Adapters name the key, lorawan has the cipher, and neither knows
 * the other.
 */
import type { Adapter, Parsed } from '../adapters/adapter.ts';
import type { AdapterBook } from '../adapters/adapter-book.ts';
import { type KekOf, unwrapKey } from '../lorawan/key-wrap.ts';
import { createKeystreamKey, cryptFrmPayload } from '../lorawan/keystream.ts';
import type { Session } from '../model/device.ts';
import type { PayloadUplink, SourceEvent, Uplink } from '../model/uplink.ts';

export interface OpeningKeys {
  /** The key under this label that AppSKeys are wrapped with; labels stand in the messages. */
  readonly kekOf: KekOf;
  /** DeviceRegistry.sessionsOf: a registered device's own AppSKey opens what came without one. */
  readonly sessionsOf: (devAddr: string) => readonly Session[];
}

/** The same book; its network servers' payloads are in clear where a key is known. */
export function openingPayloads(book: AdapterBook, keys: OpeningKeys): AdapterBook {
  const opening = new Map<string, Adapter>();
  const wrapped = (adapter: Adapter): Adapter => {
    if (!adapter.isNetworkServer) return adapter;
    const known = opening.get(adapter.name) ?? openingAdapter(adapter, keys);
    opening.set(adapter.name, known);
    return known;
  };
  return {
    routes: book.routes.map(({ filter, adapter }) => ({ filter, adapter: wrapped(adapter) })),
    find: (name) => {
      const adapter = book.find(name);
      return adapter === undefined ? undefined : wrapped(adapter);
    },
  };
}

function openingAdapter(adapter: Adapter, keys: OpeningKeys): Adapter {
  return {
    ...adapter,
    parse: (inbound) => {
      const parsed = adapter.parse(inbound);
      return 'code' in parsed ? parsed : openAll(parsed, keys);
    },
  };
}

/** Nearly all uplinks are in clear, and then nothing is copied. */
function openAll(items: Exclude<Parsed, { code: unknown }>, keys: OpeningKeys): Parsed {
  const [first, ...others] = items;
  if (!items.some(isSealed)) return items;
  const opened = (item: Uplink | SourceEvent) =>
    item.kind === 'payload' ? openPayload(item, keys) : item;
  return [opened(first), ...others.map(opened)];
}

function isSealed(item: Uplink | SourceEvent): boolean {
  return item.kind === 'payload' && item.encrypted === true;
}

/** Still encrypted when no key fits. The wrapped key goes no further in any case. */
export function openPayload(uplink: PayloadUplink, keys: OpeningKeys): PayloadUplink {
  const { wrappedAppSKey: _, ...sealed } = uplink;
  const { encrypted, devAddr, fCnt, frmPayload } = sealed;
  if (encrypted !== true || devAddr === undefined || fCnt === undefined) return sealed;
  if (frmPayload === undefined) return sealed;
  const appSKey = appSKeyOf(uplink, devAddr, keys);
  if (appSKey === undefined) return sealed;
  const { encrypted: __, ...clear } = sealed;
  const position = { direction: 'up', devAddr, fCnt } as const;
  return {
    ...clear,
    frmPayload: cryptFrmPayload(createKeystreamKey(appSKey), position, frmPayload),
  };
}

function appSKeyOf(
  { wrappedAppSKey, adapter, deviceId }: PayloadUplink,
  devAddr: string,
  { kekOf, sessionsOf }: OpeningKeys,
): Buffer | undefined {
  if (wrappedAppSKey !== undefined) {
    // An operator with one key for a server need not know the label that it gives.
    const wrappingKey = kekOf(wrappedAppSKey.label) ?? kekOf(adapter);
    const appSKey = unwrapKey(wrappedAppSKey, wrappingKey);
    if (appSKey !== undefined) return appSKey;
  }
  return sessionsOf(devAddr).find((session) => session.deviceId === deviceId)?.keys.appSKey;
}
