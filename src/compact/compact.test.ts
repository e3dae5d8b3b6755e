import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { StorageError } from '../server/storage.js';
import { gzipOf, type TestBucket, testBucket, traceKey } from '../testing/bucket.js';
import { type Json, request, span, spansIn } from '../testing/forward.js';
import { runCompact } from './compact.js';
import type { CompactOptions } from './compact-options.js';
import { checkCompactOptions } from './compact-settings.js';
import type { CompactSummary } from './summary.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** The hour that objects are of. */
const AT = Date.UTC(2026, 10, 21, 3);
const HOUR_FOLDER = 'otlp/v1/shop/production/year=2026/month=11/day=21/hour=03';

interface World {
  bucket: TestBucket;
  put(index: number, request: Json, atMillis?: number): string;
  run(options?: Partial<CompactOptions>, nowMillis?: number): Promise<CompactSummary>;
  /** What is in an object. */
  json(key: string): Json;
  keys(): string[];
}

function world(): World {
  const bucket = testBucket();
  return {
    bucket,
    put(index, json, atMillis = AT + index * MINUTE) {
      const key = traceKey(atMillis, index);
      bucket.objects.set(key, gzipOf(JSON.stringify(json)));
      return key;
    },
    run: (options, nowMillis = AT + 2 * HOUR) =>
      runCompact(
        checkCompactOptions({ storage: bucket.view(), now: () => nowMillis, ...options }),
        async () => undefined,
      ),
    json: (key) => JSON.parse(gunzipSync(bucket.objects.get(key) ?? '').toString()),
    keys: () => bucket.keys('otlp/'),
  };
}

const attributes = (values: Record<string, string>): Json => ({
  attributes: Object.entries(values).map(([key, stringValue]) => ({ key, value: { stringValue } })),
});
const namesOf = (json: Json): string[] => spansIn(json).map(({ name }) => name);

test('compact: an hour becomes one object of merged resources, whose traces are together and in order', async () => {
  const { put, run, keys, json } = world();
  put(1, request([span(2, 4, { startTimeUnixNano: '1763694060000000400' }), span(1, 2)]));
  put(2, request([span(1, 3, { startTimeUnixNano: '1763694000000000000' })]));
  put(40, request([span(1, 5)], 'api'));
  const { compacted, written, spans, ended } = await run();
  assert.deepEqual([ended, compacted, written, spans], ['done', 3, 1, 4]);
  const [key = '', ...others] = keys();
  assert.deepEqual(others, []);
  assert.match(key, new RegExp(`^${HOUR_FOLDER}/minute=59/traces_[0-9a-f-]{36}\\.json\\.gz$`));
  const { resourceSpans } = json(key);
  assert.equal(resourceSpans.length, 2);
  assert.deepEqual(
    resourceSpans.map(({ scopeSpans }: Json) => scopeSpans.length),
    [1, 1],
  );
  assert.deepEqual(namesOf({ resourceSpans: [resourceSpans[0]] }), ['span 3', 'span 2', 'span 4']);
});

test('compact: every field of a span goes on, and of twins the one that was not interrupted', async () => {
  const { put, run, keys, json } = world();
  const full = span(1, 1, {
    parentSpanId: '00000000000000aa',
    traceState: 'ot=th:8',
    flags: 257,
    events: [{ name: 'e', timeUnixNano: '1', ...attributes({ x: 'y' }) }],
    links: [{ traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), ...attributes({ l: '\u{1f600} "q" \n' }) }],
    status: { code: 2, message: 'no' },
    droppedAttributesCount: 3,
  });
  const interrupted = { attributes: [{ key: 'spandrel.interrupted', value: { boolValue: true } }] };
  put(1, request([span(1, 1, interrupted)]));
  put(2, request([full, span(1, 2)]));
  put(3, request([span(1, 2)]));
  const { duplicateSpans } = await run();
  assert.equal(duplicateSpans, 2);
  const spans = spansIn(json(keys()[0] ?? ''));
  assert.deepEqual(
    spans.find(({ name }: Json) => name === 'span 1'),
    full,
  );
  assert.equal(spans.length, 2);
});

test('compact: what is not over, alone, of another signal or of another layout stays', async () => {
  const { bucket, put, run, keys } = world();
  put(1, request([span(1, 1)]), AT + 90 * MINUTE);
  put(2, request([span(1, 2)]), AT + 91 * MINUTE);
  put(3, request([span(1, 3)]));
  bucket.objects.set(`${HOUR_FOLDER}/minute=07/logs_a.json.gz`, gzipOf('{}'));
  bucket.objects.set('otlp/v1/of-others.json.gz', gzipOf(JSON.stringify(request([span(9, 9)]))));
  const before = keys();
  const summary = await run();
  assert.deepEqual([summary.tooYoung, summary.kept, summary.skipped, summary.written], [2, 1, 2, 0]);
  assert.deepEqual(keys(), before);
  assert.deepEqual(bucket.keys('spandrel-state/'), []);
});

test('compact: objects of others in a minute are taken; what cannot be read goes to the quarantine', async () => {
  const { bucket, put, run, keys, json } = world();
  const folder = `${HOUR_FOLDER}/minute=11`;
  put(1, request([span(1, 1)]));
  bucket.objects.set(
    `${folder}/traces_2024.json.gz`,
    gzipOf(JSON.stringify(request([span(2, 2)], 'collector'))),
  );
  bucket.objects.set(
    `${folder}/traces_cut.json.gz`,
    gzipOf(JSON.stringify(request([span(3, 3)]))).slice(0, 40),
  );
  bucket.objects.set(
    `${folder}/traces_no.json.gz`,
    gzipOf('{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":7}]}]}]}'),
  );
  bucket.objects.set(`${folder}/traces_big.json.gz`, new Uint8Array(70_000));
  const summary = await run({ maxObjectBytes: 65_536 });
  assert.deepEqual(summary.quarantined, { 'not-gzip': 1, 'not-otlp': 1, 'too-large': 1 });
  assert.equal(summary.compacted, 2);
  assert.deepEqual(keys().length, 2);
  assert.deepEqual(namesOf(json(keys().find((key) => key.includes('minute=59')) ?? '')).sort(), [
    'span 1',
    'span 2',
  ]);
  assert.ok(bucket.objects.has(`quarantine/not-gzip/${folder}/traces_cut.json.gz`));
  const again = await run({ maxObjectBytes: 65_536 });
  assert.deepEqual([again.written, again.quarantined], [0, {}]);
});

test('compact: what tells no time becomes one where it lies, an hour after it was stored', async () => {
  const { bucket, run, keys } = world();
  const folder = 'otlp/v1/shop/production/year=1970/month=01/day=01/hour=00/minute=00';
  for (const n of [1, 2])
    bucket.objects.set(`${folder}/traces_${n}.json.gz`, gzipOf(JSON.stringify(request([span(n, n)]))));
  const view = bucket.view();
  const list: typeof view.list = async (prefix, options) => {
    const page = await view.list(prefix, options);
    return { ...page, objects: page.objects.map((object) => ({ ...object, storedAtMillis: AT })) };
  };
  const storage = { ...view, list };
  assert.equal((await run({ storage }, AT + 30 * MINUTE)).tooYoung, 2);
  assert.equal((await run({ storage })).written, 1);
  assert.deepEqual(
    keys().map((key) => key.startsWith(`${folder}/`)),
    [true],
  );
});

test('compact: what comes late joins once it is an eighth, and an object that was put again goes', async () => {
  const { bucket, put, run, keys } = world();
  const many = (from: number): Json =>
    request(Array.from({ length: 300 }, (_, n) => span(from + n, from + n)));
  const first = put(1, many(1_000));
  put(2, many(2_000));
  await run();
  const [made = ''] = keys();
  put(3, request([span(1, 1)]));
  bucket.objects.set(first, gzipOf(JSON.stringify(many(1_000))));
  const late = await run();
  assert.deepEqual([late.leftOver, late.written], [1, 0]);
  assert.equal(keys().length, 2);
  assert.ok(keys().includes(made), 'a large object is not written again for a small one');
  put(4, many(4_000));
  const { spans } = await run();
  assert.equal(keys().length, 1);
  assert.equal(spans, 901);
});

test('compact: an hour that is too much for one object becomes several, cut in the order of time', async () => {
  for (const [limit, options] of [
    ['JSON', { maxInflatedBytes: 1_048_576 }],
    ['stored bytes', { maxObjectBytes: 600_000 }],
    ['objects', { maxObjects: 4 }],
  ] as const) {
    const { put, run, keys, json } = world();
    const spans = (n: number): Json[] =>
      Array.from({ length: 20 }, (_, k) =>
        span(n, n * 100 + k, attributes({ text: randomBytes(5_000).toString('hex') })),
      );
    // Each is 200 kB of JSON, and half as much where it is stored.
    for (let n = 0; n < 9; n += 1) put(n, request(spans(n)));
    const { written, kept } = await run(options);
    assert.deepEqual([written, kept, keys().length], [2, 1, 3], limit);
    const traces = keys().map(
      (key) => new Set(spansIn(json(key)).map((one: Json) => Number.parseInt(one.traceId, 16) - 1)),
    );
    assert.deepEqual(traces.map(({ size }) => size).sort(), [1, 4, 4]);
    for (const set of traces) assert.equal(Math.max(...set) - Math.min(...set), set.size - 1);
  }
});

test('compact: without the right to delete nothing is changed, and it says so', async () => {
  const { bucket, put, run } = world();
  put(1, request([span(1, 1)]));
  put(2, request([span(2, 2)]));
  const before = bucket.keys('otlp/');
  const storage = {
    ...bucket.view(),
    delete: () =>
      Promise.reject(
        new StorageError('the store answered DELETE with 403 AccessDenied', { httpStatus: 403 }),
      ),
  };
  const { ended, message, left } = await run({ storage });
  assert.equal(ended, 'store-failed');
  assert.match(
    message ?? '',
    /403 AccessDenied: this needs the right to delete what it replaces; nothing was changed/,
  );
  assert.equal(left, 2);
  assert.deepEqual(bucket.keys('otlp/'), before);
  assert.deepEqual(bucket.keys('spandrel-state/done/'), []);
});

test('compact: notes go once no page asks any more and their folder is empty', async () => {
  const { bucket, put, run } = world();
  put(1, request([span(1, 1)]));
  put(2, request([span(2, 2)]));
  await run();
  assert.equal(bucket.keys('spandrel-state/done/').length, 2);
  await run({}, AT + 7 * DAY);
  assert.equal(bucket.keys('spandrel-state/done/').length, 2);
  await run({}, AT + 10 * DAY);
  assert.deepEqual(bucket.keys('spandrel-state/'), []);
});

test('compact: minutes and days', async () => {
  for (const [period, folder] of [
    ['minute', 'hour=03/minute=01'],
    ['day', 'hour=23/minute=59'],
  ] as const) {
    const { put, run, keys } = world();
    put(1, request([span(1, 1)]), AT + MINUTE);
    put(2, request([span(2, 2)]), AT + MINUTE);
    await run({ period }, AT + 2 * DAY);
    assert.deepEqual(
      keys().map((key) => key.includes(`day=21/${folder}/`)),
      [true],
    );
  }
});

for (const [options, message] of [
  [{ period: 'week' }, /option "period" got "week"; it takes "minute", "hour" or "day"/],
  [{ retain: '14 days' }, /option "retain" got "14 days"; it takes "errors 90d, rest 14d"/],
  [{ hash: ['user.id'] }, /option "hashKey" got "0 characters"; it takes 16 characters or more/],
  [
    { prefix: 'spandrel-state/x' },
    /option "prefix" got "spandrel-state\/x"; it takes a place outside of statePrefix/,
  ],
  [{ concurrency: 0 }, /option "concurrency" got 0; it takes an integer from 1 to 100/],
  [{ storage: {} }, /option "storage" got .*; it takes s3\(\), r2\(\)/],
  [{ colour: 1 }, /compact\(\) has no option "colour"/],
] as const) {
  test(`compact: ${JSON.stringify(options)} is refused in words`, () => {
    const given = { storage: testBucket().view(), ...options } as unknown as CompactOptions;
    assert.throws(() => checkCompactOptions(given), message);
  });
}
