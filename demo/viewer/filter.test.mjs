import assert from 'node:assert/strict';
import { test } from 'node:test';
import { filterTraces, formatHash, isNoFilter, NO_FILTER, NOWHERE, parseHash } from './filter.mjs';

/** What is looked at of a trace. @param {string} traceId @param {object} summary */
const trace = (traceId, summary) =>
  /** @type {import('./traces.mjs').Trace} */ (
    /** @type {unknown} */ ({
      traceId,
      summary: { errorCount: 0, duration: 0n, services: ['shop'], searchText: '', kind: 'other', ...summary },
    })
  );
const TRACES = [
  trace('a', { searchText: 'route /cart\nshop', kind: 'route', duration: 2_000_000n }),
  trace('b', { searchText: 'route /about\nshop', duration: 1_999_999n, errorCount: 1 }),
  trace('c', { searchText: 'click buy\nblog', services: ['api', 'blog'] }),
];
const found = (filter) => filterTraces(TRACES, { ...NO_FILTER, ...filter }).map(({ traceId }) => traceId);

test('filter: no filter lets all pass', () => {
  assert.deepEqual(found({}), ['a', 'b', 'c']);
  assert.equal(isNoFilter({ ...NO_FILTER, text: '  ', minMillis: 'x' }), true);
  assert.equal(isNoFilter({ ...NO_FILTER, errorsOnly: true }), false);
});

test('filter: every word must occur, in any case and order', () => {
  assert.deepEqual(found({ text: 'SHOP route' }), ['a', 'b']);
  assert.deepEqual(found({ text: 'shop buy' }), []);
});

test('filter: by kind, errors, duration and service', () => {
  assert.deepEqual(found({ kind: 'route' }), ['a']);
  assert.deepEqual(found({ kind: 'other' }), ['b', 'c']);
  assert.equal(isNoFilter({ ...NO_FILTER, kind: 'load' }), false);
  assert.deepEqual(found({ errorsOnly: true }), ['b']);
  assert.deepEqual(found({ minMillis: '2' }), ['a']);
  assert.deepEqual(found({ service: 'api' }), ['c']);
});

test('filter: an unusable duration is no bound', () => {
  for (const minMillis of ['', 'abc', '-5', 'Infinity', 'NaN', '1e400']) {
    assert.equal(found({ minMillis }).length, 3, minMillis);
  }
});

test('permalink: reads what it writes', () => {
  const ids = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16) };
  /** @type {import('./filter.mjs').Place[]} */
  const places = [
    NOWHERE,
    { ...NOWHERE, traceId: ids.traceId },
    { ...NOWHERE, ...ids, tab: 'raw' },
    { ...NOWHERE, view: 'sessions' },
    { ...NOWHERE, view: 'sessions', sessionId: 'of & another = SDK' },
    { ...NOWHERE, view: 'errors' },
    { ...NOWHERE, view: 'errors', errorId: 'd'.repeat(16) },
    { ...NOWHERE, ...ids, view: 'sessions', sessionId: 'c'.repeat(32) },
  ];
  for (const place of places) assert.deepEqual(parseHash(formatHash(place)), place);
});

test('permalink: what is no id is ignored', () => {
  for (const hash of [
    '',
    '#',
    '#trace=<script>',
    '#trace=%',
    `#trace=${'a'.repeat(31)}&span=__proto__`,
    '#error=1',
  ]) {
    assert.deepEqual(parseHash(hash), NOWHERE);
  }
  assert.equal(parseHash(`#session=${'x'.repeat(1_000)}`).sessionId.length, 128);
});
