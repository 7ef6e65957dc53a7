/**
 * Messages on disk that wait for clients with a lasting session: one body, however many it waits
 * for, and a small record for each of them.
 */
import type { CopyRecord, MessageRecord } from './session-records.ts';
import {
  copyKey,
  decodeCopy,
  decodeMessage,
  encodeCopy,
  encodeMessage,
  keyParts,
  messageKey,
  numberOf,
} from './session-records.ts';
import type { MqttSessionStore } from './session-store.ts';

export interface WaitingMessage extends MessageRecord {
  /** Counts up over all messages, restarts included. */
  readonly number: number;
}

export interface LoadedCopy extends CopyRecord {
  /** As clientKeyOf makes it. */
  readonly client: string;
  readonly message: WaitingMessage;
}

export interface WaitingMessages {
  /** Writes the body; it stays for as long as it has copies. */
  add(message: MessageRecord): WaitingMessage;
  addCopy(client: string, number: number, qos: number): void;
  /** How far the delivery has come. */
  update(client: string, number: number, copy: CopyRecord): void;
  /** The body goes with its last copy. */
  dropCopy(client: string, number: number): void;
  /** What an earlier process has left, in the order of receipt. */
  load(): readonly LoadedCopy[];
}

export function createWaitingMessages(store: MqttSessionStore): WaitingMessages {
  const copiesOf = new Map<number, number>();
  let lastNumber = 0;

  function addCopy(client: string, number: number, copy: CopyRecord): void {
    copiesOf.set(number, (copiesOf.get(number) ?? 0) + 1);
    store.put(copyKey(client, number), encodeCopy(copy));
  }

  function loadBodies(): Map<number, WaitingMessage> {
    const bodies = new Map<number, WaitingMessage>();
    for (const { key, value } of store.entries('m:')) {
      const number = numberOf(keyParts(key).client, 36);
      const message = decodeMessage(value);
      if (number === undefined || message === undefined) store.remove(key);
      else bodies.set(number, { ...message, number });
    }
    return bodies;
  }

  return {
    add: (message) => {
      lastNumber += 1;
      store.put(messageKey(lastNumber), encodeMessage(message));
      return { ...message, number: lastNumber };
    },
    addCopy: (client, number, qos) =>
      addCopy(client, number, { qos, state: 'waiting', messageId: 0 }),
    update: (client, number, copy) => store.put(copyKey(client, number), encodeCopy(copy)),
    dropCopy: (client, number) => {
      store.remove(copyKey(client, number));
      const left = (copiesOf.get(number) ?? 1) - 1;
      if (left > 0) {
        copiesOf.set(number, left);
        return;
      }
      copiesOf.delete(number);
      store.remove(messageKey(number));
    },
    load: () => {
      const bodies = loadBodies();
      const copies: LoadedCopy[] = [];
      for (const { key, value } of store.entries('c:')) {
        const { client, last } = keyParts(key);
        const message = bodies.get(numberOf(last, 36) ?? 0);
        const copy = decodeCopy(value);
        if (message === undefined || copy === undefined) {
          store.remove(key);
          continue;
        }
        copiesOf.set(message.number, (copiesOf.get(message.number) ?? 0) + 1);
        copies.push({ ...copy, client, message });
      }
      for (const number of bodies.keys()) {
        lastNumber = Math.max(lastNumber, number);
        if (!copiesOf.has(number)) store.remove(messageKey(number));
      }
      return copies.sort((left, right) => left.message.number - right.message.number);
    },
  };
}
