import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isMapPath, isRelease, mapFolder, mapKey, parseMapKey } from './map-key.js';

const id = '0123456789abcdef0123456789abcdef';

test('map key: whatever a path holds comes back, and lies below the folder of its release', () => {
  const release = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._+@-]{0,20}$/);
  const path = fc.string({ unit: 'grapheme', maxLength: 40 }).filter(isMapPath);
  fc.assert(
    fc.property(release, path, (release, path) => {
      const name = { project: 'shop', release, path, id };
      const key = mapKey(name);
      assert.deepEqual(parseMapKey(key), name);
      assert.ok(key.startsWith(mapFolder('shop', release)));
      assert.match(key, /^[\w%.~!'()*/-]+$/, 'characters that every store takes');
    }),
  );
});

test('map key: what is no release, no path and no key of ours', () => {
  for (const release of ['', '.1', 'a/b', '..', 'a b', 'x'.repeat(129), 7])
    assert.equal(isRelease(release), false);
  for (const release of ['1.4.2', 'shop@1.0.0+7', 'a1b2c3d']) assert.equal(isRelease(release), true);
  for (const path of ['', '/a', 'a/', 'a//b', '../a', 'a/./b', '\ud800', 'a'.repeat(501)]) {
    assert.equal(isMapPath(path), false, path);
  }
  for (const key of [
    `maps/shop/1/a.js~${id}.map`,
    `maps/shop/1/a.js.map.gz`,
    `maps/shop/1/~${id}.map.gz`,
    `maps/shop/1/%/a.js~${id}.map.gz`,
    `maps/shop/%2E%2E/a.js~${id}.map.gz`,
    `otlp/shop/1/a.js~${id}.map.gz`,
  ]) {
    assert.equal(parseMapKey(key), undefined, key);
  }
});
