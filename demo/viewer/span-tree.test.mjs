import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ancestorIds, buildTree, visibleRows } from './span-tree.mjs';
import { span as anySpan } from './testing/page-trace.mjs';

const span = (/** @type {string} */ spanId, parentSpanId = '', start = 1n) =>
  anySpan({ spanId, parentSpanId, start, end: start, resource: { serviceName: 'shop' } });
const ids = (rows) => rows.map((row) => `${'·'.repeat(row.node.depth)}${row.node.span.spanId}`);

test('span tree: nests by parent and orders by start', () => {
  const spans = [span('c', 'a', 9n), span('b', 'a', 3n), span('d', 'b', 4n), span('a', '', 1n)];
  const { roots, orphanCount } = buildTree(spans);
  assert.deepEqual(ids(visibleRows(roots, new Set())), ['a', '·b', '··d', '·c']);
  assert.equal(orphanCount, 0);
  assert.equal(roots[0].descendantCount, 3);
});

test('span tree: a collapsed span hides its descendants and stays itself', () => {
  const { roots } = buildTree([span('a'), span('b', 'a'), span('c', 'b'), span('z', '', 5n)]);
  const rows = visibleRows(roots, new Set(['a']));
  assert.deepEqual(ids(rows), ['a', 'z']);
  assert.equal(rows[0].expanded, false);
  assert.deepEqual(
    rows.map(({ position, siblingCount }) => [position, siblingCount]),
    [
      [1, 2],
      [2, 2],
    ],
  );
});

test('span tree: orphans come after the true roots, whatever their time', () => {
  const { roots, orphanCount } = buildTree([
    span('lost', 'gone', 1n),
    span('root', '', 5n),
    span('kid', 'lost'),
  ]);
  assert.deepEqual(ids(visibleRows(roots, new Set())), ['root', 'lost', '·kid']);
  assert.equal(orphanCount, 1);
  assert.equal(roots[1].orphan, true);
});

test('span tree: a circle of parents is cut where it starts earliest, every span shown once', () => {
  const spans = [span('a', 'c', 3n), span('b', 'a', 1n), span('c', 'b', 2n), span('tail', 'c', 9n)];
  const { roots, orphanCount } = buildTree(spans);
  assert.deepEqual(ids(visibleRows(roots, new Set())), ['b', '·c', '··a', '··tail']);
  assert.equal(orphanCount, 1);
});

test('span tree: a span that is its own parent is shown', () => {
  const { roots } = buildTree([span('a', 'a'), span('r')]);
  assert.deepEqual(ids(visibleRows(roots, new Set())), ['r', 'a']);
});

test('span tree: what hangs on a circle, but starts first, does not break it', () => {
  const { roots } = buildTree([span('tail', 'a', 1n), span('a', 'b', 5n), span('b', 'a', 6n)]);
  const rows = visibleRows(roots, new Set());
  assert.deepEqual(rows.map((row) => row.node.span.spanId).sort(), ['a', 'b', 'tail']);
});

test('span tree: a chain of 50,000 spans does not exhaust the stack', () => {
  const spans = Array.from({ length: 50_000 }, (_, i) => span(`s${i}`, i === 0 ? '' : `s${i - 1}`));
  const { roots } = buildTree(spans);
  const rows = visibleRows(roots, new Set());
  assert.equal(rows.length, 50_000);
  assert.equal(rows.at(-1).node.depth, 49_999);
  assert.equal(roots[0].descendantCount, 49_999);
});

test('span tree: missing times sort first and break nothing', () => {
  const timeless = { ...span('t', 'a'), start: undefined, end: undefined };
  const { roots } = buildTree([span('a'), span('b', 'a', 2n), timeless]);
  assert.deepEqual(ids(visibleRows(roots, new Set())), ['a', '·t', '·b']);
});

test('ancestors: nearest first, and a circle ends', () => {
  const spans = new Map(
    [span('a'), span('b', 'a'), span('c', 'b'), span('x', 'y'), span('y', 'x'), span('tail', 'x')].map(
      (s) => [s.spanId, s],
    ),
  );
  assert.deepEqual(ancestorIds(spans, 'c'), ['b', 'a']);
  assert.deepEqual(ancestorIds(spans, 'x'), ['y']);
  assert.deepEqual(ancestorIds(spans, 'tail'), ['x', 'y']);
  assert.deepEqual(ancestorIds(spans, 'unknown'), []);
});

test('span tree: says where a span is of another service than its parent', () => {
  const of = (/** @type {string} */ serviceName, /** @type {string} */ id, parentId = '') => {
    const one = span(id, parentId);
    return { ...one, resource: { ...one.resource, serviceName } };
  };
  const { roots } = buildTree([
    of('page', 'click'),
    of('page', 'fetch', 'click'),
    of('api', 'serve', 'fetch'),
    of('api', 'step', 'serve'),
    of('api', 'lost', 'gone'),
  ]);
  const entries = visibleRows(roots, new Set()).filter((row) => row.node.entersService);
  assert.deepEqual(ids(entries), ['click', '··serve', 'lost']);
});
