import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatVital, readPageFacts, worstVitals } from './page-facts.mjs';
import { attributes, pageTrace, span } from './testing/page-trace.mjs';

test('page facts: an activity with its route, its interaction, and why it ended', () => {
  const { kind, route, ended, interaction } = readPageFacts(pageTrace({ kind: 'route', clicked: 'Trowel' }));
  assert.deepEqual([kind, route, ended], ['route', '/product/:id', 'quiet']);
  assert.deepEqual(interaction, { type: 'click', target: 'Trowel', time: 1_000n });
});

test('page facts: an interaction says itself what it was', () => {
  const { kind, interaction } = readPageFacts(pageTrace({ kind: 'interaction', clicked: 'Trowel' }));
  assert.equal(kind, 'interaction');
  assert.equal(interaction.target, 'Trowel');
});

test('page facts: other traces are other, whatever they call themselves', () => {
  assert.equal(readPageFacts([span({ name: 'GET' })]).kind, 'other');
  const odd = span({ attributes: attributes({ 'spandrel.activity.type': 'toString' }) });
  assert.equal(readPageFacts([odd]).kind, 'other');
  assert.equal(readPageFacts([]).session, undefined);
});

test('page facts: the latest report of a vital counts, in either order', () => {
  const early = vital('CLS', 0.05, 'good', { id: 'v1', end: 2_000n });
  const late = vital('CLS', 0.3, 'poor', { id: 'v1', end: 9_000n });
  for (const spans of [
    [early, late],
    [late, early],
  ]) {
    const { vitals } = readPageFacts(spans);
    assert.deepEqual(
      vitals.map(({ value, rating, time }) => [value, rating, time]),
      [[0.3, 'poor', 9_000n]],
    );
  }
});

test('page facts: a vital without a number is none, and one without a known rating is not rated', () => {
  for (const value of ['', 'NaN', 'Infinity', 'soon']) {
    assert.deepEqual(readPageFacts([vital('LCP', value, 'good')]).vitals, []);
  }
  assert.equal(readPageFacts([vital('LCP', 1, 'splendid')]).vitals[0].rating, '');
  assert.equal(formatVital(readPageFacts([vital('LCP', -1e300, 'good')]).vitals[0]), '0 ms');
});

test('page facts: INP stands where the interaction began, others where they were complete', () => {
  const times = readPageFacts([vital('INP', 300, 'poor'), vital('LCP', 300, 'poor')]).vitals.map(
    ({ name, time }) => [name, time],
  );
  assert.deepEqual(times, [
    ['INP', 1_000n],
    ['LCP', 5_000n],
  ]);
});

test('page facts: vitals as people write them', () => {
  const written = [
    ['CLS', 0.08333, '0.083'],
    ['CLS', 0, '0'],
    ['LCP', 1_240.4, '1.24 s'],
    ['INP', 96, '96 ms'],
    ['TTFB', 0, '0 ms'],
    ['TTFB', 0.44, '0.4 ms'],
  ];
  for (const [name, value, text] of written) assert.equal(formatVital({ name, value }), text);
});

test('page facts: the worst of each vital, by rating before value', () => {
  const all = [
    { name: 'CLS', rating: 'poor', value: 0.3 },
    { name: 'LCP', rating: 'good', value: 2_000 },
    { name: 'LCP', rating: 'poor', value: 1_000 },
    { name: 'LCP', rating: 'poor', value: 900 },
    { name: 'NEW', rating: '', value: 1 },
  ];
  assert.deepEqual(
    worstVitals(/** @type {import('./page-facts.mjs').Vital[]} */ (all)).map(({ name, value }) => [
      name,
      value,
    ]),
    [
      ['LCP', 1_000],
      ['CLS', 0.3],
      ['NEW', 1],
    ],
  );
});

test('page facts: exceptions of all spans, by time, and not without end', () => {
  const { exceptions } = readPageFacts(pageTrace({ errors: ['late', 'early'] }));
  assert.deepEqual(
    exceptions.map(({ type, message }) => `${type}: ${message}`),
    ['TypeError: early', 'TypeError: late'],
  );
  const many = Array.from({ length: 5_000 }, () => 'again');
  assert.equal(readPageFacts(pageTrace({ errors: many })).exceptions.length, 100);
});

test('page facts: what vexed, who it was, and under which flags', () => {
  const [root, child] = pageTrace({
    kind: 'interaction',
    clicked: 'button#buy',
    more: { 'user.id': 'u-42' },
  });
  const flag = (key, variant) => ({
    name: 'feature_flag.evaluation',
    time: 1_000n,
    attributes: attributes({ 'feature_flag.key': key, 'feature_flag.result.variant': variant }),
  });
  const click = (name, time, count) => ({
    name,
    time,
    attributes: attributes({ 'spandrel.click.count': count }),
  });
  const events = [
    ...[flag('checkout', 'one-page'), flag('checkout', 'two-page'), flag('ribbon', 'true')],
    ...[click('spandrel.dead_click', 3_000n, 4), click('spandrel.rage_click', 2_000n, 4)],
    ...[click('spandrel.other_click', 1n, 1), { name: 'click', time: 1n, attributes: [] }],
  ];
  const spans = /** @type {import('./parse-otlp.mjs').Span[]} */ ([{ ...root, events }, child]);
  const { vexations, user, flags } = readPageFacts(spans);
  assert.deepEqual(
    vexations.map(({ kind, target, count }) => [kind, target, count]),
    [
      ['rage', 'button#buy', 4],
      ['dead', 'button#buy', 4],
    ],
  );
  assert.deepEqual(
    [user, flags],
    [
      'u-42',
      [
        ['checkout', 'two-page'],
        ['ribbon', 'true'],
      ],
    ],
  );
  const nobody = readPageFacts(pageTrace());
  assert.deepEqual([nobody.user, nobody.flags, nobody.vexations], ['', [], []]);
  assert.equal(
    readPageFacts([span(), span({ attributes: attributes({ 'user.email': 'a@b' }) })]).user,
    'a@b',
  );
});

test('page facts: session and sampling stand on the local root', () => {
  const { session, probability, keptFor } = readPageFacts(
    pageTrace({
      more: {
        'session.previous_id': 'p',
        'spandrel.session.started_at': '2026-01-02T03:04:05.000Z',
        'spandrel.sampling.probability': 0.1,
        'spandrel.sampling.reason': 'error',
      },
    }),
  );
  assert.deepEqual(session, { id: 's'.repeat(32), previousId: 'p', startedAt: 1_767_323_045_000_000_000n });
  assert.deepEqual([probability, keptFor], [0.1, 'error']);
  for (const value of [0, -1, 2, 'often', '']) {
    const { probability } = readPageFacts(pageTrace({ more: { 'spandrel.sampling.probability': value } }));
    assert.equal(probability, 1);
  }
});

function vital(name, value, rating, { id = name, end = 5_000n } = {}) {
  return span({
    name: `web-vital ${name}`,
    end,
    attributes: attributes({
      'browser.web_vital.name': name,
      'browser.web_vital.value': value,
      'browser.web_vital.rating': rating,
      'browser.web_vital.id': id,
    }),
  });
}
