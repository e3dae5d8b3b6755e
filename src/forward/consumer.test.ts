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
import { type ConsumerOptions, forwardConsumer, type QueueMessage } from './consumer.js';
import { objectsOf } from './queue-message.js';

const NOW = Date.UTC(2026, 10, 21, 3, 4, 5);

/** As S3 sends it: keys are encoded as in a form. */
const s3Event = (...objects: { key: string; size?: number }[]) => ({
  Records: objects.map(({ key, size }) => ({
    eventName: 'ObjectCreated:Put',
    s3: { object: { key: new URLSearchParams({ key }).toString().slice('key='.length), size } },
  })),
});

/** A message that notes what is done with it. */
interface TestMessage extends QueueMessage {
  outcome: 'ack' | { retry: number | undefined } | undefined;
}

function messageOf(body: unknown, attempts = 1): TestMessage {
  const message: TestMessage = {
    ...{ body, attempts, outcome: undefined },
    ack: () => {
      message.outcome = 'ack';
    },
    retry: (options) => {
      message.outcome = { retry: options?.delaySeconds };
    },
  };
  return message;
}

/** As R2 writes them. */
const landed = (key: string, size = 10, action = 'PutObject') => ({
  ...{ account: 'a', bucket: 'traces', action, eventTime: '2026-11-21T03:04:05.000Z' },
  object: { key, size, eTag: '0123' },
});

interface Scene {
  bucket: TestBucket;
  sender: TestSender;
  errors: unknown[];
  put(count: number, atMillis?: number): string[];
  queue(
    bodies: unknown[],
    options?: Partial<ConsumerOptions>,
    attempts?: number,
  ): Promise<TestMessage['outcome'][]>;
}

function scene(sender = testSender()): Scene {
  const bucket = testBucket();
  const errors: unknown[] = [];
  let index = 0;
  return {
    ...{ bucket, sender, errors },
    put: (count, atMillis = NOW) =>
      Array.from({ length: count }, () => {
        index += 1;
        const key = traceKey(atMillis, index);
        bucket.objects.set(key, gzipOf(`object ${index}`));
        return key;
      }),
    async queue(bodies, options = {}, attempts = 1) {
      const consumer = forwardConsumer(() => ({
        ...{ storage: bucket.view(), sender, after: 'delete', now: () => NOW },
        onError: (error) => errors.push(error),
        ...options,
      }));
      const messages = bodies.map((body) => messageOf(body, attempts));
      await consumer.queue({ messages }, {});
      return messages.map(({ outcome }) => outcome);
    },
  };
}

test('queue consumer: sends the objects of a batch together, deletes and notes them, and acknowledges', async () => {
  const { bucket, sender, put, queue } = scene();
  const keys = put(3);
  assert.deepEqual(await queue(keys.map((key) => landed(key))), ['ack', 'ack', 'ack']);
  assert.deepEqual(sender.batches, [keys]);
  assert.deepEqual(bucket.keys('otlp/'), []);
  assert.equal(bucket.keys('spandrel-state/done/').length, 1);
  assert.deepEqual(bucket.keys('spandrel-state/leases/'), []);
});

test('queue consumer: with keep, notes nothing', async () => {
  const { bucket, put, queue } = scene();
  const keys = put(2);
  await queue(
    keys.map((key) => landed(key)),
    { after: 'keep' },
  );
  assert.deepEqual(bucket.keys(), keys);
});

test('queue consumer: takes S3 events with several records, as objects and as JSON', async () => {
  const { sender, put, queue } = scene();
  const [one = '', two = '', three = ''] = put(3);
  const event = s3Event({ key: one }, { key: two });
  const text = JSON.stringify(s3Event({ key: three }));
  assert.deepEqual(await queue([event, text]), ['ack', 'ack']);
  assert.deepEqual(sender.batches, [[one, two, three]]);
});

test('queue consumer: what is none of ours is acknowledged; what is no event at all is also told', async () => {
  const { sender, errors, queue, bucket } = scene();
  const others = [
    landed('quarantine/not-gzip/otlp/v1/x.json.gz'),
    landed('spandrel-state/done/x.json'),
    landed('otlp/v1/metrics_1.json.gz'),
    landed('otlp/v10/x.json.gz'),
    landed(traceKey(NOW, 1), 1, 'DeleteObject'),
    landed(traceKey(NOW, 1), 1, 'LifecycleDeletion'),
    { Event: 's3:TestEvent' },
  ];
  for (const body of others) if ('object' in body) bucket.objects.set(body.object.key, gzipOf('x'));
  const before = bucket.keys();
  assert.deepEqual(
    await queue(others),
    others.map(() => 'ack'),
  );
  assert.deepEqual(errors, []);
  const nonsense = [
    null,
    undefined,
    7,
    '{',
    [],
    {},
    { action: 'PutObject' },
    { action: 'PutObject', object: { key: 7 } },
    { Records: [7] },
  ];
  assert.deepEqual(
    await queue(nonsense),
    nonsense.map(() => 'ack'),
  );
  assert.equal(errors.length, nonsense.length);
  assert.deepEqual(sender.batches, []);
  assert.deepEqual(bucket.keys(), before);
});

test('queue consumer: told of one object twice, sends it once', async () => {
  const { sender, put, queue } = scene();
  const [key = ''] = put(1);
  assert.deepEqual(await queue([landed(key), landed(key)]), ['ack', 'ack']);
  assert.deepEqual(await queue([landed(key)]), ['ack']);
  assert.deepEqual(sender.batches, [[key]]);
});

test('queue consumer: an object that is put again after it was forwarded is deleted, not sent', async () => {
  const { sender, put, queue, bucket } = scene();
  const [key = ''] = put(1);
  await queue([landed(key)]);
  bucket.objects.set(key, gzipOf('again'));
  assert.deepEqual(await queue([landed(key)]), ['ack']);
  assert.equal(sender.batches.length, 1);
  assert.deepEqual(bucket.keys('otlp/'), []);
});

test('queue consumer: what the backend does not take comes again when it says, the rest is done', async () => {
  const busy = testSender(
    ({ key }) => (key === slow ? { status: 'retry', message: '429' } : {}),
    () => 90_500,
  );
  const { put, queue, bucket, errors } = scene(busy);
  const [slow = '', fine = ''] = put(2);
  assert.deepEqual(await queue([landed(slow), landed(fine)]), [{ retry: 91 }, 'ack']);
  assert.deepEqual(bucket.keys('otlp/'), [slow]);
  assert.equal(errors.length, 1);
});

test('queue consumer: where nobody names a time, a message comes again later each time, and within what queues take', async () => {
  const failing = testSender(() => ({ status: 'retry' }));
  const { put, queue } = scene(failing);
  const [key = ''] = put(1);
  const delays = [];
  for (const attempts of [1, 2, 3, 20]) delays.push(...(await queue([landed(key)], {}, attempts)));
  assert.deepEqual(delays, [{ retry: 15 }, { retry: 30 }, { retry: 60 }, { retry: 900 }]);
  const patient = scene(
    testSender(
      () => ({ status: 'retry' }),
      () => 1e9,
    ),
  );
  const [other = ''] = patient.put(1);
  assert.deepEqual(await patient.queue([landed(other)]), [{ retry: 43_200 }]);
});

test('queue consumer: poison is put aside and acknowledged; a giant is not read', async () => {
  const bad = testSender(() => ({ status: 'quarantine', reason: 'not-json', message: 'at byte 3' }));
  const { put, queue, bucket } = scene(bad);
  const [poison = '', giant = ''] = put(2);
  assert.deepEqual(await queue([landed(poison), landed(giant, 10_000_000)]), ['ack', 'ack']);
  assert.deepEqual(bad.batches, [[poison]]);
  assert.deepEqual(bucket.keys('otlp/'), [giant]);
  assert.deepEqual(bucket.keys('quarantine/'), [
    `quarantine/not-json/${poison}`,
    `quarantine/not-json/${poison}.reason.json`,
    `quarantine/too-large/${giant}.reason.json`,
  ]);
});

test('queue consumer: a store that fails has all come again, and is told', async () => {
  const { put, queue, bucket, errors } = scene();
  const keys = put(2);
  const storage = bucket.view({
    before: () => {
      throw new StorageError('the store answered GET with 403', { httpStatus: 403 });
    },
  });
  assert.deepEqual(
    await queue(
      keys.map((key) => landed(key)),
      { storage },
    ),
    [{ retry: 15 }, { retry: 15 }],
  );
  assert.equal(errors.length, 1);
});

test('queue consumer: many batches of one minute leave few notes', async () => {
  const { put, queue, bucket } = scene();
  for (const key of put(60)) await queue([landed(key)]);
  const notes = bucket.keys('spandrel-state/done/');
  assert.ok(notes.length <= 28, `${notes.length} notes`);
});

test('queue consumer: is configured once for each environment, and a mistake there is thrown', async () => {
  let times = 0;
  const { bucket, sender } = scene();
  const consumer = forwardConsumer(() => {
    times += 1;
    return { storage: bucket.view(), sender, after: 'delete' };
  });
  const env = {};
  await consumer.queue({ messages: [] }, env);
  await consumer.queue({ messages: [] }, env);
  assert.equal(times, 1);
  const wrong = forwardConsumer(() => ({ storage: bucket.view(), sender, after: 'drop' as 'keep' }));
  await assert.rejects(wrong.queue({ messages: [] }, {}), /option "after" got "drop"/);
});

test('queue consumer: hooks that fail cost nothing', async () => {
  const { put, queue } = scene();
  const [key = ''] = put(1);
  const hook = () => Promise.reject(new Error('of the author'));
  assert.deepEqual(await queue([landed(key), 'nonsense'], { onError: hook, onBatch: hook }), ['ack', 'ack']);
});

test('queue messages: keys of S3 events are decoded, those of R2 are not', () => {
  assert.deepEqual(objectsOf(landed('a+b%20.json.gz', 5)), [{ key: 'a+b%20.json.gz', size: 5 }]);
  const event = s3Event({ key: 'a b/ü+.json.gz', size: 7 });
  assert.deepEqual(objectsOf(event), [{ key: 'a b/ü+.json.gz', size: 7 }]);
  assert.equal(
    objectsOf({ Records: [{ eventName: 'ObjectCreated:Put', s3: { object: { key: '%zz' } } }] }),
    undefined,
  );
  assert.deepEqual(objectsOf({ Records: [{ eventName: 'ObjectRemoved:Delete', s3: {} }] }), []);
  assert.deepEqual(objectsOf(landed('x', -1)), [{ key: 'x' }]);
});
