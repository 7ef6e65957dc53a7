/**
 * One key sealed under another: AES-256-GCM, with the device id and the key's name authenticated
 * along, so that a sealed key opens in its own place only.
 */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

const algorithm = 'aes-256-gcm';
const nonceBytes = 12;
const tagBytes = 16;

export interface KeySlot {
  readonly deviceId: string;
  readonly keyName: string;
}

/** Nonce, ciphertext and tag in one. */
export function sealKey(masterKey: Buffer, slot: KeySlot, key: Buffer): Buffer {
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv(algorithm, masterKey, nonce).setAAD(slotBytes(slot));
  return Buffer.concat([nonce, cipher.update(key), cipher.final(), cipher.getAuthTag()]);
}

/** Undefined when the bytes were altered, moved from another slot or sealed under another key. */
export function openKey(masterKey: Buffer, slot: KeySlot, sealed: Uint8Array): Buffer | undefined {
  if (sealed.length < nonceBytes + tagBytes) return undefined;
  const nonce = sealed.subarray(0, nonceBytes);
  const decipher = createDecipheriv(algorithm, masterKey, nonce, { authTagLength: tagBytes })
    .setAAD(slotBytes(slot))
    .setAuthTag(sealed.subarray(-tagBytes));
  const key = decipher.update(sealed.subarray(nonceBytes, -tagBytes));
  try {
    decipher.final();
    return key;
  } catch {
    return undefined;
  }
}

/** The zero byte cannot stand in a device id, so two slots never give equal bytes. */
function slotBytes(slot: KeySlot): Buffer {
  return Buffer.from(`${slot.deviceId}\0${slot.keyName}`, 'utf8');
}
