import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { StorageError } from '../server/storage.js';
import { gzipOf, type TestBucket, testBucket, traceKey } from '../testing/bucket.js';
import { type Json, request, span, spansIn, traceId } from '../testing/forward.js';
import { runCompact } from './compact.js';
import { checkCompactOptions } from './compact-settings.js';
import { type EraseOptions, erase } from './erase.js';

const AT = Date.UTC(2026, 10, 21, 3);
const NOW = AT + 7_200_000;

const attributes = (key: string, stringValue: string): Json => ({
  attributes: [{ key, value: { stringValue } }],
});
const namesIn = (bucket: TestBucket): string[] =>
  bucket
    .keys('otlp/')
    .flatMap((key) => spansIn(JSON.parse(gunzipSync(bucket.objects.get(key) ?? '').toString())))
    .map(({ name }) => name)
    .sort();

/** Session s1 has traces 1 and 2, of which a server has a part; session s2 has trace 3. */
function filled(): TestBucket {
  const bucket = testBucket();
  const all = [
    request([span(1, 1, attributes('session.id', 's1')), span(3, 3, attributes('session.id', 's2'))]),
    request([span(1, 11)], 'api'),
    request([span(2, 2, attributes('session.id', 's1'))]),
    request([span(4, 4, attributes('user.id', 'u-42'))]),
  ];
  for (const [index, json] of all.entries()) {
    bucket.objects.set(traceKey(AT + index * 1_000_000, index), gzipOf(JSON.stringify(json)));
  }
  return bucket;
}

const eraseIn = (bucket: TestBucket, options: Partial<EraseOptions>) =>
  erase({ storage: bucket.view(), now: () => NOW, ...options });
const compactIn = (bucket: TestBucket, nowMillis = NOW) =>
  runCompact(checkCompactOptions({ storage: bucket.view(), now: () => nowMillis }), async () => undefined);

for (const isCompacted of [false, true]) {
  const where = isCompacted ? 'compacted objects' : 'objects';
  test(`erase: a session goes from ${where}, with what servers said of its traces`, async () => {
    const bucket = filled();
    if (isCompacted) await compactIn(bucket);
    const plan = await eraseIn(bucket, { sessions: ['s1'], dryRun: true });
    assert.deepEqual([plan.spans, plan.traces, plan.rewritten], [3, 2, 0]);
    const summary = await eraseIn(bucket, { sessions: ['s1'] });
    assert.deepEqual([summary.ended, summary.spans, summary.traces], ['done', 3, 2]);
    assert.deepEqual([summary.rewritten, summary.deleted], isCompacted ? [1, 0] : [1, 2]);
    assert.deepEqual(namesIn(bucket), ['span 3', 'span 4']);
    const again = await eraseIn(bucket, { sessions: ['s1'] });
    assert.deepEqual([again.spans, again.rewritten], [0, 0]);
  });
}

test('erase: users, and traces by their ids in any case', async () => {
  const bucket = filled();
  await eraseIn(bucket, { users: ['u-42'], traces: [traceId(3).toUpperCase()] });
  assert.deepEqual(namesIn(bucket), ['span 1', 'span 11', 'span 2']);
});

test('erase: an object that a page puts again goes at the next compaction', async () => {
  const bucket = filled();
  const [first = ''] = bucket.keys('otlp/');
  const bytes = bucket.objects.get(first) ?? new Uint8Array();
  await eraseIn(bucket, { sessions: ['s1'] });
  bucket.objects.set(first, bytes);
  await compactIn(bucket);
  assert.deepEqual(namesIn(bucket), ['span 3', 'span 4']);
});

test('erase: killed at each of its steps nothing else is lost, and the next ends it', async () => {
  let steps = 0;
  for (let diesAt = 1; diesAt <= steps + 1; diesAt += 1) {
    const bucket = filled();
    let count = 0;
    const storage = bucket.view({
      after: () => {
        count += 1;
        if (count >= diesAt) throw new StorageError('killed', { httpStatus: 400 });
      },
    });
    await erase({ storage, now: () => NOW, sessions: ['s1'] });
    steps = Math.max(steps, count);
    const half = new Set(namesIn(bucket));
    for (const name of ['span 3', 'span 4']) assert.ok(half.has(name), `${name} is lost at ${diesAt}`);
    // The leases of the dead have run out by then.
    const later = NOW + 1_000_000;
    const { ended } = await erase({ storage: bucket.view(), now: () => later, sessions: ['s1'] });
    assert.equal(ended, 'done');
    await compactIn(bucket, later);
    assert.deepEqual(namesIn(bucket), ['span 3', 'span 4'], `killed at ${diesAt}`);
    assert.deepEqual(bucket.keys('spandrel-state/erase/'), []);
    if (diesAt > 80) break;
  }
});

test('erase: what it cannot read it says, and what it takes', async () => {
  const bucket = filled();
  bucket.objects.set(traceKey(AT, 99), gzipOf('no JSON'));
  assert.equal((await eraseIn(bucket, { sessions: ['s1'] })).unreadable, 1);
  await assert.rejects(eraseIn(bucket, {}), /at least one value, of sessions, users or traces/);
  await assert.rejects(eraseIn(bucket, { traces: ['12'] }), /option "traces" got "12"; it takes ids of 32/);
  await assert.rejects(eraseIn(bucket, { users: 'u' as unknown as string[] }), /option "users" got "u"/);
});
