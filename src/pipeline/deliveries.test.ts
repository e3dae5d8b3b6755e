/** What `tee()` promises: each destination by itself, whatever another does. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Destination, OpenDestination } from '../destinations/destination.js';
import { tee } from '../destinations/tee.js';
import { assertLedger, testClient } from '../testing/client.js';
import { type Cloud, isExchange, isUpload } from '../testing/cloud.js';
import { testDestination } from '../testing/destination.js';
import { handMade } from '../testing/encoding.js';
import { testOrigin } from '../testing/origin.js';
import { settle, type TestPlatform, testPlatform } from '../testing/platform.js';
import { TraceExporter, type TraceExporterOptions } from '../trace-exporter.js';
import type { Outcome } from './model.js';

const FAILED: Outcome = { status: 'retryable', cause: 'planted' };
const hangs = (): Promise<never> => new Promise(() => {});
const rejects = async (): Promise<never> => assert.fail('planted');
const throws = (): never => assert.fail('planted');

function exporting(
  destinations: Destination[],
  options: Partial<TraceExporterOptions> = {},
): { platform: TestPlatform; exporter: TraceExporter; exportOne(name?: string): Promise<void> } {
  const platform = testPlatform();
  const destination = tee(...(destinations as [Destination, Destination]));
  const exporter = new TraceExporter({ destination, ...options }, platform);
  return {
    platform,
    exporter,
    async exportOne(name = 'work') {
      await new Promise((resolve) => exporter.export([handMade({ name })], resolve));
      assertLedger(exporter.stats());
      await settle();
      assertLedger(exporter.stats());
    },
  };
}

test('tee: each destination has an outcome, retries and back-off of its own', async () => {
  const [good, bad] = [testDestination('good'), testDestination('bad')];
  bad.outcome = FAILED;
  const { exporter, platform, exportOne } = exporting([good, bad]);
  for (const name of ['one', 'two', 'three']) await exportOne(name);
  const { spans, others } = exporter.stats();
  assert.deepEqual([spans.created, spans.stored, spans.waiting], [3, 3, 0]);
  assert.deepEqual(
    others.map((other) => [other.spans.created, other.spans.stored, other.spans.waiting]),
    [[3, 0, 3]],
  );
  assert.equal(bad.sends.length, 1, 'the others wait for the probe');
  bad.outcome = { status: 'stored' };
  await platform.advance(60_000);
  assert.equal(exporter.stats().others[0]?.spans.stored, 3);
  assert.deepEqual([good.sends.length, bad.sends.length], [3, 4]);
  assert.deepEqual(new Set(bad.stored), new Set(good.stored), 'the same objects');
  assertLedger(exporter.stats(), 3);
});

test('tee: what one changes on a blob is not seen by another, and the bytes are shared', async () => {
  const [a, b] = [testDestination('a'), testDestination('b')];
  a.outcome = async (blob) => {
    blob.claim ??= { key: 'of a', token: 't', tries: 1 };
    return FAILED;
  };
  b.outcome = FAILED;
  const { exportOne } = exporting([a, b]);
  await exportOne();
  const [mine, theirs] = [a.sends[0]?.blob, b.sends[0]?.blob];
  assert.ok(mine && theirs);
  assert.equal(mine.bytes, theirs.bytes);
  assert.equal(mine.claim?.key, 'of a');
  assert.equal(theirs.claim, undefined);
  assert.notEqual(mine.page, theirs.page, 'each is a page of its own to its server');
  assert.deepEqual([mine.seq, theirs.seq], [1, 1]);
  assert.equal(theirs.page, b.opened[0]?.page);
});

/** Ways of a destination to be of no use, and whether it says so by an exception that is counted. */
const USELESS: [string, Parameters<typeof testDestination>[1], isCounted: boolean][] = [
  ['a send that hangs', { send: hangs }, false],
  ['a send that rejects', { send: rejects }, false],
  ['a send that throws', { send: throws }, false],
  ['a send without an outcome', { send: (async () => undefined) as never }, false],
  ['an open that throws', { open: throws }, true],
  ['a ready that throws', { ready: throws, send: hangs }, true],
  ['a ready that says never', { ready: () => false, send: hangs }, false],
  ['a warmUp that throws', { warmUp: throws, send: hangs }, true],
  ['a settle that throws', { settle: throws, send: hangs }, true],
  ['a settle that rejects', { settle: rejects, send: hangs }, true],
  ['a settle that hangs', { settle: hangs, send: hangs }, false],
  ['a leave that throws', { leave: throws, send: hangs }, true],
  ['a close that throws', { close: throws, send: hangs }, true],
];

for (const [name, overrides, isCounted] of USELESS) {
  for (const isFirst of [true, false]) {
    test(`tee: ${name} (${isFirst ? 'the first' : 'the second'}) neither stops the other nor reaches the host`, async () => {
      const [good, bad] = [testDestination('good'), testDestination('bad', overrides)];
      const { exporter, platform, exportOne } = exporting(isFirst ? [bad, good] : [good, bad]);
      for (let count = 0; count < 6; count++) await exportOne(`span ${count}`);
      assert.equal(good.stored.length, 6);
      platform.page('hidden');
      platform.page('visible');
      await exportOne('later');
      platform.page('leaving');
      platform.page('visible');
      await settle();
      assert.equal(good.stored.length, 7);
      assertLedger(exporter.stats(), 7);

      const flushed = exporter.flush();
      await platform.advance(29_000);
      const [first, second] = [exporter.stats(), exporter.stats().others[0]].map(
        (stats) => stats?.spans.stored,
      );
      assert.deepEqual(isFirst ? [first, second] : [second, first], [0, 7]);
      await platform.advance(2_000);
      assert.equal(await flushed, 'waiting', 'the worst of both');

      const ended = exporter.shutdown();
      await platform.advance(60_000);
      await ended;
      assert.deepEqual(platform.loose, { timers: 0, listeners: 0 });
      assert.deepEqual([...platform.exceptions], []);
      const stats = exporter.stats();
      const [theirs, ours] = isFirst ? [stats, stats.others[0]] : [stats.others[0], stats];
      assert.deepEqual(theirs?.spans.dropped, { shutdown: 7 });
      assert.deepEqual(ours?.spans.dropped, {});
      assert.equal((theirs?.exceptions ?? 0) > 0, isCounted);
      assert.equal(ours?.exceptions, 0);
      assertLedger(stats, 7);
    });
  }
}

for (const name of ['remembered', 'reserve', 'unreserve', 'defer'] as const) {
  test(`tee: ${name} that throws is counted`, async () => {
    const bad = testDestination('bad', { [name]: throws } as Partial<OpenDestination>);
    const { openGuarded } = await import('./destination-guard.js');
    const { createDiagnostics } = await import('../diagnostics/diagnostics.js');
    const platform = testPlatform();
    const diagnostics = createDiagnostics(platform.now, platform.after);
    const deps = { diagnostics, platform } as never;
    const open = openGuarded(bad, deps);
    (open[name] as () => unknown)();
    assert.equal(diagnostics.totals.exceptions, 1);
    // Those that are optional may be absent.
    (openGuarded(testDestination('plain'), deps)[name] as () => unknown)();
    assert.equal(diagnostics.totals.exceptions, 1);
  });
}

test('tee: a destination may wake, pause and give rules while it is being opened', async () => {
  const rules: unknown[] = [];
  const eager = testDestination('eager', {
    open(deps) {
      deps.wake();
      deps.rules(['from it']);
      deps.remember('name', 1);
      deps.pause();
    },
  });
  const good = testDestination('good');
  const { exporter, exportOne } = exporting([good, eager]);
  exporter.onRules = (given) => void rules.push(given);
  await exportOne();
  assert.deepEqual(
    [exporter.stats().exceptions, exporter.stats().others[0]?.exceptions, exporter.stats().state],
    [0, 0, 'running'],
  );
  assert.deepEqual([good.stored.length, eager.sends.length], [1, 0]);
  assert.deepEqual(exporter.stats().others[0]?.spans.dropped, { paused: 1 });

  const alone = exporting([testDestination('a', { open: (deps) => deps.pause() }), eager]);
  assert.equal(alone.exporter.stats().state, 'paused', 'all of them');
});

for (const isFirst of [true, false]) {
  test(`tee: the kill switch of the ${isFirst ? 'first' : 'second'} stops it alone, and that of both stops all`, async () => {
    const [off, on] = [testDestination('off'), testDestination('on')];
    off.outcome = FAILED;
    const { exporter, exportOne, platform } = exporting(isFirst ? [off, on] : [on, off]);
    const ledgers = () => {
      const stats = exporter.stats();
      return isFirst ? [stats, stats.others[0]] : [stats.others[0], stats];
    };
    await exportOne('before');
    off.opened[0]?.pause();
    assertLedger(exporter.stats(), 1);
    assert.deepEqual(ledgers()[0]?.spans.dropped, { paused: 1 }, 'what waited');
    const { length } = off.calls;
    await exportOne('after');
    platform.page('hidden');
    await exportOne('hidden');
    platform.page('visible');
    await platform.advance(600_000);
    assert.equal(off.sends.length, 1, 'nothing more goes there');
    assert.deepEqual(off.calls.slice(length).includes('warmUp'), false, 'nor is it asked to get ready');
    assert.equal(on.stored.length, 3);
    assert.equal(exporter.stats().state, 'running');
    assert.deepEqual(ledgers()[0]?.spans.dropped, { paused: 3 });
    assert.equal(await exporter.flush(), 'lost', 'to one of them');

    on.opened[0]?.pause();
    assert.equal(exporter.stats().state, 'paused');
    await exportOne('too late');
    assert.equal(on.stored.length, 3);
    assertLedger(exporter.stats(), 4);
  });
}

test('tee: 401 and 403 of one endpoint do not keep the other waiting', async () => {
  for (const status of [401, 403]) {
    const { platform, clouds, endTrace, processor } = testClient({ tees: true, scheduledDelayMillis: 0 });
    const [first, second] = clouds as [Cloud, Cloud];
    platform.onRequest = (request) => {
      if (!first.owns(request)) void second.answer(request);
      else request.answer({ status });
    };
    endTrace(2);
    await platform.advance(60_000);
    assert.deepEqual([first.spanIds().length, second.spanIds().length], [0, 2]);
    assertLedger(processor.stats(), 2);
  }
});

test('tee: sampling rules are those of the first that gives any', async () => {
  const [a, b, c] = [testDestination('a'), testDestination('b'), testDestination('c')];
  const { exporter } = exporting([a, b, c]);
  const heard: unknown[] = [];
  exporter.onRules = (rules) => void heard.push(rules);
  for (const [from, rules] of [
    [c, 'c1'],
    [b, 'b1'],
    [c, 'c2'],
    [b, 'b2'],
    [a, 'a1'],
    [b, 'b3'],
  ] as const) {
    from.opened[0]?.rules(rules);
  }
  assert.deepEqual(heard, ['c1', 'b1', 'b2', 'a1']);
});

test('tee: to its endpoint each is a page with a ledger and numbered objects of its own', async () => {
  const { platform, clouds, endTrace, processor } = testClient({
    tees: true,
    served: true,
    maxTracesPerBlob: 1,
    scheduledDelayMillis: 0,
  });
  endTrace(2);
  endTrace(1);
  await platform.advance(30_000);
  await processor.forceFlush();
  const pages = clouds.map(({ exchanges, receipts }) => {
    const { page } = exchanges.at(-1) ?? {};
    assert.deepEqual(
      receipts.map(({ seq }) => seq),
      [1, 2],
    );
    assert.deepEqual([...new Set(receipts.map((receipt) => receipt.page))], [page?.id]);
    assert.equal(page?.sealed, 2);
    assert.equal(page?.created, 3);
    return page?.id;
  });
  assert.equal(new Set(pages).size, 2);
});

test('tee: a page that leaves sends the smallest first, whosever they are, and seals what fits twice', async () => {
  const noise = (length: number): string =>
    Buffer.from(testPlatform().randomBytes(length)).toString('base64').slice(0, length);
  const { platform, clouds, startSpan, processor } = testClient({ tees: true, maxTracesPerBlob: 1 });
  const sizes = (): [number, number][] =>
    platform.pending
      .filter(isUpload)
      .map((request): [number, number] => [
        clouds.findIndex((cloud) => cloud.owns(request)),
        (request.init.body as Uint8Array).length,
      ]);
  platform.onRequest = (request) => {
    if (isExchange(request)) void clouds.find((cloud) => cloud.owns(request))?.answer(request);
    else if (request.init.keepalive) return;
    else request.answer({ status: 503 });
  };
  for (const length of [24_000, 2_000, 12_000, 6_000]) startSpan(noise(length)).end();
  await platform.advance(10_000);
  for (const request of platform.pending.filter(isUpload)) request.answer({ status: 503 });
  await platform.advance(1_000);
  for (const request of platform.pending.filter(isUpload)) request.answer({ status: 503 });
  await settle();
  assert.deepEqual(sizes(), []);
  platform.page('leaving');
  const begun = sizes();
  assert.ok(begun.length >= 4);
  assert.deepEqual(
    begun.map(([at]) => at),
    begun.map((_, index) => index % 2),
    'in turn',
  );
  assert.deepEqual(
    begun.map(([, size]) => size),
    begun.map(([, size]) => size).sort((a, b) => a - b),
  );
  await settle();
  assertLedger(processor.stats(), 4);
});

test('tee: what is sealed as the page leaves is split so that each destination can have it', async () => {
  const noise = (seed: number): string =>
    Buffer.from(testPlatform({ seed }).randomBytes(5_250)).toString('base64');
  const { platform, clouds, startSpan } = testClient({ tees: true, poolSize: 20, poolReserve: 10 });
  for (const cloud of clouds) cloud.uploadLength = undefined;
  platform.onRequest = (request) =>
    void (isExchange(request) && clouds.find((cloud) => cloud.owns(request))?.answer(request));
  platform.takesBeacons = false;
  startSpan('first').end();
  await platform.advance(10_000);
  for (const request of platform.pending.filter(isUpload)) request.answer({ status: 200 });
  await settle();
  for (let seed = 1; seed <= 6; seed++) startSpan(noise(seed)).end();
  platform.page('leaving');
  const counts = clouds.map((cloud) => platform.pending.filter((r) => isUpload(r) && cloud.owns(r)).length);
  assert.ok(Math.min(...counts) >= 2, `${counts} uploads`);
  assert.equal(counts[0], counts[1]);
});

test('tee: flush ends within its time though one hangs, and says stored once both have everything', async () => {
  const [good, slow] = [testDestination('good'), testDestination('slow')];
  let release = (): void => {};
  slow.outcome = () =>
    new Promise((resolve) => {
      release = () => resolve({ status: 'stored' });
    });
  const { exporter, platform, exportOne } = exporting([good, slow], { flushTimeoutMillis: 1_000 });
  await exportOne();
  const first = exporter.flush();
  await platform.advance(1_000);
  assert.equal(await first, 'waiting');
  const second = exporter.flush();
  release();
  assert.equal(await second, 'stored');
  slow.outcome = { status: 'rejected', reason: 'rejected', cause: 'planted' };
  const third = exporter.flush();
  assert.equal(await third, 'stored', 'nothing is new');
  void exportOne('other');
  assert.equal(await exporter.flush(), 'lost');
  assert.deepEqual(exporter.stats().others[0]?.spans.dropped, { rejected: 1 });
  assert.deepEqual(exporter.stats().spans.dropped, {});
});

test('tee: losses before a blob count for the first alone, losses of blobs for whose they were', async () => {
  const [a, b] = [testDestination('a'), testDestination('b')];
  b.outcome = FAILED;
  const { exporter, exportOne } = exporting([a, b], {
    maxOutboxBlobs: 1,
    maxTracesPerBlob: 1,
    redact: ({ name }) => name !== 'secret',
  });
  for (const name of ['one', 'secret', 'two', 'three']) await exportOne(name);
  assert.deepEqual(exporter.stats().spans.dropped, { redacted: 1 });
  assert.deepEqual(exporter.stats().others[0]?.spans.dropped, { 'outbox-full': 2 });
  assert.equal(exporter.stats().others[0]?.spans.created, 3);
  assertLedger(exporter.stats(), 4);
});

test('tee: subscribers hear of what changes at the second, and the others have no more to say after shutdown', async () => {
  const [a, b] = [testDestination('a'), testDestination('b')];
  b.outcome = FAILED;
  const { exporter, platform, exportOne } = exporting([a, b]);
  const heard: (number | undefined)[] = [];
  exporter.subscribe((stats) => void heard.push(stats.others[0]?.spans.stored));
  await exportOne();
  await platform.advance(200);
  assert.equal(heard.at(-1), 0);
  b.outcome = { status: 'stored' };
  await platform.advance(10_000);
  assert.equal(heard.at(-1), 1);
  await exporter.shutdown();
  assert.deepEqual(
    exporter.stats().others.map(({ state, spans }) => [state, spans.waiting]),
    [['shut-down', 0]],
  );
});

for (const consent of ['pending', 'denied'] as const) {
  test(`tee: ${consent} ends both, and what each had lost and stored is still told once it is granted again`, async () => {
    const [a, b] = [testDestination('a'), testDestination('b')];
    b.outcome = FAILED;
    const { exporter, platform, exportOne } = exporting([a, b]);
    await exportOne('one');
    exporter.setConsent(consent);
    await settle();
    assertLedger(exporter.stats());
    assert.equal(exporter.stats().others[0]?.spans.dropped.consent, 1);
    assert.equal(exporter.stats().others[0]?.consent, consent);
    assert.ok(a.calls.includes('close') && b.calls.includes('close'));
    exporter.setConsent('granted');
    await settle();
    b.outcome = { status: 'stored' };
    await exportOne('two');
    await platform.advance(10_000);
    const { spans, others } = exporter.stats();
    assert.deepEqual([spans.created, spans.stored], [2, 2]);
    assert.equal(others.length, 1);
    assert.deepEqual(others[0]?.spans, {
      ...{ created: 2, adopted: 0, handedOver: 0, stored: 1, waiting: 0 },
      dropped: { consent: 1 },
    });
    assertLedger(exporter.stats(), 2);
  });
}

test('tee: what consent has closed lends no more gauges', async () => {
  const { exporter, platform } = testClient({ tees: true, served: true });
  exporter.pipeline.ask();
  await platform.advance(1_000);
  const ready = (): unknown[] => {
    const stats = exporter.stats();
    return [stats, ...stats.others].map(({ pool }) => pool.ready > 0);
  };
  assert.deepEqual(ready(), [true, true]);
  exporter.setConsent('pending');
  assert.deepEqual(ready(), [false, false]);
});

test('tee: one that was paused stays so when consent is given again', async () => {
  const [a, b] = [testDestination('a'), testDestination('b')];
  const { exporter, exportOne } = exporting([a, b]);
  b.opened[0]?.pause();
  exporter.setConsent('pending');
  exporter.setConsent('granted');
  await settle();
  await exportOne();
  assert.deepEqual([a.stored.length, b.sends.length], [1, 0]);
  assert.deepEqual(exporter.stats().others[0]?.spans.dropped, { paused: 1 });
});

test('tee: of a nested one every branch is told of', async () => {
  const [a, b, c] = [testDestination('a'), testDestination('b'), testDestination('c')];
  const { exporter, exportOne } = exporting([tee(a, b), c]);
  await exportOne();
  assert.deepEqual(
    [a, b, c].map(({ stored }) => stored.length),
    [1, 1, 1],
  );
  assert.equal(exporter.stats().others.length, 2);
});

test('delivery: what is handed over when consent is taken back has one place, though a flush was under way', async () => {
  const { platform, cloud, exporter, processor, endTrace } = testClient({
    origin: testOrigin(),
    maxOutboxAgeMillis: 60_000,
    flushTimeoutMillis: 1,
  });
  endTrace();
  void processor.forceFlush();
  await platform.advance(61_000);
  exporter.setConsent('pending');
  await platform.advance(1);
  for (const request of platform.pending) await cloud.answer(request);
  await settle();
  assertLedger(processor.stats(), 1);
  assert.equal(processor.stats().spans.handedOver, 1);
});
