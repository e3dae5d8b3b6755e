import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type Body,
  expectFigures,
  OBJECTS,
  openOverview,
  packed,
  VISITS,
} from '../../../testing/overview.js';
import { NOW, requestsOf, START, type Visit } from '../../../testing/site-visits.js';

test('overview: the figures are those that plain code finds in the visits', async () => {
  const ask = openOverview(OBJECTS);
  for (const by of ['route', 'release', 'browser', 'device', 'country'] as const) {
    const body = await ask([['by', by]]);
    assert.equal(body['status'], 200, body['error']);
    assert.equal(body['reading'].failed, 0);
    expectFigures(body, VISITS, by);
  }
});

test('overview: a range of time and filters choose traces, by their columns and by any attribute', async () => {
  const ask = openOverview(OBJECTS);
  const middle = START + (NOW - START) / 2;
  expectFigures(
    await ask([
      ['from', String(middle)],
      ['until', String(NOW)],
    ]),
    VISITS.filter(({ start }) => start >= middle && start < NOW),
  );
  const pairs: [string, string, (visit: Visit) => boolean][] = [
    ['route', '/cart', ({ route }) => route === '/cart'],
    ['browser', 'Firefox', ({ browser }) => browser === 'Firefox'],
    ['release', '1.4.2', ({ release }) => release === '1.4.2'],
    ['shop.plan', 'pro', ({ plan }) => plan === 'pro'],
    ['country', 'DE', ({ country }) => country === 'DE'],
  ];
  for (const [key, value, passes] of pairs)
    expectFigures(await ask([['where', `${key}=${value}`]]), VISITS.filter(passes));
  const two = await ask([
    ['where', 'route=/cart'],
    ['where', 'shop.plan=pro'],
  ]);
  expectFigures(
    two,
    VISITS.filter(({ route, plan }) => route === '/cart' && plan === 'pro'),
  );
});

test('overview: what is written twice counts once', async () => {
  const twice = [...requestsOf(VISITS), ...requestsOf(VISITS).reverse()];
  expectFigures(await openOverview(packed(twice))(), VISITS);
});

test('overview: a figure leads to its traces, and a trace to its objects', async () => {
  const ask = openOverview(OBJECTS);
  const poor = await ask(
    [
      ['figure', 'vital'],
      ['name', 'LCP'],
      ['low', '4000.001'],
    ],
    '/traces',
  );
  const expected = VISITS.filter(({ vitals }) => (vitals.LCP ?? 0) > 4_000);
  assert.equal(poor['found'], expected.length);
  const ids = new Set(expected.map(({ traceId }) => traceId));
  assert.ok(poor['traces'].every(({ id }: Body) => ids.has(id)));
  const values = poor['traces'].map(({ value }: Body) => value);
  assert.deepEqual(
    values,
    [...values].sort((a, b) => b - a),
  );

  const [group] = (await ask())['errors'] as Body[];
  const of = await ask(
    [
      ['figure', 'error'],
      ['name', group?.['type']],
      ['message', group?.['message']],
      ['frame', group?.['frame']],
    ],
    '/traces',
  );
  assert.equal(of['found'], group?.['traces']);
  const failed = await ask(
    [
      ['figure', 'request'],
      ['name', 'POST'],
      ['target', 'shop.test/api/cart/:id'],
      ['only', 'failed'],
    ],
    '/traces',
  );
  assert.equal(
    failed['found'],
    VISITS.filter(({ requests }) => requests.some((one) => one.failed && one.method === 'POST')).length,
  );

  const { objects } = await ask([['id', String(poor['traces'][0].id)]], '/trace');
  assert.ok(objects.length > 0);
  for (const { key } of objects) assert.ok(key in OBJECTS);
});

test('overview: what is stored later counts with the next question', async () => {
  const [first, ...others] = Object.entries(OBJECTS);
  const objects: Record<string, Uint8Array> = Object.fromEntries([first as [string, Uint8Array]]);
  const ask = openOverview(objects);
  const before = await ask();
  assert.ok(before['totals'].seen < VISITS.length);
  Object.assign(objects, Object.fromEntries(others));
  expectFigures(await ask(), VISITS);
});
