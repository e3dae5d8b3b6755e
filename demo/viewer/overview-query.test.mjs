import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatHash, parseHash } from './filter.mjs';
import { changeQuery, filtersOf, overviewHref, rangeOf, requestOf, toggleFilter } from './overview-query.mjs';

const ODD = `a=b&c#d"'<> % ü =`;

test("viewer: the overview's address holds filters of any text, and is read as it was written", () => {
  const query = toggleFilter(toggleFilter('', 'browser', 'Firefox'), 'shop.note', ODD);
  assert.deepEqual(filtersOf(query), ['browser=Firefox', `shop.note=${ODD}`]);
  const trace = 'a'.repeat(32);
  const place = parseHash(overviewHref(query, trace));
  assert.equal(place.view, 'overview');
  assert.equal(place.query, query);
  assert.equal(place.traceId, trace);
  assert.equal(formatHash(place), overviewHref(query, trace));
  assert.deepEqual(filtersOf(toggleFilter(query, 'shop.note', ODD)), ['browser=Firefox']);
});

test('viewer: a change of the overview closes the open figure and keeps the rest', () => {
  const open = changeQuery('last=7d&by=os', { figure: 'vital', name: 'LCP', low: 2_500 });
  assert.equal(open, 'last=7d&by=os&figure=vital&name=LCP&low=2500');
  assert.equal(changeQuery(open, { by: 'route' }), 'last=7d&by=route');
  assert.equal(changeQuery(open, {}), 'last=7d&by=os');
});

test("viewer: the overview's range is the last day, unless the address says another", () => {
  const now = 1_800_000_000_000;
  assert.deepEqual(rangeOf('', now), { last: '24h', from: now - 86_400_000, until: now });
  assert.deepEqual(rangeOf('last=constructor', now).last, '24h');
  assert.deepEqual(rangeOf('last=1h', now), { last: '1h', from: now - 3_600_000, until: now });
  assert.deepEqual(rangeOf('last=1h&from=5&until=9', now), { last: '', from: 5, until: 9 });
  assert.equal(rangeOf('from=9&until=5', now).last, '24h');
  assert.equal(
    requestOf('last=1h&where=a%3Db', now).toString(),
    `where=a%3Db&from=${now - 3_600_000}&until=${now}`,
  );
});

test('viewer: what is no part of the overview stays out of its address', () => {
  const { query } = parseHash(`#overview&evil=1&last=7d&where=${'x'.repeat(20)}`);
  assert.equal(query, `last=7d&where=${'x'.repeat(20)}`);
  assert.equal(parseHash(`#overview&where=${'x'.repeat(9_000)}`).query, '');
});
