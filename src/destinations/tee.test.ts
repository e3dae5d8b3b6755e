import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bucket } from '../bucket/bucket.js';
import { otlp } from '../otlp.js';
import { testDestination } from '../testing/destination.js';
import type { Destination } from './destination.js';
import { tee } from './tee.js';

const [a, b, c] = [testDestination('a'), testDestination('b'), testDestination('c')];

test('tee: branches stand in their order, those of a nested tee in its place', () => {
  assert.deepEqual(tee(a, b).branches, [a, b]);
  assert.deepEqual(tee(tee(a, b), c).branches, [a, b, c]);
  assert.deepEqual(tee(c, tee(a, b)).branches, [c, a, b]);
  assert.equal(tee(c, tee(a, b)).id, 'c + a + b');
});

test('tee: is opened by nobody but those who know of branches', () => {
  assert.throws(() => tee(a, b).open(undefined as never), /branch by branch/);
});

for (const [name, given, says] of [
  ['nothing', [], /option "tee" takes two destinations or more, got/],
  ['one', [a], /takes two destinations or more/],
  ['one that is empty', [a, { open() {}, branches: [] }], /takes two destinations or more/],
  ['undefined', [a, undefined], /takes destinations such as bucket\(\{ endpoint \}\), got undefined/],
  ['null', [null, a], /takes destinations such as bucket\(\{ endpoint \}\), got null/],
  ['options in place of a destination', [a, { endpoint: '/spandrel' }], /takes destinations such as bucket/],
  ['a list of destinations', [[a, b]], /takes destinations such as bucket/],
  ['the same twice', [a, b, a], /takes destinations with different ids, got "a"/],
  ['the same twice by nesting', [tee(a, b), tee(c, b)], /different ids, got "b"/],
  ['two without an id', [{ open() {} }, { open() {} }], /different ids, got ""/],
  [
    'one endpoint twice',
    [bucket({ endpoint: 'https://x.test/' }), bucket({ endpoint: 'https://x.test/' })],
    /different ids, got "https:/,
  ],
  ['one collector twice', [otlp(), otlp({ url: 'http://localhost:4318/v1/traces' })], /different ids/],
] as const) {
  test(`tee: ${name} is refused`, () => {
    assert.throws(() => tee(...(given as never as [Destination, Destination])), says);
  });
}

test('tee: two projects of one endpoint are two places', () => {
  const places = ['shop', 'blog'].map((project) => bucket({ endpoint: 'https://x.test/', project }));
  assert.equal(tee(...(places as [Destination, Destination])).branches?.length, 2);
});
