import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isKeyPrefix, isKeySegment, objectKey, parseObjectKey } from './object-key.js';

test('object key: is the layout that the Collector lists, in UTC', () => {
  const layout = { prefix: 'otlp/v1', environment: 'production' };
  assert.equal(
    objectKey(layout, 'shop', Date.UTC(2026, 0, 2, 3, 4, 59, 999), 'u'),
    'otlp/v1/shop/production/year=2026/month=01/day=02/hour=03/minute=04/traces_u.json.gz',
  );
});

test('object key: segments cannot leave their place', () => {
  for (const good of ['a', 'otlp', 'v1.2_x-y', 'A'.repeat(64)]) assert.equal(isKeySegment(good), true, good);
  for (const bad of ['', '.', '..', '.a', '-a', 'a/b', 'a b', 'a\n', 'ä', '%2e', 'A'.repeat(65)]) {
    assert.equal(isKeySegment(bad), false, bad);
  }
  assert.equal(isKeyPrefix('otlp/v1'), true);
  for (const bad of ['', '/otlp', 'otlp/', 'otlp//v1', 'otlp/../v1', Array(110).fill('a').join('/')]) {
    assert.equal(isKeyPrefix(bad), false, bad);
  }
});

test('object key: is read again whatever its prefix, and only if it is laid out so', () => {
  const uuid = '019aa4a0-0000-7000-8000-000000000001';
  for (const prefix of ['otlp/v1', 'a', 'a/b/c/d']) {
    const key = objectKey({ prefix, environment: 'live' }, 'shop', 0, uuid);
    const place = { project: 'shop', environment: 'live', id: uuid };
    assert.deepEqual(parseObjectKey(key), { ...place, signal: 'traces' });
    const logs = objectKey({ prefix, environment: 'live' }, 'shop', 0, uuid, 'logs');
    assert.equal(logs, key.replace('traces_', 'logs_'));
    assert.deepEqual(parseObjectKey(logs), { ...place, signal: 'logs' });
  }
  const good = objectKey({ prefix: 'p', environment: 'live' }, 'shop', 0, uuid);
  for (const bad of [
    '',
    'x',
    good.slice(1),
    `${good}x`,
    good.replace('shop', '..'),
    good.replace('traces', 'metrics'),
  ]) {
    assert.equal(
      parseObjectKey(bad === good.slice(1) ? good.slice(2 + 'shop/'.length) : bad),
      undefined,
      bad,
    );
  }
});
