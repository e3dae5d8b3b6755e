import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, beforeEach, test } from 'node:test';
import { gzipOf, testBucket, traceKey } from '../testing/bucket.js';
import { ingestHarness } from '../testing/ingest-harness.js';
import { forward } from './forward.js';
import { createNotifications, type S3NotificationOptions, s3Notifications } from './notify.js';
import { formDecoded, type S3Event, s3Event } from './s3-event.js';

const NOW = Date.UTC(2026, 10, 21, 3, 4, 5);

interface Heard {
  event: S3Event;
  headers: Record<string, unknown>;
}

let server: Server;
let url: string;
let heard: Heard[] = [];
/** Answers in turn; then 200. */
let answers: { status: number; headers?: Record<string, string> }[] = [];

before(async () => {
  server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    heard.push({ event: JSON.parse(String(Buffer.concat(chunks))), headers: request.headers });
    const { status, headers = {} } = answers.shift() ?? { status: 200 };
    response.writeHead(status, headers).end('done');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
});
after(() => {
  server.closeAllConnections();
  server.close();
});
beforeEach(() => {
  heard = [];
  answers = [];
});

function scene(options: Partial<S3NotificationOptions> = {}) {
  const waits: number[] = [];
  const errors: unknown[] = [];
  const notifications = createNotifications(
    { url, bucket: 'traces', now: () => NOW, onError: (error) => errors.push(error), ...options },
    async (millis) => void waits.push(millis),
  );
  return { notifications, waits, errors };
}

const many = (count: number): { key: string }[] =>
  Array.from({ length: count }, (_, index) => ({ key: traceKey(NOW, index) }));
/** What the receiver takes from a message. */
const keysIn = ({ event }: Heard): string[] =>
  event.Records.filter(
    ({ eventSource, eventName }) => eventSource === 'aws:s3' && eventName.startsWith('ObjectCreated:'),
  )
    .filter(({ s3 }) => s3.bucket.name === 'traces')
    .map(({ s3 }) => new URLSearchParams(`key=${s3.object.key}`).get('key') ?? '');

test('s3 event: is what S3 sends, as far as readers look', () => {
  const key = traceKey(NOW, 7);
  const event = s3Event([{ key, size: 1_234, etag: '"0123abcd"', storedAtMillis: NOW }], {
    bucket: 'traces',
  });
  assert.deepEqual(event, {
    Records: [
      {
        eventVersion: '2.1',
        eventSource: 'aws:s3',
        awsRegion: 'auto',
        eventTime: '2026-11-21T03:04:05.000Z',
        eventName: 'ObjectCreated:Put',
        s3: {
          s3SchemaVersion: '1.0',
          bucket: { name: 'traces', arn: 'arn:aws:s3:::traces' },
          object: {
            key: key.replaceAll('=', '%3D'),
            size: 1_234,
            eTag: '0123abcd',
            sequencer: NOW.toString(16).toUpperCase().padStart(16, '0'),
          },
        },
      },
    ],
  });
});

test('s3 event: keys are encoded as a form, and readers get them back', () => {
  // The example of S3's own documentation.
  const [record] = s3Event([{ key: 'red flower.jpg' }], { bucket: 'traces' }).Records;
  assert.equal(record?.s3.object.key, 'red+flower.jpg');
  const odd = ['a b', 'a+b', '100%', 'a&b=c;d', 'ünï/\u{1f600}', '#?', '\n', "'()*!~", 'a//b', '%2F', '..'];
  for (const key of odd) {
    const encoded = s3Event([{ key }], { bucket: 'traces' }).Records[0]?.s3.object.key ?? '';
    assert.equal(new URLSearchParams(`key=${encoded}`).get('key'), key);
    assert.equal(formDecoded(encoded), key);
  }
  assert.equal(formDecoded('%zz'), undefined);
  assert.doesNotThrow(() => s3Event([{ key: 'a\ud800b' }], { bucket: 'traces' }));
});

test('s3 notifications: at most 100 records in one request, with the headers that were given', async () => {
  const { notifications } = scene({ headers: { authorization: 'Bearer secret' } });
  const objects = many(250);
  assert.deepEqual(await notifications.tell(objects), { delivered: 250, failed: 0 });
  assert.deepEqual(heard.map(({ event }) => event.Records.length).sort(), [100, 100, 50]);
  assert.deepEqual(heard.flatMap(keysIn).sort(), objects.map(({ key }) => key).sort());
  assert.equal(heard[0]?.headers['content-type'], 'application/json');
  assert.equal(heard[0]?.headers['authorization'], 'Bearer secret');
  assert.deepEqual(await notifications.tell([]), { delivered: 0, failed: 0 });
});

test('s3 notifications: 5xx and 429 are tried three times, with growing waits or as asked', async () => {
  const { notifications, waits, errors } = scene();
  answers = [{ status: 503 }, { status: 502 }];
  assert.deepEqual(await notifications.tell(many(1)), { delivered: 1, failed: 0 });
  assert.deepEqual(waits, [1_000, 2_000]);
  answers = [{ status: 429, headers: { 'retry-after': '7' } }];
  assert.deepEqual(await notifications.tell(many(1)), { delivered: 1, failed: 0 });
  assert.equal(waits.at(-1), 7_000);
  assert.deepEqual(errors, []);
  heard = [];
  answers = Array(9).fill({ status: 500 });
  assert.deepEqual(await notifications.tell(many(2)), { delivered: 0, failed: 2 });
  assert.equal(heard.length, 3);
  assert.match(String(errors[0]), /the webhook answered 500; 2 objects were not told of/);
});

test('s3 notifications: 4xx and redirects are final; an hour is not waited for', async () => {
  const { notifications, waits } = scene();
  const finals = [
    { status: 400 },
    { status: 302, headers: { location: '/other' } },
    { status: 429, headers: { 'retry-after': '3600' } },
  ];
  for (const answer of finals) {
    heard = [];
    answers = [answer];
    assert.deepEqual(await notifications.tell(many(1)), { delivered: 0, failed: 1 });
    assert.equal(heard.length, 1);
  }
  assert.deepEqual(waits, []);
});

test('s3 notifications: no answer is tried again, and no error names the URL', async () => {
  const { notifications, errors, waits } = scene({ url: 'http://127.0.0.1:1/secret-path' });
  assert.deepEqual(await notifications.tell(many(1)), { delivered: 0, failed: 1 });
  assert.equal(waits.length, 2);
  assert.equal(errors.length, 1);
  assert.doesNotMatch(`${errors[0]} ${JSON.stringify(errors[0])}`, /secret-path|127\.0\.0\.1/);
});

test('s3 notifications: tell what pages stored', async () => {
  const { notifications } = scene();
  const { issue, exchange } = ingestHarness({ onStored: (receipts) => notifications.tell(receipts) });
  const { key, token } = await issue();
  const receipt = { key, token, spanCount: 1, bytes: 10, traces: [] };
  const { status } = await exchange({ stored: [receipt] });
  assert.equal(status, 200);
  assert.deepEqual(heard.flatMap(keysIn), [key]);
});

test('s3 notifications: as a sender, forward reads nothing, keeps all, and tells each object once', async () => {
  const bucket = testBucket();
  const keys = many(3).map(({ key }) => key);
  for (const key of keys) bucket.objects.set(key, gzipOf(key));
  const gets: string[] = [];
  const storage = bucket.view({ before: (method, key) => void (method === 'get' && gets.push(key)) });
  const run = () =>
    forward({
      ...{ storage, sender: s3Notifications({ url, bucket: 'traces' }), after: 'keep', mergeWindowMillis: 0 },
      now: () => NOW,
    });
  assert.equal((await run()).sent, 3);
  assert.equal((await run()).alreadyDone, 3);
  assert.deepEqual(heard.flatMap(keysIn), keys);
  assert.deepEqual(
    gets.filter((key) => key.startsWith('otlp/')),
    [],
  );
  assert.deepEqual(bucket.keys('otlp/'), keys);
});

test('s3 notifications: as a sender, what the webhook does not take stays for the next pass', async () => {
  const bucket = testBucket();
  for (const { key } of many(3)) bucket.objects.set(key, gzipOf(key));
  const run = () =>
    forward({
      ...{ storage: bucket.view(), sender: scene().notifications, after: 'keep', mergeWindowMillis: 0 },
      now: () => NOW,
    });
  answers = [{ status: 403 }];
  const summary = await run();
  assert.equal(summary.ended, 'backend-failed');
  assert.equal(summary.message, 'the webhook answered 403');
  assert.equal((await run()).sent, 3);
});

test('s3 notifications: options that cannot be are refused by name', () => {
  assert.throws(
    () => s3Notifications({ url: 'nonsense', bucket: 'traces' }),
    /option "url" got "a string"; it takes/,
  );
  assert.throws(() => s3Notifications({ url, bucket: '' }), /option "bucket"/);
  assert.throws(
    () => s3Notifications({ url, bucket: 'traces', maxRecords: 101 }),
    /option "maxRecords" got 101/,
  );
});
