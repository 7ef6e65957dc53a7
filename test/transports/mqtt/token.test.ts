/** Tokens as passwords: the good ones, and everything that has been tried elsewhere. */
import { createHmac, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  createTokenCheck,
  type TokenAlgorithm,
  type TokenIssuer,
} from '../../../gateway/transports/mqtt/token.ts';
import { city, type MqttBench, modem, now, startBench } from './bench.ts';
import { connack, connectPacket, openRaw, puback, publishPacket } from './wire.ts';

const pairs = {
  EdDSA: generateKeyPairSync('ed25519'),
  ES256: generateKeyPairSync('ec', { namedCurve: 'prime256v1' }),
  RS256: generateKeyPairSync('rsa', { modulusLength: 2_048 }),
} as const;
const algorithms = ['EdDSA', 'ES256', 'RS256'] as const;
const pemOf = (algorithm: TokenAlgorithm) =>
  pairs[algorithm].publicKey.export({ type: 'spki', format: 'pem' }).toString();

const fleet: TokenIssuer = {
  issuer: 'https://fleet.example',
  audience: 'fieldgate',
  keys: algorithms.map((algorithm) => ({
    ...{ algorithm, keyId: `key-${algorithm}`, publicKey: pemOf(algorithm) },
  })),
  deviceIdClaim: 'sub',
  agencyClaim: 'agency',
  applicationClaim: 'app',
  clockSkewSeconds: 60,
  lifetimeSecondsMax: 86_400,
  publish: ['{agency}/{application}/{deviceId}/up'],
  subscribe: ['{agency}/{application}/{deviceId}/down'],
};

const seconds = now / 1_000;
const claims = {
  ...{ iss: fleet.issuer, aud: 'fieldgate', sub: 'pump-9', agency: 'water', app: 'wells' },
  ...{ iat: seconds, nbf: seconds, exp: seconds + 3_600 },
};

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

function signedBy(key: KeyObject, algorithm: TokenAlgorithm, text: string): string {
  const hash = algorithm === 'EdDSA' ? null : 'sha256';
  const signature = sign(hash, Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' });
  return `${text}.${signature.toString('base64url')}`;
}

function tokenOf(
  payload: object = claims,
  header: Readonly<Record<string, unknown>> = {},
  algorithm: TokenAlgorithm = 'EdDSA',
): string {
  const head = { alg: algorithm, typ: 'JWT', kid: `key-${algorithm}`, ...header };
  const text = `${encode(head)}.${encode(payload)}`;
  return signedBy(pairs[algorithm].privateKey, algorithm, text);
}

const check = createTokenCheck([fleet], () => now);
const reasonOf = (token: string) => {
  const result = check(token);
  return result.kind === 'invalid' ? result.reason : 'valid';
};

describe('Token', () => {
  it.each(algorithms)('signed with %s is taken with what its claims say', (algorithm) => {
    expect(check(tokenOf(claims, {}, algorithm))).toMatchObject({
      ...{ kind: 'valid', deviceId: 'pump-9', agency: 'water', application: 'wells' },
      expiresAt: (claims.exp + 60) * 1_000,
    });
  });

  it('may be for several audiences, and within the clocks’ difference', () => {
    expect(reasonOf(tokenOf({ ...claims, aud: ['other', 'fieldgate'] }))).toBe('valid');
    expect(reasonOf(tokenOf({ ...claims, exp: seconds - 59 }))).toBe('valid');
    expect(reasonOf(tokenOf({ ...claims, nbf: seconds + 59 }))).toBe('valid');
  });

  const rsaAsSecret = (): string => {
    const text = `${encode({ alg: 'HS256', kid: 'key-RS256' })}.${encode(claims)}`;
    const mac = createHmac('sha256', pemOf('RS256')).update(text).digest('base64url');
    return `${text}.${mac}`;
  };
  const foreign = generateKeyPairSync('ed25519').privateKey;
  const head = encode({ alg: 'EdDSA', kid: 'key-EdDSA' });

  it.each<[string, () => string, string]>([
    ['of alg none', () => `${encode({ alg: 'none' })}.${encode(claims)}.AA`, 'unknown key id'],
    [
      'of alg none with a key id',
      () => tokenOf(claims, { alg: 'none' }),
      'an algorithm that no key is for',
    ],
    ['without a signature', () => `${head}.${encode(claims)}.`, 'not a token'],
    ['with a public key as HMAC secret', rsaAsSecret, 'an algorithm that no key is for'],
    [
      'whose alg is not its key’s',
      () => tokenOf(claims, { alg: 'RS256' }),
      'an algorithm that no key is for',
    ],
    ['with an unknown kid', () => tokenOf(claims, { kid: 'key-0' }), 'unknown key id'],
    ['without a kid', () => tokenOf(claims, { kid: undefined }), 'unknown key id'],
    ['with its own key', () => tokenOf(claims, { jwk: { kty: 'OKP' } }), 'a header jwk'],
    ['with a link to a key', () => tokenOf(claims, { jku: 'https://x' }), 'a header jku'],
    ['with a critical extension', () => tokenOf(claims, { crit: ['exp'] }), 'a header crit'],
    [
      'signed by somebody else',
      () => signedBy(foreign, 'EdDSA', `${head}.${encode(claims)}`),
      'wrong signature',
    ],
    [
      'with other claims',
      () => tokenOf().replace(encode(claims), encode({ ...claims, sub: 'x' })),
      'wrong signature',
    ],
    ['of another issuer', () => tokenOf({ ...claims, iss: 'https://x' }), 'unknown issuer'],
    ['for another audience', () => tokenOf({ ...claims, aud: 'fieldgat' }), 'for another audience'],
    ['for no audience', () => tokenOf({ ...claims, aud: undefined }), 'for another audience'],
    ['that has expired', () => tokenOf({ ...claims, exp: seconds - 60 }), 'expired'],
    ['that never expires', () => tokenOf({ ...claims, exp: undefined }), 'no time of expiry'],
    [
      'whose expiry is a text',
      () => tokenOf({ ...claims, exp: '9999999999' }),
      'no time of expiry',
    ],
    ['that is not valid yet', () => tokenOf({ ...claims, nbf: seconds + 61 }), 'not valid yet'],
    ['of the future', () => tokenOf({ ...claims, iat: seconds + 61 }), 'issued in the future'],
    [
      'that holds for too long',
      () => tokenOf({ ...claims, exp: seconds + 86_401 }),
      'valid for too long',
    ],
    [
      'without a device',
      () => tokenOf({ ...claims, sub: undefined }),
      'the claim sub is no device id',
    ],
    [
      'for a device with a wildcard',
      () => tokenOf({ ...claims, sub: '+' }),
      'the claim sub is no device id',
    ],
    ['that is no JSON', () => `eyJ.${'A'.repeat(9)}.AA`, 'not a token'],
    ['that is too long', () => tokenOf({ ...claims, x: 'x'.repeat(8_200) }), 'not a token'],
  ])('%s is refused', (_, token, reason) => {
    expect(reasonOf(token())).toBe(reason);
  });

  it.each<[TokenAlgorithm, TokenAlgorithm]>([
    ['ES256', 'RS256'],
    ['RS256', 'EdDSA'],
    ['EdDSA', 'ES256'],
  ])('is not to be checked as %s with a key for %s', (algorithm, other) => {
    const keys = [{ algorithm, publicKey: pemOf(other) }];
    expect(() => createTokenCheck([{ ...fleet, keys }], () => now)).toThrow(/another kind/);
  });
});

describe('A client with a token', () => {
  let bench: MqttBench;
  beforeAll(async () => {
    bench = await startBench({ tokenIssuers: [fleet] });
  });
  afterAll(() => bench.stop());

  async function answerTo(username: string, password: string): Promise<string> {
    const client = await openRaw(bench.port);
    client.send(connectPacket({ clientId: `c-${username}`, username, password }));
    const answer = await client.bytes(4);
    client.socket.destroy();
    return answer;
  }

  it('comes in as its device, and may what the filled templates say', async () => {
    const client = await openRaw(bench.port);
    client.send(connectPacket({ clientId: 'c', username: 'jwt', password: tokenOf() }));
    client.send(publishPacket({ topic: 'water/wells/pump-9/up', id: 1 }));
    client.send(publishPacket({ topic: 'water/wells/pump-8/up', id: 2 }));
    expect(await client.bytes(12)).toBe(`${connack(0)}${puback(1)}${puback(2)}`);
    expect(bench.received.map(({ route }) => route)).toEqual(['water/wells/pump-9/up']);
    expect(bench.forbidden.map(({ route }) => route)).toEqual(['water/wells/pump-8/up']);
    expect(bench.received[0]?.sender).toMatchObject({
      ...{ credential: 'pump-9', deviceId: 'pump-9', vouches: 'credential' },
    });
    client.socket.destroy();
  });

  it('may name its device as the user, and no other', async () => {
    expect(await answerTo('pump-9', tokenOf())).toBe(connack(0));
    expect(await answerTo('pump-8', tokenOf())).toBe(connack(4));
  });

  it('cannot be an account of the configuration', async () => {
    expect(await answerTo('jwt', tokenOf({ ...claims, sub: 'city' }))).toBe(connack(4));
  });

  it('is refused with 4 when the token is wrong', async () => {
    expect(await answerTo('jwt', tokenOf({ ...claims, exp: 1 }))).toBe(connack(4));
  });

  it('is cut when the token runs out', async () => {
    const token = tokenOf({ ...claims, exp: seconds - 59.5 });
    const client = await openRaw(bench.port);
    client.send(connectPacket({ clientId: 'short', username: 'jwt', password: token }));
    await client.bytes(4);
    bench.setNow(now + 1_000);
    expect(await client.closed()).toBe(connack(0));
    bench.setNow(now);
  });

  it('is asked for other keys once they have changed', async () => {
    const rules = { clients: [modem, city], tokenIssuers: [fleet] };
    const fewer = [{ ...fleet, keys: fleet.keys.slice(1) }];
    bench.broker.setAccounts({ ...rules, tokenIssuers: fewer });
    expect(await answerTo('jwt', tokenOf())).toBe(connack(4));
    expect(await answerTo('jwt', tokenOf(claims, {}, 'ES256'))).toBe(connack(0));
    bench.broker.setAccounts(rules);
  });
});
