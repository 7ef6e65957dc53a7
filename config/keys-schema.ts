/** The settings of keys: what guards those of the devices, and which are shared with servers. */
import { z } from 'zod';

const protection = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('file').describe('file: keyFile holds the key itself; its mode guards it.'),
  }),
  z.strictObject({
    kind: z.literal('secret').describe('secret: keyFile is wrapped with a secret given here.'),
    secret: z
      .string()
      .regex(/^[0-9a-fA-F]{64}$/, 'is not 64 hex digits, as `openssl rand -hex 32` prints them')
      .describe('32 random bytes in hex; from the environment, or by …__FILE.'),
  }),
  z.strictObject({
    kind: z.literal('pkcs11').describe('pkcs11: keyFile is wrapped by an RSA key on a token.'),
    module: z.string().regex(/^\//, 'is not a whole path').describe("The maker's library."),
    tokenLabel: z.string().min(1).max(32).describe('The label of the token.'),
    keyLabel: z.string().min(1).max(128).describe('The label of the RSA key pair on it.'),
    pin: z.string().min(4).max(255).describe('The user PIN; better set by …__FILE.'),
    hash: z
      .enum(['sha1', 'sha256'])
      .default('sha1')
      .describe('Of RSA-OAEP; sha1 is sound there, and the only one that every token has.'),
    tool: z.string().min(1).default('pkcs11-tool').describe("OpenSC's program, or its path."),
  }),
]);

export const kek = z.strictObject({
  label: z
    .string()
    .regex(/^[\w.:-]{1,64}$/, 'is not 1 to 64 letters, digits, dots, colons, dashes or underscores')
    .describe('KEK label of ChirpStack or The Things Stack, AS id of ThingPark; or an adapter.'),
  key: z
    .string()
    .regex(/^(?:[0-9a-fA-F]{32}|[0-9a-fA-F]{48}|[0-9a-fA-F]{64})$/, 'is not an AES key in hex')
    .describe('16, 24 or 32 bytes in hex; better set by …__FILE.'),
});

export const keys = z.strictObject({
  protection: protection
    .prefault({ kind: 'file' })
    .describe('What guards keyFile; `fieldgate keys rotate` moves from one to another.'),
  keks: z
    .array(kek)
    .max(100)
    .default([])
    .describe('Keys that network and join servers wrap keys with: for imports and exports, too.'),
});
