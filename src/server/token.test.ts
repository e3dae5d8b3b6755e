import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { createTokens } from './token.js';

const OLD = 'the older secret, thirty-two characters';
const NEW = 'the newer secret, thirty-two characters';
const AT_MILLIS = 1_800_000_000_000;
const DAY_SECONDS = 86_400;
const KEY = 'otlp/v1/shop/production/year=2027/month=01/day=15/hour=08/minute=00/traces_u.json.gz';

function tokensAt(nowMillis: number, secrets: readonly string[] = [NEW]) {
  return createTokens({ secrets, maxAgeSeconds: DAY_SECONDS, now: () => nowMillis });
}

const base64url = (text: string) => Buffer.from(text).toString('base64url');

/** The token as the docstring says it, made with Node's own HMAC. */
function tokenByNode(secret: string, payload: string): string {
  const mac = createHmac('sha256', secret).update(`spandrel token 1\n${payload}`).digest('base64url');
  return `1.${base64url(payload)}.${mac}`;
}

test('token: is what it says it is, by an independent HMAC', async () => {
  assert.equal(
    await tokensAt(AT_MILLIS).issue(KEY, 'shop'),
    tokenByNode(NEW, `${AT_MILLIS / 1000}\nshop\n${KEY}`),
  );
});

test('token: gives back key, project and time', async () => {
  const tokens = tokensAt(AT_MILLIS);
  assert.deepEqual(await tokens.verify(await tokens.issue(KEY, 'shop')), {
    key: KEY,
    project: 'shop',
    issuedAtMillis: AT_MILLIS,
  });
});

test('token: is valid from five minutes before its time to its maximum age', async () => {
  const token = await tokensAt(AT_MILLIS).issue(KEY, 'shop');
  const validAt = async (offsetMillis: number) =>
    (await tokensAt(AT_MILLIS + offsetMillis).verify(token)) !== undefined;
  assert.equal(await validAt(-300_000), true);
  assert.equal(await validAt(-300_001), false);
  assert.equal(await validAt(DAY_SECONDS * 1000), true);
  assert.equal(await validAt(DAY_SECONDS * 1000 + 1), false);
});

test('token: survives rotation as long as its secret is listed', async () => {
  const token = await tokensAt(AT_MILLIS, [OLD]).issue(KEY, 'shop');
  assert.notEqual(await tokensAt(AT_MILLIS, [NEW, OLD]).verify(token), undefined);
  assert.equal(await tokensAt(AT_MILLIS, [NEW]).verify(token), undefined);
  const rotated = await tokensAt(AT_MILLIS, [NEW, OLD]).issue(KEY, 'shop');
  assert.notEqual(await tokensAt(AT_MILLIS, [NEW]).verify(rotated), undefined);
});

test('token: with two secrets either verifies, in either order, and the first signs', async () => {
  const byOld = await tokensAt(AT_MILLIS, [OLD]).issue(KEY, 'shop');
  const byNew = await tokensAt(AT_MILLIS, [NEW]).issue(KEY, 'shop');
  for (const secrets of [
    [NEW, OLD],
    [OLD, NEW],
  ]) {
    const both = tokensAt(AT_MILLIS, secrets);
    assert.equal((await both.verify(byOld))?.key, KEY);
    assert.equal((await both.verify(byNew))?.key, KEY);
    assert.equal(await both.issue(KEY, 'shop'), secrets[0] === NEW ? byNew : byOld);
  }
});

test('token: nobody else’s secret verifies, nor one that is longer, shorter or cut', async () => {
  const token = await tokensAt(AT_MILLIS).issue(KEY, 'shop');
  for (const secret of [OLD, `${NEW} `, NEW.slice(1), NEW.toUpperCase(), `${NEW}\u0000x`, `${OLD}${NEW}`]) {
    assert.equal(await tokensAt(AT_MILLIS, [secret]).verify(token), undefined, secret);
  }
});

test('token: what was signed for one key and project is worth nothing for another', async () => {
  const tokens = tokensAt(AT_MILLIS);
  const other = KEY.replace('shop', 'blog');
  const [, , mac] = (await tokens.issue(KEY, 'shop')).split('.');
  const seconds = AT_MILLIS / 1000;
  for (const payload of [
    `${seconds}\nshop\n${other}`,
    `${seconds}\nblog\n${KEY}`,
    `${seconds + 1}\nshop\n${KEY}`,
    `0${seconds}\nshop\n${KEY}`,
    `${seconds}\nshop\n${KEY}\n`,
    `${seconds}\n\nshop\n${KEY}`,
    `${seconds}\nshop\n${KEY}/../x`,
    '',
  ]) {
    assert.equal(await tokens.verify(`1.${base64url(payload)}.${mac}`), undefined, payload);
  }
});

test('token: times that are none, signed by us or not, are not in time', async () => {
  const tokens = tokensAt(AT_MILLIS);
  for (const seconds of ['', 'NaN', 'Infinity', '-1', '1e30', '0', 'x', '-Infinity']) {
    const token = tokenByNode(NEW, `${seconds}\nshop\n${KEY}`);
    assert.equal(await tokens.verify(token), undefined, seconds);
  }
});

test('token: other ways to write the same bytes are other tokens', async () => {
  const tokens = tokensAt(AT_MILLIS);
  const token = await tokens.issue(KEY, 'shop');
  const [version, payload = '', mac = ''] = token.split('.');
  for (const other of [
    `${version}.${payload}=.${mac}`,
    `${version}.${payload}.${mac}=`,
    `${version}.${payload}.${mac.replaceAll('_', '/').replaceAll('-', '+')}=`,
    ` ${token}`,
    `${token}\n`,
    token.replace('1.', '01.'),
    token.replace('1.', '１.'),
    `${token}${'A'.repeat(2_000)}`,
  ]) {
    assert.equal(await tokens.verify(other), undefined, other);
  }
});

test('token: a MAC made for another purpose does not verify', async () => {
  const payload = `${AT_MILLIS / 1000}\nshop\n${KEY}`;
  const mac = createHmac('sha256', NEW).update(`spandrel blob 1\n${payload}`).digest('base64url');
  assert.equal(await tokensAt(AT_MILLIS).verify(`1.${base64url(payload)}.${mac}`), undefined);
});

test('token: another version, a part more or a part less does not verify', async () => {
  const tokens = tokensAt(AT_MILLIS);
  const token = await tokens.issue(KEY, 'shop');
  for (const other of [
    token.replace('1.', '2.'),
    `${token}.`,
    `${token}.x`,
    token.slice(2),
    '',
    '1..',
    '1.',
  ]) {
    assert.equal(await tokens.verify(other), undefined, other);
  }
});

test('token: no single bit can change, and no end can be missing', async () => {
  const tokens = tokensAt(AT_MILLIS);
  const token = await tokens.issue(KEY, 'shop');
  for (let index = 0; index < token.length; index += 1) {
    assert.equal(await tokens.verify(token.slice(0, index)), undefined, `cut at ${index}`);
    for (let bit = 0; bit < 8; bit += 1) {
      const flipped = String.fromCharCode(token.charCodeAt(index) ^ (1 << bit));
      const changed = token.slice(0, index) + flipped + token.slice(index + 1);
      assert.equal(await tokens.verify(changed), undefined, `bit ${bit} of ${index}`);
    }
  }
});

test('token: no text verifies by chance, and none throws', async () => {
  const tokens = tokensAt(AT_MILLIS);
  const base64 = fc.stringMatching(/^[A-Za-z0-9_-]{0,80}$/);
  const shaped = fc.tuple(base64, base64).map(([payload, mac]) => `1.${payload}.${mac}`);
  await fc.assert(
    fc.asyncProperty(fc.oneof(shaped, fc.string({ unit: 'binary', maxLength: 2000 })), async (text) => {
      assert.equal(await tokens.verify(text), undefined);
    }),
    { numRuns: 300 },
  );
});
