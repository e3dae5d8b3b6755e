/** A user's functions in place of the endpoint: what they do, and what becomes of it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { context, createContextKey, ROOT_CONTEXT, SpanKind } from '@opentelemetry/api';
import { BasicTracerProvider, StackContextManager } from '@opentelemetry/sdk-trace-web';
import { bucket } from './bucket/bucket.js';
import type { Receipt, Want } from './bucket/endpoint.js';
import type { IssuedUpload } from './bucket/exchange.js';
import type { BucketFunctions } from './bucket/functions.js';
import { assertLedger } from './testing/client.js';
import { type TestOrigin, testOrigin } from './testing/origin.js';
import { settle, type TestPlatform, testPlatform, until } from './testing/platform.js';
import { TraceBatchProcessor } from './trace-batch-processor.js';
import { TraceExporter } from './trace-exporter.js';

type Issued = Omit<IssuedUpload, 'id'> & { id?: string };

/** A pool of URLs that knows nothing of ids: each writes an object of its own, once. */
function testPool() {
  let serial = 0;
  const objects = new Map<string, number>();
  const pool = {
    objects,
    expiresInMs: 900_000,
    issue: (count: number): Issued[] =>
      Array.from({ length: count }, () => {
        const key = `k${++serial}`;
        const url = `https://bucket.test/${key}`;
        return { method: 'PUT', url, headers: {}, key, expiresInMs: pool.expiresInMs };
      }),
    /** Stores once. @returns the status. */
    put(url: string): number {
      const key = new URL(url).pathname.slice(1);
      const before = objects.get(key) ?? 0;
      objects.set(key, before + 1);
      return before ? 412 : 200;
    },
  };
  return pool;
}

/** A page that sends by these functions, and whose bucket answers at once. */
function testPage(
  functions: BucketFunctions,
  {
    origin,
    seed = 1,
    nowMillis = 1_790_000_000_000,
  }: { origin?: TestOrigin; seed?: number; nowMillis?: number } = {},
) {
  const platform = testPlatform({ origin, seed, nowMillis });
  platform.onRequest = (request) => request.answer({ status: 200 });
  const exporter = new TraceExporter({ destination: bucket(functions) }, platform);
  const processor = new TraceBatchProcessor(exporter, { scheduledDelayMillis: 0 });
  const tracer = new BasicTracerProvider({ spanProcessors: [processor] }).getTracer('page');
  const work = (name = 'work', attributes = {}): void =>
    tracer.startSpan(name, { attributes }, ROOT_CONTEXT).end();
  return { platform, exporter, processor, tracer, work };
}

/** For each want its own upload, as an issuer that knows ids gives it. */
const issued = (wants: Want[]): Issued[] =>
  wants.map(({ id }) => ({
    ...{ id, method: 'PUT', url: `https://bucket.test/${id}`, headers: {}, expiresInMs: 900_000 },
  }));

test('own functions: an issuer is asked by id and length, once for each blob, and hears of what is stored', async () => {
  const asked: Want[] = [];
  const heard: Receipt[] = [];
  const { platform, exporter, processor, work } = testPage({
    async requestUploads({ wants }) {
      asked.push(...wants);
      return issued(wants);
    },
    async notify(receipts) {
      heard.push(...receipts);
    },
  });
  work();
  await platform.advance(2_000);
  assert.equal(exporter.stats().spans.stored, 1);
  assert.ok((asked[0]?.bytes ?? 0) > 0);
  await processor.forceFlush();
  assert.deepEqual(
    heard.map(({ id, spanCount, bytes }) => [id, spanCount, bytes]),
    [[asked[0]?.id, 1, asked[0]?.bytes]],
  );
  await platform.advance(200_000);
  assert.deepEqual([asked.length, heard.length], [1, 1], 'nothing is asked or said without need');
});

test('own functions: URLs that name no id take whichever blob comes next, and a leaving page has one at hand', async () => {
  const pool = testPool();
  const heard: Receipt[] = [];
  const { platform, exporter, processor, work } = testPage({
    requestUploads: async ({ spares }) => pool.issue(spares),
    async notify(receipts) {
      heard.push(...receipts);
    },
  });
  platform.onRequest = (request) => request.answer({ status: pool.put(request.url) });
  for (let blob = 0; blob < 3; blob++) {
    work(`work ${blob}`);
    await platform.advance(2_000);
  }
  work('last words');
  const before = platform.requests.length;
  platform.page('leaving');
  const [last, ...others] = platform.requests.slice(before);
  assert.equal(last?.init.keepalive, true);
  assert.deepEqual(others, []);
  assert.deepEqual([...pool.objects.values()], [1, 1, 1, 1]);
  platform.page('visible');
  await platform.advance(10_000);
  await processor.forceFlush();
  assert.equal(exporter.stats().spans.stored, 4);
  assert.deepEqual(heard.map(({ key }) => key).sort(), ['k1', 'k2', 'k3', 'k4']);
});

for (const [name, requestUploads] of [
  ['rejects', () => Promise.reject(new Error('planted'))],
  ['throws', () => assert.fail('planted')],
  ['throws nothing', () => Promise.reject()],
  ['never answers', () => new Promise<never>(() => {})],
  ['answers nothing', async () => undefined],
  ['answers with no list', async () => ({ length: 3 })],
  ['answers with garbage', async () => [null, 7, 'x', {}, { url: 'javascript:alert(1)' }]],
] as const) {
  test(`own functions: requestUploads that ${name} costs no span, and is asked later`, async () => {
    let isBroken = true;
    let asked = 0;
    const { platform, exporter, work } = testPage({
      requestUploads: (async ({ wants }: { wants: Want[] }) => {
        asked++;
        return isBroken ? requestUploads() : issued(wants);
      }) as BucketFunctions['requestUploads'],
    });
    work();
    await platform.advance(120_000);
    assert.ok(asked >= 2 && asked < 40, `asked ${asked} times in two minutes`);
    assert.equal(exporter.stats().spans.waiting, 1);
    isBroken = false;
    await platform.advance(400_000);
    assert.equal(exporter.stats().spans.stored, 1);
    assert.equal(exporter.stats().exceptions, 0);
    assert.deepEqual([...platform.exceptions], []);
    assertLedger(exporter.stats(), 1);
  });
}

const FUNCTIONS_OF_ITS_OWN: [string, () => unknown][] = [
  ['rejects', () => Promise.reject(new Error('planted'))],
  ['throws', () => assert.fail('planted')],
  ['never answers', () => new Promise(() => {})],
  ['throws nothing', () => Promise.reject()],
];
// F11 of the seed: whatever `notify` does, uploads go on.
for (const [name, fail] of FUNCTIONS_OF_ITS_OWN) {
  test(`own functions: a notify that ${name} stops no upload, and its receipts come until they are taken, each once`, async () => {
    let isBroken = true;
    const heard: string[] = [];
    const { platform, exporter, processor, work } = testPage({
      requestUploads: async ({ wants }) => issued(wants),
      notify(receipts) {
        if (isBroken) return fail() as Promise<void>;
        heard.push(...receipts.map(({ id }) => id));
        return Promise.resolve();
      },
    });
    for (let count = 1; count <= 20; count++) {
      work(`work ${count}`);
      await platform.advance(1_000);
      await until(() => exporter.stats().spans.stored === count);
    }
    await platform.advance(200_000);
    const { requests } = exporter.stats();
    assert.ok(requests.notifyFailures >= 2, String(requests.notifyFailures));
    assert.equal(requests.exchangeFailures, 0);
    isBroken = false;
    await platform.advance(31_000);
    await processor.forceFlush();
    assert.equal(new Set(heard).size, 20);
    assert.equal(heard.length, 20, 'each once');
    assertLedger(exporter.stats(), 20);
  });
}

test('own functions: a notify that returns nothing has heard', async () => {
  let heard = 0;
  const { platform, processor, work } = testPage({
    requestUploads: async ({ wants }) => issued(wants),
    notify: ((receipts: Receipt[]) => {
      heard += receipts.length;
    }) as never,
  });
  work();
  await platform.advance(2_000);
  await processor.forceFlush();
  await platform.advance(200_000);
  assert.equal(heard, 1);
});

test('own functions: a flush whose functions hang ends at its deadline, and shutdown ends the asking', async () => {
  let asked = 0;
  const { platform, processor, work } = testPage({
    requestUploads: () => {
      asked++;
      return new Promise(() => {});
    },
  });
  work();
  let done = 0;
  void processor.forceFlush().then(() => done++);
  await platform.advance(30_000);
  assert.equal(done, 1);
  void processor.shutdown().then(() => done++);
  await platform.advance(5_000);
  assert.equal(done, 2);
  const before = asked;
  await platform.advance(600_000);
  assert.equal(asked, before);
  assert.deepEqual(platform.loose, { timers: 0, listeners: 0 });
});

test('own functions: what they begin at once makes no spans, nor what they ask for by the fetch that they are handed', async () => {
  const manager = new StackContextManager().enable();
  context.setGlobalContextManager(manager);
  const SUPPRESS = createContextKey('OpenTelemetry SDK Context Key SUPPRESS_TRACING');
  const seen: unknown[] = [];
  try {
    const { platform, processor, work } = testPage({
      async requestUploads({ wants }, { fetch }) {
        seen.push(context.active().getValue(SUPPRESS));
        await (await fetch('https://app.test/uploads')).text();
        return issued(wants);
      },
      async notify(receipts, { fetch }) {
        seen.push(context.active().getValue(SUPPRESS));
        await fetch('https://app.test/notify', { method: 'POST', body: JSON.stringify(receipts) });
      },
    });
    work();
    await platform.advance(2_000);
    await processor.forceFlush();
    assert.deepEqual(seen, [true, true]);
    assert.deepEqual(
      platform.requests.map(({ url }) => url).filter((url) => url.includes('app.test')),
      ['https://app.test/uploads', 'https://app.test/notify'],
    );
  } finally {
    context.disable();
  }
});

/** What a pool that knows no ids says of a URL that is no more: it has others. */
for (const [name, answers, expected] of [
  ['was refused', [403], { stored: 1 }],
  ['may have stored it', [0], { rejected: 1 }],
] as const) {
  test(`own functions: a blob whose URL ${name} and is over goes under another name only if nothing can be under its own`, async () => {
    const pool = testPool();
    pool.expiresInMs = 20_000;
    const { platform, exporter, work } = testPage({
      requestUploads: async ({ spares }) => pool.issue(spares),
    });
    const fates: number[] = [...answers];
    platform.onRequest = (request) => {
      const status = fates.shift();
      if (status === 0) pool.put(request.url);
      request.answer({ status: status ?? pool.put(request.url) });
    };
    work();
    await platform.advance(1_000);
    await until(() => exporter.stats().requests.uploads > 0);
    // Asleep.
    platform.jump(0);
    fates.push(...Array.from({ length: 20 }, () => 403));
    await platform.advance(25_000);
    fates.length = 0;
    await platform.advance(300_000);
    const { stored, dropped } = exporter.stats().spans;
    assert.deepEqual({ ...(stored && { stored }), ...dropped }, expected);
    assert.equal(pool.objects.size, 1);
    assertLedger(exporter.stats(), 1);
  });
}

test('own functions: what a crashed page held a URL for and never sent is stored by the next, by another', async () => {
  const origin = testOrigin();
  const pool = testPool();
  const functions: BucketFunctions = { requestUploads: async ({ spares }) => pool.issue(spares) };
  const first = testPage(functions, { origin });
  const serve = (platform: TestPlatform): void => {
    platform.onRequest = (request) => request.answer({ status: pool.put(request.url) });
  };
  serve(first.platform);
  first.work();
  await first.platform.advance(2_000);
  first.work('last words');
  await first.platform.advance(300);
  first.platform.crash();
  const next = testPage(functions, { origin, seed: 50, nowMillis: first.platform.now() + 1_000 });
  serve(next.platform);
  await next.platform.advance(5_000);
  await until(() => next.exporter.stats().spans.stored === 1);
  assert.deepEqual([...pool.objects.values()], [1, 1]);
  assertLedger(next.exporter.stats(), 0);
});

for (const arrives of [true, false]) {
  test(`own functions: what went to a URL as the page left and ${arrives ? 'arrived' : 'was lost'} goes under no other name`, async () => {
    const origin = testOrigin();
    const pool = testPool();
    /** Renews by key, as an issuer that keeps its promise does. */
    const functions: BucketFunctions = {
      requestUploads: async ({ wants, spares }) => [
        ...pool.issue(spares),
        ...wants.flatMap(({ id, key }) =>
          key === undefined
            ? []
            : issued([{ id, bytes: 0 }]).map((one) => ({ ...one, key, url: `https://bucket.test/${key}` })),
        ),
      ],
    };
    const first = testPage(functions, { origin });
    first.platform.onRequest = (request) => request.answer({ status: pool.put(request.url) });
    first.work();
    await first.platform.advance(2_000);
    first.work('last words');
    first.platform.onRequest = (request) => void (arrives && pool.put(request.url));
    first.platform.page('leaving');
    await settle();
    first.platform.crash();
    const next = testPage(functions, { origin, seed: 50, nowMillis: first.platform.now() + 1_000 });
    next.platform.onRequest = (request) => request.answer({ status: pool.put(request.url) });
    await next.platform.advance(5_000);
    await until(() => next.exporter.stats().spans.stored === 1);
    assert.equal(pool.objects.size, 2);
    assert.deepEqual([...pool.objects.values()], [1, arrives ? 2 : 1]);
  });
}

/** A page that traces every request of its functions, as none of them can be told from the page's own. */
function loop(names: readonly string[] = ['POST']) {
  let asked = 0;
  const page = testPage({
    async requestUploads({ wants }) {
      asked++;
      for (const name of names) {
        page.platform.after(100, () =>
          page.tracer.startSpan(name, { kind: SpanKind.CLIENT }, ROOT_CONTEXT).end(),
        );
      }
      return issued(wants);
    },
  });
  /** Lets as much time pass as there is, in steps that let compressors work. */
  const pass = async (millis: number): Promise<void> => {
    for (let passed = 0; passed < millis; passed += 1_000) {
      await page.platform.advance(1_000);
      await settle();
    }
  };
  return { ...page, pass, asked: () => asked };
}

test('own functions: a page that is idle but for them falls silent, and what was held back is counted', async () => {
  const { exporter, work, pass, asked } = loop(['POST', 'GET']);
  work();
  await pass(30_000);
  const before = asked();
  assert.ok(before > 0 && before <= 3, String(before));
  await pass(120_000);
  assert.equal(asked(), before);
  assert.ok(exporter.stats().spans.waiting > 0);
  assertLedger(exporter.stats());
});

test('own functions: what was held back goes with what comes next', async () => {
  const { exporter, work, pass } = loop();
  work();
  await pass(60_000);
  const { stored } = exporter.stats().spans;
  assert.equal(exporter.stats().spans.waiting, 1);
  work('something else');
  await pass(2_000);
  assert.equal(exporter.stats().spans.stored, stored + 2);
});

for (const [name, act] of [
  ['the page hides', ({ platform }) => platform.page('hidden')],
  ['somebody flushes', ({ processor }) => void processor.forceFlush()],
] as [string, (world: ReturnType<typeof loop>) => void][]) {
  test(`own functions: what was held back goes when ${name}`, async () => {
    const world = loop();
    world.work();
    await world.pass(30_000);
    const { stored, waiting } = world.exporter.stats().spans;
    assert.equal(waiting, 1);
    act(world);
    await world.pass(10_000);
    assert.ok(world.exporter.stats().spans.stored > stored);
  });
}

test('own functions: what a user does is sent however often it is done', async () => {
  const { exporter, work, pass } = loop([]);
  for (let times = 1; times <= 5; times++) {
    work('click button', { 'spandrel.activity.type': 'interaction' });
    await pass(7_000);
    assert.equal(exporter.stats().spans.stored, times);
  }
});

test('own functions: an app that does the same again and again is held up for a minute at most', async () => {
  const { exporter, work, pass, asked } = loop([]);
  for (let times = 0; times < 30; times++) {
    work('poll');
    await pass(10_000);
  }
  const { stored } = exporter.stats().spans;
  assert.ok(stored >= 22 && asked() >= 4, `${stored} by ${asked()}`);
});
