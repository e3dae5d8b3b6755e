import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import {
  type Body,
  expectFigures,
  OBJECTS,
  openOverview,
  QUESTIONS,
  sourceOf,
  VISITS,
} from '../../../testing/overview.js';
import { NOW } from '../../../testing/site-visits.js';
import { createOverview } from './overview.js';

const HOSTILE = [
  "' OR 1=1 --",
  '"; DROP TABLE traces; --',
  "x'); COPY traces TO '/tmp/stolen'; --",
  '$from {from:Float64} {{keys}} ?1 :a @b',
  '%_\\\\%',
  "route=/'||(SELECT 1)||'",
  '\u0000\ud800',
  '`$(id)`',
  'a'.repeat(1_000),
];

test('overview: SQL in any field is a text like others', async () => {
  const ask = openOverview(OBJECTS);
  const before = await ask();
  for (const text of HOSTILE) {
    const answers = [
      await ask([['where', `${text.replaceAll('=', '').slice(0, 200)}=x`]]),
      await ask([['where', `route=${text}`]]),
      await ask([['where', `shop.plan=${text}`]]),
    ];
    for (const { status, totals, error } of answers) {
      assert.equal(status, 200, error);
      assert.equal(totals.seen, 0, text);
    }
    for (const field of ['name', 'message', 'frame', 'target', 'only']) {
      for (const figure of ['vital', 'error', 'request', 'activity']) {
        const { status, found, error } = await ask(
          [
            ['figure', figure],
            [field, text],
          ],
          '/traces',
        );
        assert.equal(status, 200, error);
        assert.equal(found, 0, `${figure} ${field} ${text}`);
      }
    }
  }
  const { totals, vitals, errors } = await ask();
  assert.deepEqual(
    { totals, vitals, errors },
    { totals: before['totals'], vitals: before['vitals'], errors: before['errors'] },
  );
});

test('overview: what cannot be asked is refused with what it takes', async () => {
  const ask = openOverview(OBJECTS);
  const wrong: [[string, string][], RegExp][] = [
    [[['from', 'yesterday']], /"from" is "yesterday": it takes a number/],
    [
      [
        ['from', '2'],
        ['until', '1'],
      ],
      /"from" is 2: it takes a time before "until", 1/,
    ],
    [[['by', "route' --"]], /"by" is "route' --": it takes one of route, release/],
    [[['where', 'browser']], /"where" is "browser": it takes key=value/],
    [[['where', `a=${'x'.repeat(1_001)}`]], /at most 200 and 1000 characters/],
    [
      Array.from({ length: 9 }, () => ['where', 'a=b'] as [string, string]),
      /"where" comes 9 times: it may 8 times/,
    ],
  ];
  for (const [params, message] of wrong) {
    const { status, error } = await ask(params);
    assert.equal(status, 400);
    assert.match(error, message);
  }
  assert.equal((await ask([['figure', 'all']], '/traces'))['status'], 400);
  assert.equal((await ask([['id', "x' OR 1=1"]], '/trace'))['status'], 400);
  assert.equal((await ask([], '/../secret'))['status'], 404);
});

test('overview: objects that are none are counted, and the others are read', async () => {
  const body = await openOverview({
    ...OBJECTS,
    'broken.json.gz': gzipSync('{"resourceSpans":[').subarray(0, 20),
    'bomb.json.gz': gzipSync(Buffer.alloc(80 * 1024 * 1024)),
    'list.json': Buffer.from('[]'),
    'odd.json': Buffer.from('{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":7},null,"x"]}]},null,3]}'),
  })();
  expectFigures(body, VISITS);
  assert.equal(body['reading'].failed, 3);
  assert.equal(body['reading'].skipped, 1);
});

test('overview: a hundred thousand routes are told as fifty', async () => {
  const routes = 100_000;
  const perObject = 20_000;
  const objects: Record<string, Uint8Array> = {};
  for (let first = 0; first < routes; first += perObject) {
    const spans = Array.from({ length: perObject }, (_, index) => vitalSpan(first + index));
    objects[`r-${first}.json.gz`] = gzipSync(
      JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans }] }] }),
      { level: 1 },
    );
  }
  const ask = openOverview(objects);
  const body = await ask();
  assert.equal(body['totals'].seen, routes);
  assert.equal(new Set(body['sides'].map(({ side }: Body) => side)).size, 50);
  assert.ok(body['routes'].length <= 30 && body['values'].length <= 7 * 20);
  assert.ok(JSON.stringify(body).length < 100_000);
});

function vitalSpan(number: number): object {
  const text = (key: string, stringValue: string) => ({ key, value: { stringValue } });
  return {
    traceId: (number + 1).toString(16).padStart(32, '0'),
    spanId: (number + 1).toString(16).padStart(16, '0'),
    name: 'load',
    startTimeUnixNano: `${NOW - 60_000}000000`,
    endTimeUnixNano: `${NOW - 59_000}000000`,
    attributes: [
      text('spandrel.activity.type', 'load'),
      text('url.template', `/${number}`),
      text('browser.web_vital.name', 'lcp'),
      { key: 'browser.web_vital.value', value: { doubleValue: number % 5_000 } },
    ],
  };
}

test('overview: without DuckDB it says what to install', async () => {
  const overview = createOverview({
    ...{ source: sourceOf(OBJECTS), questions: QUESTIONS, loadDuckDb: async () => undefined },
  });
  assert.deepEqual(await overview.answer('', new URLSearchParams()), {
    status: 200,
    body: { missing: '@duckdb/node-api' },
  });
  await overview.close();
});
