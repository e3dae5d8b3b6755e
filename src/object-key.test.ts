import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isKeyPrefix, isKeySegment, objectKey } from './object-key.js';

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
