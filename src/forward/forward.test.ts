import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StorageError } from '../server/storage.js';
import {
  gzipOf,
  type TestBucket,
  type TestSender,
  testBucket,
  testSender,
  traceKey,
} from '../testing/bucket.js';
import { runForward } from './forward.js';
import type { ForwardOptions } from './forward-options.js';
import { checkForwardOptions } from './forward-settings.js';
import { accountedFor, type ForwardSummary } from './summary.js';

const MINUTE = 60_000;
const NOW = Date.UTC(2026, 10, 21, 12, 35, 15);
const OLD = NOW - 10 * MINUTE;

interface Scene {
  bucket: TestBucket;
  sender: TestSender;
  waits: number[];
  /** Puts objects of one minute, and tells their keys. */
  fill(count: number, atMillis?: number, of?: { project?: string; environment?: string }): string[];
  run(options?: Partial<ForwardOptions>): Promise<ForwardSummary>;
}

function scene(sender = testSender(), bucket = testBucket()): Scene {
  const waits: number[] = [];
  let index = 0;
  return {
    ...{ bucket, sender, waits },
    fill(count, atMillis = OLD, of = {}) {
      return Array.from({ length: count }, () => {
        index += 1;
        const key = traceKey(atMillis + index, index, of);
        bucket.objects.set(key, gzipOf(`object ${index}`));
        return key;
      });
    },
    async run(options = {}) {
      const settings = checkForwardOptions({
        ...{ storage: bucket.view(), sender, after: 'delete', now: () => NOW },
        ...options,
      });
      const summary = await runForward(settings, async (millis) => void waits.push(millis));
      assert.equal(summary.listed, accountedFor(summary) + summary.left, 'every object is somewhere');
      return summary;
    },
  };
}

const traces = (bucket: TestBucket): string[] => bucket.keys('otlp/');
const state = (bucket: TestBucket, part = ''): string[] => bucket.keys(`spandrel-state/${part}`);

test('forward: sends what is there in the order of time, minute by minute, and deletes it', async () => {
  const { bucket, sender, fill, run } = scene();
  const later = fill(2, OLD + MINUTE);
  const earlier = fill(3, OLD);
  const summary = await run();
  assert.deepEqual(sender.batches, [earlier, later]);
  assert.deepEqual(traces(bucket), []);
  assert.equal(summary.ended, 'done');
  assert.equal(summary.sent, 5);
  assert.equal(summary.spans, 5);
  assert.equal(summary.left, 0);
  assert.deepEqual(state(bucket, 'leases/'), []);
});

test('forward: moves what was sent', async () => {
  const { bucket, fill, run } = scene();
  const [key = ''] = fill(1);
  await run({ after: 'move' });
  assert.deepEqual(traces(bucket), []);
  assert.deepEqual(bucket.objects.get(`forwarded/${key}`), gzipOf('object 1'));
});

test('forward: keeps what was sent, and does not send it again', async () => {
  const { bucket, sender, fill, run } = scene();
  const keys = fill(3);
  await run({ after: 'keep' });
  const again = await run({ after: 'keep' });
  assert.equal(again.alreadyDone, 3);
  assert.equal(sender.batches.length, 1);
  assert.deepEqual(traces(bucket), keys);
  const late = fill(1);
  assert.equal((await run({ after: 'keep' })).sent, 1);
  assert.deepEqual(sender.batches.at(-1), late);
});

test('forward: with keep, a pass over what is done takes no lease and lists notes by the page', async () => {
  const { bucket, fill, run } = scene();
  for (let minute = 0; minute < 20; minute += 1) fill(2, OLD - minute * MINUTE);
  await run({ after: 'keep' });
  const calls: string[] = [];
  const storage = bucket.view({ before: (method, key) => calls.push(`${method} ${key}`) });
  const summary = await run({ after: 'keep', storage });
  assert.equal(summary.alreadyDone, 40);
  assert.deepEqual(
    calls.filter((call) => call.startsWith('put')),
    [],
  );
  const lists = calls.filter((call) => call.startsWith('list'));
  // Leases, objects, notes, and two for what may be forgotten.
  assert.equal(lists.length, 5, lists.join('\n'));
});

test('forward: with keep, a minute of several pages that is done takes no lease either', async () => {
  const bucket = testBucket({ pageSize: 4 });
  const { fill, run } = scene(testSender(), bucket);
  fill(10);
  fill(10, OLD + MINUTE);
  await run({ after: 'keep', maxBatchObjects: 3 });
  const puts: string[] = [];
  const storage = bucket.view({ before: (method, key) => void (method === 'put' && puts.push(key)) });
  assert.equal((await run({ after: 'keep', storage })).alreadyDone, 20);
  assert.deepEqual(puts, []);
});

test('forward: with keep, looks back as far as it is told', async () => {
  const { fill, run, sender } = scene();
  fill(1, NOW - 61 * MINUTE);
  const [key] = fill(1, NOW - 59 * MINUTE);
  await run({ after: 'keep', lookBackMinutes: 60 });
  assert.deepEqual(sender.batches, [[key]]);
});

test('forward: takes what is there, the minute that is not over too, and what comes into it later', async () => {
  const { fill, run, sender } = scene();
  const keys = fill(2, NOW - 5_000);
  assert.equal((await run()).sent, 2);
  const [late = ''] = fill(1, NOW - 5_000);
  assert.equal((await run()).sent, 1);
  assert.deepEqual(sender.batches, [keys, [late]]);
});

test('forward: from and until cut by minutes, for each project, without listing what lies outside', async () => {
  const bucket = testBucket({ pageSize: 5 });
  const { fill, run, sender } = scene(testSender(), bucket);
  const wanted: string[] = [];
  for (const project of ['blog', 'shop']) {
    for (let minute = 0; minute < 40; minute += 1) {
      const keys = fill(1, OLD - minute * MINUTE, { project });
      if (minute >= 10 && minute < 12) wanted.push(...keys);
    }
  }
  let lists = 0;
  const storage = bucket.view({
    before: (method, key) => {
      if (method === 'list' && key === 'otlp/v1/') lists += 1;
    },
  });
  await run({ storage, from: OLD - 11 * MINUTE, until: new Date(OLD - 9 * MINUTE - 15_000) });
  assert.deepEqual(sender.batches.flat().sort(), wanted.sort());
  assert.ok(lists <= 6, `${lists} lists`);
});

test('forward: takes one project or one environment when told', async () => {
  const { fill, run, sender } = scene();
  fill(1, OLD, { project: 'blog' });
  const [shop] = fill(1, OLD, { project: 'shop' });
  const [staging] = fill(1, OLD, { project: 'shop', environment: 'staging' });
  await run({ project: 'shop', environment: 'production', after: 'keep' });
  await run({ environment: 'staging', after: 'keep' });
  assert.deepEqual(sender.batches, [[shop], [staging]]);
});

test('forward: what the sender refuses is in quarantine with the reason, and gone from its place', async () => {
  for (const after of ['delete', 'move', 'keep'] as const) {
    const bad = testSender(({ key }) =>
      key.startsWith('otlp/v1/shop/')
        ? { status: 'quarantine', reason: 'not-json', message: 'at byte 3' }
        : {},
    );
    const { bucket, fill, run } = scene(bad);
    const [key = ''] = fill(1);
    const summary = await run({ after });
    assert.deepEqual(summary.quarantined, { 'not-json': 1 });
    assert.deepEqual(traces(bucket), []);
    assert.deepEqual(bucket.objects.get(`quarantine/not-json/${key}`), gzipOf('object 1'));
    assert.deepEqual(JSON.parse(bucket.text(`quarantine/not-json/${key}.reason.json`)), {
      ...{ reason: 'not-json', message: 'at byte 3', key, size: gzipOf('object 1').length },
      at: new Date(NOW).toISOString(),
    });
  }
});

test('forward: a listed giant is not read; it stays, with a record, and is not looked at again', async () => {
  const { bucket, sender, run, fill } = scene();
  const [key = ''] = fill(1);
  bucket.objects.set(key, new Uint8Array(5_000));
  const gets: string[] = [];
  const storage = bucket.view({ before: (method, name) => void (method === 'get' && gets.push(name)) });
  const summary = await run({ storage, maxObjectBytes: 4_096 });
  assert.deepEqual(summary.quarantined, { 'too-large': 1 });
  assert.ok(!gets.includes(key));
  assert.deepEqual(traces(bucket), [key]);
  assert.deepEqual(bucket.keys('quarantine/'), [`quarantine/too-large/${key}.reason.json`]);
  assert.equal((await run({ maxObjectBytes: 4_096 })).alreadyDone, 1);
  assert.deepEqual(sender.batches, []);
  assert.deepEqual(traces(bucket), [key]);
});

test('forward: an object that is larger than listed is put aside the same way', async () => {
  const { bucket, run, fill } = scene();
  const [key = ''] = fill(1);
  const real = bucket.view();
  bucket.objects.set(key, new Uint8Array(5_000));
  const storage = {
    ...real,
    list: async (...args: Parameters<typeof real.list>) => {
      const page = await real.list(...args);
      return { ...page, objects: page.objects.map((object) => ({ ...object, size: 1 })) };
    },
  };
  assert.deepEqual((await run({ storage, maxObjectBytes: 4_096 })).quarantined, { 'too-large': 1 });
});

test('forward: holds no more than a batch, also where the store lies about lengths', async () => {
  const { bucket, fill, run } = scene();
  for (const key of fill(40)) bucket.objects.set(key, new Uint8Array(10_000));
  const real = bucket.view();
  let held = 0;
  let most = 0;
  const storage = {
    ...real,
    list: async (...args: Parameters<typeof real.list>) => {
      const page = await real.list(...args);
      return { ...page, objects: page.objects.map((object) => ({ ...object, size: 1 })) };
    },
    get: async (...args: Parameters<typeof real.get>) => {
      const bytes = await real.get(...args);
      held += bytes?.length ?? 0;
      most = Math.max(most, held);
      return bytes;
    },
  };
  const sender = testSender();
  const counted: typeof sender = {
    ...sender,
    async send(objects) {
      held = 0;
      return sender.send(objects);
    },
  };
  const summary = await run({ storage, sender: counted, maxBatchBytes: 65_536, concurrency: 2 });
  assert.equal(summary.sent, 40);
  assert.ok(most <= 65_536 + 2 * 10_000, `${most} bytes`);
});

test('forward: batches hold so many objects and bytes at most', async () => {
  const { fill, run, sender, bucket } = scene();
  const keys = fill(10);
  for (const key of keys) bucket.objects.set(key, new Uint8Array(30_000));
  await run({ maxBatchObjects: 3, after: 'keep' });
  assert.deepEqual(
    sender.batches.map(({ length }) => length),
    [3, 3, 3, 1],
  );
  sender.batches.length = 0;
  await run({ maxBatchBytes: 65_536, after: 'delete', statePrefix: 'other' });
  assert.deepEqual(
    sender.batches.map(({ length }) => length),
    [2, 2, 2, 2, 2],
  );
});

test('forward: a minute larger than a page of the listing is one lease', async () => {
  const bucket = testBucket({ pageSize: 4 });
  const { fill, run, sender } = scene(testSender(), bucket);
  const keys = fill(10);
  const puts: string[] = [];
  const storage = bucket.view({ before: (method, key) => void (method === 'put' && puts.push(key)) });
  await run({ storage });
  assert.deepEqual(sender.batches.flat(), keys);
  assert.equal(puts.filter((key) => key.includes('/leases/')).length, 1);
});

test('forward: a minute that another has is left to it', async () => {
  const { fill, run, sender, bucket } = scene();
  fill(2);
  let other: ForwardSummary | undefined;
  const storage = bucket.view();
  const slow: typeof sender = {
    ...sender,
    async send(objects) {
      other = await run();
      return sender.send(objects);
    },
  };
  const summary = await run({ storage, sender: slow });
  assert.equal(other?.busy, 2);
  assert.equal(summary.sent, 2);
  assert.equal(sender.batches.length, 1);
});

test('forward: an object that is put again after it was forwarded is deleted, not sent', async () => {
  const { fill, run, sender, bucket } = scene();
  const [key = ''] = fill(1);
  await run();
  bucket.objects.set(key, gzipOf('object 1'));
  const summary = await run();
  assert.equal(summary.alreadyDone, 1);
  assert.deepEqual(traces(bucket), []);
  assert.equal(sender.batches.length, 1);
});

test('forward: what vanishes is counted', async () => {
  const { fill, run, bucket } = scene();
  const [, gone = ''] = fill(2);
  const storage = bucket.view({
    before: (method, key) => void (method === 'get' && key === gone && bucket.objects.delete(gone)),
  });
  const summary = await run({ storage });
  assert.equal(summary.vanished, 1);
  assert.equal(summary.sent, 1);
});

test('forward: odd keys are forwarded, or left and counted', async () => {
  const { run, sender, bucket } = scene();
  const long = `otlp/v1/${'x'.repeat(1_024 - 16)}.json.gz`;
  const taken = [
    'otlp/v1/a b/100%/c+d&e.json.gz',
    'otlp/v1/ünï/\u{1f600}\n.json.gz',
    'otlp/v1/plain.json.gz',
    long,
    `otlp/v1/${'y/'.repeat(400)}z.json.gz`,
  ];
  const left = [
    'otlp/v1/folder/',
    'otlp/v1/readme.txt',
    'otlp/v1/metrics_01.json.gz',
    'otlp/v1/a/../b.json.gz',
    'otlp/v10/not-ours.json.gz',
  ];
  for (const key of [...taken, ...left]) bucket.objects.set(key, gzipOf(key));
  // As `s3()` does with what no URL can hold.
  const storage = bucket.view({
    before: (method, key) => {
      if (method === 'get' && key.includes('..')) throw new StorageError('no', { httpStatus: 400 });
    },
  });
  const summary = await run({ storage });
  assert.deepEqual(sender.batches.flat().sort(), taken.sort());
  assert.equal(summary.skipped, 4);
  assert.deepEqual(traces(bucket).sort(), left.sort());
  assert.equal(summary.ended, 'done');
});

test('forward: the longest keys go to quarantine under another name, and the record tells theirs', async () => {
  const { run, bucket } = scene(testSender(() => ({ status: 'quarantine', reason: 'not-gzip' })));
  const key = `otlp/v1/${'x'.repeat(1_024 - 16)}.json.gz`;
  bucket.objects.set(key, gzipOf('x'));
  await run();
  const [bytes = '', record = ''] = bucket.keys('quarantine/');
  assert.equal(record, `${bytes}.reason.json`);
  assert.deepEqual(bucket.objects.get(bytes), gzipOf('x'));
  assert.equal(JSON.parse(bucket.text(record)).key, key);
});

test('forward: a passing trouble of the store is waited for, a lasting one ends the pass', async () => {
  const { fill, run, bucket, waits } = scene();
  fill(3);
  let failures = 3;
  const flaky = bucket.view({
    before: () => {
      if (failures-- > 0) throw new StorageError('the store answered GET with 503', { httpStatus: 503 });
    },
  });
  assert.equal((await run({ storage: flaky })).sent, 3);
  assert.equal(waits.length, 3);
  fill(3);
  const down = bucket.view({
    before: (method) => {
      if (method === 'get') throw new StorageError('the store answered GET with 403', { httpStatus: 403 });
    },
  });
  const summary = await run({ storage: down });
  assert.equal(summary.ended, 'store-failed');
  assert.equal(summary.message, 'the store answered GET with 403');
  assert.equal(summary.left, 3);
  assert.equal(traces(bucket).length, 3);
});

test('forward: waits for a backend that asks for patience, and ends when it asks for too much', async () => {
  let tries = 0;
  const busy = testSender(
    () => (tries < 2 ? { status: 'retry', message: 'the backend answered 429' } : {}),
    () => (tries++ < 2 ? 5_000 : undefined),
  );
  const { fill, run, waits, bucket } = scene(busy);
  fill(2);
  assert.equal((await run()).sent, 2);
  assert.deepEqual(waits, [5_000, 5_000]);
  tries = -1_000;
  fill(2);
  const summary = await run({ maxWaitMillis: 12_000 });
  assert.equal(summary.ended, 'backend-busy');
  assert.equal(summary.retryAfterMillis, 5_000);
  assert.equal(summary.message, 'the backend answered 429');
  assert.equal(summary.left, 2);
  assert.equal(traces(bucket).length, 2);
  assert.deepEqual(state(bucket, 'leases/'), []);
});

test('forward: a backend that takes nothing and names no time ends the pass at once', async () => {
  const { fill, run, sender } = scene(
    testSender(() => ({ status: 'retry', message: 'the backend answered 401' })),
  );
  fill(2);
  fill(2, OLD + MINUTE);
  const summary = await run();
  assert.equal(summary.ended, 'backend-failed');
  assert.equal(summary.message, 'the backend answered 401');
  assert.equal(summary.left, 2);
  assert.equal(sender.batches.length, 1);
});

test('forward: what was taken of a batch is done, though the rest was not', async () => {
  const { fill, run, bucket } = scene(testSender(({ key }) => (key === bad ? { status: 'retry' } : {})));
  const [bad = '', good = ''] = fill(2);
  const summary = await run();
  assert.equal(summary.sent, 1);
  assert.deepEqual(traces(bucket), [bad]);
  assert.ok(!traces(bucket).includes(good));
});

test('forward: a sender that breaks its promise loses nothing', async () => {
  const { fill, run, bucket } = scene();
  const keys = fill(2);
  const summary = await run({ sender: { send: () => Promise.reject(new Error('boom')) } });
  assert.equal(summary.ended, 'backend-failed');
  assert.deepEqual(traces(bucket), keys);
});

test('forward: ends at the signal, with nothing half done and the lease let go', async () => {
  const { fill, run, bucket, sender } = scene();
  fill(6);
  const controller = new AbortController();
  const stopping: typeof sender = {
    ...sender,
    send(objects) {
      controller.abort();
      return sender.send(objects);
    },
  };
  const summary = await run({ sender: stopping, signal: controller.signal, maxBatchObjects: 2 });
  assert.equal(summary.ended, 'aborted');
  assert.equal(summary.sent, 2);
  assert.equal(summary.left, 4);
  assert.equal(traces(bucket).length, 4);
  assert.deepEqual(state(bucket, 'leases/'), []);
});

test('forward: at the signal, lets the lease go and does nothing else', async () => {
  const { fill, run, bucket, sender } = scene();
  fill(30);
  const controller = new AbortController();
  const late: string[] = [];
  const storage = bucket.view({
    before: (method, key) => void (controller.signal.aborted && late.push(`${method} ${key.split('/')[1]}`)),
  });
  const stopping: typeof sender = {
    ...sender,
    send(objects) {
      if (sender.batches.length === 11) controller.abort();
      return sender.send(objects);
    },
  };
  await run({ storage, sender: stopping, signal: controller.signal, maxBatchObjects: 1 });
  assert.deepEqual(late, ['put done', 'delete v1', 'delete leases']);
});

test('forward: many notes of one minute become few, and say the same', async () => {
  const { fill, run, bucket, sender } = scene();
  fill(40);
  await run({ maxBatchObjects: 2, after: 'keep' });
  assert.equal(state(bucket, 'done/').length, 1);
  assert.equal((await run({ after: 'keep' })).alreadyDone, 40);
  assert.equal(sender.batches.length, 20);
});

test('forward: forgets after some days, with keep only what is no longer there', async () => {
  const { fill, run, bucket } = scene();
  const [old = ''] = fill(1, NOW - 9 * 86_400_000);
  fill(1);
  await run({ after: 'keep', from: 0 });
  assert.equal(state(bucket, 'done/').length, 2);
  bucket.objects.delete(old);
  await run({ after: 'keep' });
  assert.equal(state(bucket, 'done/').length, 1);
  await run({ now: () => NOW + 9 * 86_400_000 });
  assert.equal(state(bucket, 'done/').length, 0);
});

test('forward: tells of its progress, and an error in that costs nothing', async () => {
  const { fill, run } = scene();
  fill(4);
  const seen: number[] = [];
  const summary = await run({
    maxBatchObjects: 2,
    onProgress: ({ sent }) => {
      seen.push(sent);
      throw new Error('of the caller');
    },
  });
  assert.deepEqual(seen, [2, 4, 4]);
  assert.equal(summary.ended, 'done');
});

test('forward: options that cannot be are refused by name', () => {
  const good: ForwardOptions = { storage: testBucket().view(), sender: testSender(), after: 'delete' };
  const bad: [
    Partial<Record<keyof ForwardOptions | 'mergeWindow' | 'mergeWindowMillis', unknown>>,
    RegExp,
  ][] = [
    [{ storage: undefined }, /option "storage" got undefined; it takes s3\(\)/],
    [{ sender: {} }, /option "sender" got a value of type object; it takes createBatchSender/],
    [{ sender: undefined }, /option "sender" got undefined; it takes .* in its place, "to"/],
    [{ to: { url: 'http://localhost:4318' } }, /option "sender" got a value/],
    [{ sender: { notify() {} } }, /option "sender" got .* or an object with send/],
    [{ after: 'drop' }, /option "after" got "drop"; it takes "delete", "move" or "keep"/],
    [{ prefix: 'a//b' }, /option "prefix" got "a\/\/b"; it takes key segments/],
    [{ quarantinePrefix: 'otlp/v1/bad' }, /option "quarantinePrefix" got .* a place outside of prefix/],
    [{ statePrefix: 'otlp' }, /option "prefix" got .* a place outside of statePrefix/],
    [{ maxBatchObjects: 0 }, /option "maxBatchObjects" got 0; it takes an integer from 1 to 10000/],
    [{ from: new Date('nonsense') }, /option "from" got .*; it takes a date/],
    [{ project: 'a/b' }, /option "project" got "a\/b"; it takes one key segment/],
    [{ onProgress: 7 }, /option "onProgress" got 7; it takes a function/],
    [{ leases: 'no' }, /option "leases" got "no"; it takes true or false/],
    [{ mergeWindow: 3 }, /forward\(\) has no option "mergeWindow"; it takes storage, /],
    [
      { mergeWindowMillis: 0 },
      /forward\(\) has the option "mergeWindowMillis" no more: .*compact\(\) puts the parts of a trace together/,
    ],
  ];
  checkForwardOptions(good);
  for (const [options, message] of bad) {
    assert.throws(() => checkForwardOptions({ ...good, ...options } as ForwardOptions), message);
  }
});
