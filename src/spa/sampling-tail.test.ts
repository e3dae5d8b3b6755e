import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertLedger } from '../testing/client.js';
import { testOrigin } from '../testing/origin.js';
import { settle } from '../testing/platform.js';
import { samplingClient } from '../testing/sampling.js';

const REASON = 'spandrel.sampling.reason';
const PROBABILITY = 'spandrel.sampling.probability';
const RULE_ID = 'spandrel.sampling.rule_id';
const NONE = { sampleRate: 0 };

const names = (spans: { name: string }[]): string[] => spans.map(({ name }) => name).sort();

test('tail: a trace that is not sampled waits in memory alone, and is forgotten whole', async () => {
  const origin = testOrigin();
  const { platform, startSpan, exporter, kept } = samplingClient(NONE, { origin });
  const root = startSpan('root');
  startSpan('child', root).end();
  await platform.advance(1_100);
  assert.equal(exporter.stats().sampling.undecided, 2);
  root.end();
  await platform.advance(499);
  assert.equal(exporter.stats().sampling.undecided, 2);
  await platform.advance(501);
  startSpan('late', root).end();
  await exporter.flush();
  const { sampling, spans, buffer } = exporter.stats();
  assert.deepEqual(kept, []);
  assert.equal(sampling.undecided, 0);
  assert.deepEqual([sampling.kept, sampling.dropped, sampling.droppedSpans], [0, 1, 3]);
  assert.deepEqual([spans.created, spans.waiting, buffer.open], [0, 0, 0]);
  assert.deepEqual(
    origin.keys().filter(([, , kind]) => kind === 'spans' || kind === 'blob'),
    [],
  );
});

test('tail: an error keeps all of its trace, before and after, with the reason on the first span', async () => {
  const origin = testOrigin();
  const { platform, cloud, startSpan, fail, exporter, kept } = samplingClient(NONE, { origin });
  const root = startSpan('root');
  startSpan('before', root).end();
  await platform.advance(1_000);
  assert.equal(exporter.stats().spans.created, 0);
  assert.deepEqual(origin.keys(), [], 'nothing is written down before it is kept');
  fail(root);
  assertLedger(exporter.stats(), 2);
  startSpan('after', root).end();
  root.end();
  await platform.advance(10_000);
  startSpan('late', root).end();
  await exporter.flush();
  assert.deepEqual(names(kept), ['after', 'before', 'fails', 'late', 'root']);
  assert.equal(cloud.spanIds().length, 5);
  assert.equal(root.attributes[REASON], 'error');
  // It was not kept by chance: for counting it stands for none.
  assert.equal(root.attributes[PROBABILITY], 0);
  const { sampling } = exporter.stats();
  assert.deepEqual([sampling.kept, sampling.dropped, sampling.undecided], [1, 0, 0]);
  assertLedger(exporter.stats(), 5);
});

test('tail: an error that is not to be kept is not; nor one whose root alone knows of it, until it ends', async () => {
  const off = samplingClient({ ...NONE, keepErrors: false });
  off.fail();
  await off.platform.advance(1_000);
  assert.equal(off.exporter.stats().sampling.dropped, 1);
  const on = samplingClient(NONE);
  const root = on.startSpan('root').setStatus({ code: 2 });
  on.startSpan('child', root).end();
  assert.deepEqual(on.kept, []);
  root.end();
  assert.deepEqual(names(on.kept), ['child', 'root']);
});

for (const [millis, isKept] of [
  [1_000, false],
  [1_001, true],
] as const) {
  test(`tail: ${millis} ms are ${isKept ? '' : 'not '}longer than 1,000`, async () => {
    const { platform, startSpan, kept } = samplingClient({ ...NONE, keepSlowerThanMillis: 1_000 });
    const root = startSpan('root');
    await platform.advance(millis);
    root.end(platform.now());
    await platform.advance(1_000);
    assert.equal(kept.length, Number(isKept));
    assert.equal(root.attributes[REASON], isKept ? 'slow' : undefined);
  });
}

test('tail: a function is told of each trace once, when it is over, and True alone keeps it', async () => {
  const asked: unknown[] = [];
  const answers = [true, false, undefined, 'yes', Promise.resolve(true)];
  const { platform, startSpan, fail, exporter, kept } = samplingClient({
    ...NONE,
    keepTrace(trace) {
      asked.push(trace);
      if (asked.length > answers.length) throw new Error('planted');
      return answers[asked.length - 1] as boolean;
    },
  });
  for (let index = 0; index <= answers.length; index++) {
    const root = startSpan(`root ${index}`, undefined, { index });
    startSpan('child', root).end(platform.now() + 200);
    root.end(platform.now() + 100);
    await platform.advance(1_000);
  }
  fail();
  await platform.advance(1_000);
  assert.equal(asked.length, answers.length + 1, 'an error is kept without being asked about');
  assert.deepEqual(asked[0], {
    traceId: kept[0]?.spanContext().traceId,
    name: 'root 0',
    attributes: { index: 0 },
    durationMillis: 200,
    spanCount: 2,
    error: false,
  });
  assert.deepEqual(names(kept), ['child', 'fails', 'root 0']);
  assert.equal(kept.find(({ name }) => name === 'root 0')?.attributes[REASON], 'function');
  assert.equal(exporter.stats().exceptions, 1);
});

test('tail: what a function does to its argument stays there, and what it traces meanwhile harms nothing', async () => {
  const client = samplingClient({
    ...NONE,
    keepTrace(trace) {
      (trace.attributes as Record<string, unknown>)['index'] = 7;
      if (trace.name === 'root') client.startSpan('of the function').end();
      return trace.name === 'root';
    },
  });
  client.startSpan('root', undefined, { index: 1 }).end();
  await client.platform.advance(2_000);
  assert.deepEqual(names(client.kept), ['root']);
  assert.equal(client.kept[0]?.attributes['index'], 1);
  assert.equal(client.exporter.stats().sampling.dropped, 1);
});

test('tail: after 30 s a trace is decided though it is open, and the rest follows', async () => {
  const { platform, startSpan, kept, exporter } = samplingClient({ ...NONE, keepSlowerThanMillis: 20_000 });
  const root = startSpan('root');
  startSpan('child', root).end();
  await platform.advance(29_000);
  assert.deepEqual(kept, []);
  await platform.advance(1_500);
  assert.deepEqual(names(kept), ['child']);
  assert.equal(root.attributes[REASON], 'slow');
  assert.equal(exporter.stats().buffer.open, 1);
  await platform.advance(20 * 60_000);
  root.end();
  await exporter.flush();
  assert.deepEqual(names(kept), ['child', 'root']);
});

test('tail: hidden decides what is over, and keeps what is known to be kept; the rest waits on', async () => {
  const { platform, startSpan, kept, exporter } = samplingClient({
    ...NONE,
    keepTrace: ({ name }) => name === 'over',
  });
  startSpan('over').end();
  const failing = startSpan('failing').setStatus({ code: 2 });
  const open = startSpan('open');
  platform.page('hidden');
  assert.deepEqual(names(kept), ['over']);
  assert.equal(exporter.stats().sampling.undecided, 2);
  failing.end();
  open.end();
  assert.deepEqual(names(kept), ['failing', 'over']);
});

test('tail: as the page leaves, open spans end children first, marked, and what is kept goes in the same task', async () => {
  const { platform, cloud, startSpan, kept, exporter } = samplingClient(NONE);
  const root = startSpan('root').setStatus({ code: 2 });
  const child = startSpan('child', root);
  startSpan('dropped');
  startSpan('throws').end = () => assert.fail('another processor');
  const requests = platform.requests.length + platform.beacons.length;
  platform.page('leaving');
  assert.deepEqual(
    kept.map(({ name, attributes }) => [name, attributes['spandrel.interrupted']]),
    [
      ['child', true],
      ['root', true],
    ],
  );
  assert.ok(platform.requests.length + platform.beacons.length > requests);
  assert.equal(child.isRecording(), false);
  assert.equal(exporter.stats().sampling.undecided, 0);
  await settle();
  assert.equal(cloud.spanIds().length, 2);
});

test('tail: memory is bounded: the oldest without errors go first, whole, counted', async () => {
  const { startSpan, fail, kept, exporter } = samplingClient(
    { ...NONE, keepErrors: false, keepTrace: () => true },
    { limits: { maxBufferedSpans: 512 } },
  );
  const failing = startSpan('failing');
  fail(failing);
  const first = startSpan('first');
  for (let index = 0; index < 600; index++) startSpan(`root ${index}`).end();
  const { sampling } = exporter.stats();
  assert.ok(sampling.undecided <= 512, String(sampling.undecided));
  assert.equal(sampling.crowdedOut, sampling.dropped);
  assert.ok(sampling.dropped >= 91 && sampling.dropped < 91 + 52, String(sampling.dropped));
  failing.end();
  first.end();
  await exporter.flush();
  assert.ok(names(kept).includes('fails'));
  assert.equal(names(kept).includes('root 142'), true);
  assert.equal(names(kept).includes('root 89'), false);
  assertLedger(exporter.stats());
});

test('tail: one trace that is larger than all the room is dropped whole', () => {
  const { startSpan, exporter } = samplingClient(NONE, { limits: { maxBufferedSpans: 512 } });
  const root = startSpan('root');
  for (let index = 0; index < 1_000; index++) startSpan('child', root).end();
  root.end();
  const { sampling } = exporter.stats();
  assert.deepEqual([sampling.undecided, sampling.dropped, sampling.droppedSpans], [0, 1, 1_001]);
});

test('tail: a rule that comes to match keeps the trace at once, by the same chance', async () => {
  const { platform, startSpan, sampling, kept } = samplingClient();
  sampling.rules([
    { id: 'half', match: { 'url.template': '/cart' }, rate: 0.5 },
    { id: 'all', match: { 'http.route': '/pay' }, rate: 1 },
  ]);
  const roots = Array.from({ length: 64 }, () => {
    const root = startSpan('click', undefined, { 'url.template': '/' });
    startSpan('before', root).end();
    root.setAttribute('url.template', '/cart').updateName('route /cart');
    return root;
  });
  const after = roots.map((root) => startSpan('after', root));
  assert.ok(kept.length > 16, 'as the next span starts');
  for (const span of after) span.end();
  const marked = roots.filter((root) => root.attributes[REASON]);
  const isWon = ({ traceId }: { traceId: string }): boolean =>
    Number(BigInt(`0x${traceId.slice(16)}`)) / 2 ** 64 < 0.5;
  assert.deepEqual(
    marked,
    roots.filter((root) => isWon(root.spanContext())),
  );
  assert.ok(marked.length > 16 && marked.length < 48);
  for (const { attributes } of marked) {
    assert.deepEqual(
      [attributes[REASON], attributes[RULE_ID], attributes[PROBABILITY]],
      ['marked', 'half', 0.5],
    );
  }
  const lost = roots.find((root) => !root.attributes[REASON]);
  lost?.setAttribute('http.route', '/pay').end();
  assert.ok(kept.includes(lost as never));
  assert.deepEqual([lost?.attributes[RULE_ID], lost?.attributes[PROBABILITY]], ['all', undefined]);
  for (const root of roots) root.end();
  await platform.advance(1_000);
  assert.equal(kept.length, (marked.length + 1) * 3);
});

test('tail: a sampled trace whose chance grew says so at its end', () => {
  const { startSpan, sampling, kept } = samplingClient();
  sampling.rules([
    { id: 1, match: { 'spandrel.activity.type': 'load' }, rate: 0.25 },
    { id: 2, match: { 'url.template': '/cart' }, rate: 0.5 },
    { id: 3, match: { 'http.route': '/pay' }, rate: 1 },
  ]);
  const load = { 'spandrel.activity.type': 'load' };
  const roots = Array.from({ length: 100 }, () => startSpan('load', undefined, load));
  const sampled = roots.filter((root) => root.spanContext().traceFlags);
  const [first, second, third] = sampled;
  assert.ok(first && second && third);
  second.setAttribute('url.template', '/cart');
  third.setAttribute('http.route', '/pay');
  for (const root of [first, second, third]) root.end();
  assert.deepEqual(
    kept.map(({ attributes }) => [attributes[RULE_ID], attributes[PROBABILITY]]),
    [
      [1, 0.25],
      [1, 0.5],
      [1, undefined],
    ],
  );
});

test('tail: a mark keeps the trace of any span, while there is something to keep', async () => {
  const { platform, startSpan, sampling, kept, exporter } = samplingClient(NONE);
  const root = startSpan('root');
  const child = startSpan('child', root);
  assert.equal(sampling.mark(child), true);
  assert.equal(sampling.mark(root), true);
  child.end();
  await platform.advance(10 * 60_000);
  root.end();
  await platform.advance(4 * 60_000);
  startSpan('late', root).end();
  await platform.advance(6 * 60_000);
  startSpan('too late', root).end();
  assert.deepEqual(names(kept), ['child', 'late', 'root']);
  assert.deepEqual([root.attributes[REASON], root.attributes[PROBABILITY]], ['marked', 0]);
  const dropped = startSpan('dropped');
  dropped.end();
  await platform.advance(1_000);
  assert.equal(sampling.mark(dropped), false);
  assert.equal(sampling.mark({} as never), false);
  assert.equal(exporter.stats().exceptions, 1);
  const sampled = samplingClient();
  assert.equal(sampled.sampling.mark(sampled.startSpan()), true);
});

test('tail: an activity of which nothing came leaves nothing', async () => {
  const { platform, startSpan, processor, exporter } = samplingClient(NONE);
  processor.discard(startSpan('click'));
  assert.equal(exporter.stats().sampling.undecided, 0);
  await platform.advance(60_000);
  const sampled = samplingClient();
  sampled.processor.discard(sampled.startSpan('click'));
  assert.equal(sampled.exporter.stats().buffer.open, 0);
  const { kept, dropped } = exporter.stats().sampling;
  assert.deepEqual([kept, dropped], [0, 0]);
});

test('tail: shutdown decides all, flushes what is kept, and leaves no timer', async () => {
  const { platform, cloud, startSpan, processor, kept, exporter } = samplingClient({
    ...NONE,
    keepTrace: () => true,
  });
  startSpan('over').end();
  startSpan('open');
  await processor.shutdown();
  assert.deepEqual(names(kept), ['over']);
  assert.equal(cloud.spanIds().length, 1);
  assert.deepEqual(platform.loose, { timers: 0, listeners: 0 });
  assert.equal(exporter.stats().sampling.undecided, 0);
  assert.equal(startSpan('after').isRecording(), false);
});
