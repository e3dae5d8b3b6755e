import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import {
  type Answerer,
  type Backend,
  backend,
  gzipped,
  type Json,
  keyOf,
  nanosAt,
  objectOf,
  RECEIVED_AT,
  type ReceivedRequest,
  request,
  span,
  spanId,
  spansIn,
  testSender,
  traceId,
} from '../testing/forward.js';
import type { BatchResult } from './batch.js';
import { createBatchSender } from './batch-sender.js';
import type { BatchSenderOptions } from './sender-options.js';

const servers: Backend[] = [];
after(() => {
  for (const server of servers) server.close();
});

async function setUp(answer?: Answerer, options: Partial<BatchSenderOptions> = {}) {
  const server = await backend(answer);
  servers.push(server);
  return { server, sender: testSender({ url: server.url, ...options }) };
}

const nameOf = (trace: number, id: number): string => `${traceId(trace)}/${spanId(id)}`;
const fates = ({ results }: BatchResult): string[] =>
  results.map(({ status, reason }) => (reason ? `${status} ${reason}` : status));

/** Objects of one span and one trace each, numbered. */
const objects = (count: number) => Array.from({ length: count }, (_, n) => objectOf(n, [span(n, n)]));
const allNames = (count: number): string[] => Array.from({ length: count }, (_, n) => nameOf(n, n));

/** Refuses a request that holds one of these spans. */
const refusing =
  (code: number, ...bad: string[]): Answerer =>
  ({ spans }, response) =>
    response.writeHead(spans.some((name) => bad.includes(name)) ? code : 200).end('{}');

test('batch sender: a batch is one request, stamped, and each object has its result', async () => {
  const { server, sender } = await setUp();
  const result = await sender.send(objects(3));
  const counts = { spanCount: 1, rejectedCount: 0, status: 'sent' };
  assert.deepEqual(result, {
    results: [0, 1, 2].map((n) => ({ key: keyOf(n), ...counts })),
    requestCount: 1,
    byteCount: server.received[0]?.bytes.length,
  });
  assert.deepEqual(server.taken, allNames(3));
  const [{ resourceSpans } = { resourceSpans: [] }] = server.received.map(({ json }) => json);
  assert.deepEqual(
    resourceSpans.map(({ resource }: Json) => resource.attributes.slice(0, 2)),
    [0, 1, 2].map(() => [
      { key: 'service.name', value: { stringValue: 'shop' } },
      { key: 'spandrel.ingest.project', value: { stringValue: 'shop' } },
    ]),
  );
  assert.deepEqual(await sender.send([]), { results: [], requestCount: 0, byteCount: 0 });
  const empty = await sender.send([objectOf(9, [])]);
  assert.deepEqual([fates(empty), empty.requestCount], [['sent'], 0]);
});

test('batch sender: without a stamp the stored bytes go as they are, unless readers differ on them', async () => {
  const { server, sender } = await setUp(undefined, { stamp: false });
  const batch = [objectOf(0, [span(0, 0)]), objectOf(1, [span(0, 1)])];
  const twice = JSON.stringify(request([span(4, 4)])).replace('"kind":1', '"kind":3,"kind":1');
  const result = await sender.send([...batch, { key: 'odd', bytes: gzipped(twice) }]);
  assert.deepEqual(fates(result), Array(3).fill('sent'));
  const sent = server.received.map(({ bytes }) => bytes);
  for (const { bytes } of batch) assert.ok(sent.some((each) => each.equals(bytes)));
  const anew = server.received.find(({ spans }) => spans.includes(nameOf(4, 4))) as ReceivedRequest;
  assert.deepEqual(spansIn(anew.json), [span(4, 4)]);
  assert.equal(server.received.length, 3);
});

test('batch sender: resources are joined as they stand in their objects, alike or not', async () => {
  const { server, sender } = await setUp(undefined, { badTimes: 'keep', stamp: { attributes: {} } });
  const requests = [
    request([span(0, 0), span(1, 1)]),
    request([span(0, 2)]),
    { resourceSpans: [...request([span(2, 3)], 'forum').resourceSpans, { scopeSpans: [] }] },
  ];
  const batch = requests.map((json, n) => ({ key: `odd ${n}`, bytes: gzipped(JSON.stringify(json)) }));
  await sender.send(batch);
  const stamped = requests.flatMap(({ resourceSpans }) =>
    resourceSpans.map((one: Json) => ({ ...one, resource: { attributes: one.resource?.attributes ?? [] } })),
  );
  assert.deepEqual(
    server.received.map(({ json }) => json),
    [{ resourceSpans: stamped }],
  );
});

test('batch sender: inflates by what it is given, within the limits', async () => {
  const asked: number[] = [];
  const gunzip: BatchSenderOptions['gunzip'] = (bytes, maxBytes) => {
    asked.push(maxBytes);
    return gunzipSync(bytes, { maxOutputLength: maxBytes });
  };
  const { sender } = await setUp(undefined, { gunzip, maxInflatedBytes: 2_000, maxInflateRatio: 1_100 });
  const bomb = { key: 'bomb', bytes: gzipped(' '.repeat(5_000)) };
  assert.deepEqual(fates(await sender.send([...objects(1), bomb])), ['sent', 'quarantine too-large']);
  assert.deepEqual(asked, [2_000, 2_000]);
});

test('batch sender: what fails inspection is put aside with its reason, and harms no other', async () => {
  const { server, sender } = await setUp(undefined, { maxInflatedBytes: 2_000, maxInflateRatio: 1_100 });
  const bad = [
    new TextEncoder().encode('no gzip at all, whatever it is'),
    gzipped('no JSON'),
    gzipped('{}'),
    gzipped(JSON.stringify(request([span(0, 8), span(0, 9, { kind: 'x' })]))),
    gzipped(' '.repeat(5_000)),
  ].map((bytes, n) => ({ key: keyOf(100 + n), bytes }));
  const result = await sender.send([...bad.slice(0, 3), ...objects(2), ...bad.slice(3)]);
  assert.deepEqual(fates(result), [
    'quarantine not-gzip',
    'quarantine not-json',
    'quarantine not-otlp',
    'sent',
    'sent',
    'quarantine not-otlp',
    'quarantine too-large',
  ]);
  assert.deepEqual(server.taken, allNames(2));
  assert.equal(
    result.results[5]?.message,
    '$.resourceSpans[0].scopeSpans[0].spans[1].kind is no integer from 0 to 5',
  );
});

test('batch sender: times are clamped and marked, or put aside, or kept', async () => {
  const late = () => objectOf(0, [span(0, 0, { startTimeUnixNano: '1000000', endTimeUnixNano: '3000000' })]);
  const seen = async (badTimes: BatchSenderOptions['badTimes']) => {
    const { server, sender } = await setUp(undefined, badTimes ? { badTimes } : {});
    sender.nowMillis += 3_600_000;
    const result = await sender.send([late()]);
    return [fates(result)[0], server.received.flatMap(({ json }) => spansIn(json))[0]?.startTimeUnixNano];
  };
  assert.deepEqual(await seen(undefined), ['sent', nanosAt(-2)]);
  assert.deepEqual(await seen('quarantine'), ['quarantine not-otlp', undefined]);
  assert.deepEqual(await seen('keep'), ['sent', '1000000']);
  const { server, sender } = await setUp(undefined, { stamp: false });
  await sender.send([late()]);
  assert.deepEqual(server.received[0]?.bytes, Buffer.from(late().bytes));
});

test('batch sender: spans that are there twice go twice, which is for others to judge', async () => {
  const { server, sender } = await setUp();
  const batch = [objectOf(0, [span(0, 0), span(0, 0)]), objectOf(1, [span(0, 0)], 'forum')];
  assert.deepEqual(fates(await sender.send(batch)), ['sent', 'sent']);
  assert.deepEqual(server.taken, Array(3).fill(nameOf(0, 0)));
});

test('batch sender: a partial success is no failure, and its count is shared out', async () => {
  const partial = JSON.stringify({ partialSuccess: { rejectedSpans: '3', errorMessage: 'too old' } });
  const { sender } = await setUp((_, response) => response.end(partial));
  const batch = [
    objectOf(0, [span(0, 0)]),
    objectOf(
      1,
      [1, 2, 3, 4, 5].map((id) => span(1, id)),
    ),
  ];
  const result = await sender.send(batch);
  assert.deepEqual(fates(result), ['sent', 'sent']);
  const counts = result.results.map(({ rejectedCount }) => rejectedCount);
  assert.equal(
    counts.reduce((sum, count) => sum + count, 0),
    3,
  );
  assert.equal(result.results[1]?.message, 'too old');
});

test('batch sender: of many objects only those to blame are put aside', async () => {
  const bad = [3, 17, 18];
  const { server, sender } = await setUp(refusing(400, ...bad.map((n) => nameOf(n, n))));
  const result = await sender.send(objects(40));
  const expected = objects(40).map((_, n) => (bad.includes(n) ? 'quarantine refused' : 'sent'));
  assert.deepEqual(fates(result), expected);
  assert.deepEqual(
    server.taken.sort(),
    allNames(40)
      .filter((_, n) => !bad.includes(n))
      .sort(),
  );
  assert.match(result.results[3]?.message ?? '', /^HTTP 400/);
  assert.ok(result.requestCount < 40, `${result.requestCount} requests`);
});

test('batch sender: an object alone that is refused is to blame if the endpoint takes an empty request', async () => {
  const picky = await setUp(refusing(400, nameOf(0, 0)));
  const result = await picky.sender.send(objects(1));
  assert.deepEqual(fates(result), ['quarantine refused']);
  assert.deepEqual(
    picky.server.received.map(({ json }) => json.resourceSpans.length),
    [1, 0],
  );
  const deaf = await setUp((_, response) => response.writeHead(400).end('protobuf only'));
  const lost = await deaf.sender.send(objects(20));
  assert.deepEqual(fates(lost), Array(20).fill('retry'));
  assert.match(lost.results[0]?.message ?? '', /^HTTP 400: protobuf only; an empty request gets HTTP 400/);
  assert.ok(lost.requestCount <= 20, `${lost.requestCount} requests`);
});

test('batch sender: a 500 puts an object aside only if others were taken', async () => {
  const one = await setUp(refusing(500, nameOf(0, 0)));
  assert.deepEqual(fates(await one.sender.send(objects(8))), [
    'quarantine refused',
    ...Array(7).fill('sent'),
  ]);
  assert.deepEqual(fates(await one.sender.send([objectOf(0, [span(0, 0)])])), ['retry']);
  const all = await setUp((_, response) => response.writeHead(500).end('{}'));
  const result = await all.sender.send(objects(100));
  assert.deepEqual(fates(result), Array(100).fill('retry'));
  assert.ok(result.requestCount <= 40, `${result.requestCount} requests`);
});

test('batch sender: a request that is too large is halved between objects, then inside one, down to a span', async () => {
  const answer: Answerer = ({ spans }, response) =>
    response.writeHead(spans.length > 3 ? 413 : 200).end('{}');
  const { server, sender } = await setUp(answer, { concurrency: 1 });
  const batch = [
    objectOf(0, [span(0, 0), span(0, 1), span(1, 2)]),
    objectOf(1, [span(1, 3), span(2, 4)]),
    objectOf(
      2,
      [5, 6, 7, 8].map((id) => span(3, id)),
    ),
  ];
  assert.deepEqual(fates(await sender.send(batch)), ['sent', 'sent', 'sent']);
  assert.equal(server.taken.length, 9);
  const taken = server.received.filter(({ spans }) => spans.length <= 3).map(({ spans }) => spans);
  assert.ok(
    taken.some((spans) => spans.includes(nameOf(0, 0)) && spans.length === 3),
    'an object that fits is in one piece',
  );
  const never = await setUp(({ spans }, response) => response.writeHead(spans.length ? 413 : 200).end('{}'));
  const result = await never.sender.send([objectOf(0, [span(0, 0)])]);
  assert.deepEqual(fates(result), ['quarantine refused']);
  assert.match(result.results[0]?.message ?? '', /^HTTP 413, for a single span$/);
  const nothing = await setUp((_, response) => response.writeHead(413).end('{}'));
  assert.deepEqual(fates(await nothing.sender.send(objects(100))), Array(100).fill('retry'));
  assert.ok(nothing.server.received.length < 30);
});

test('batch sender: an object larger than a request is divided: between resources, scopes, spans', async () => {
  const { server, sender } = await setUp(undefined, { maxRequestSpans: 3, badTimes: 'keep' });
  const spans = Array.from({ length: 11 }, (_, n) => span(n, n));
  const resourceSpans = [
    {
      resource: {},
      scopeSpans: [
        { scope: { name: 'a' }, spans: spans.slice(0, 7) },
        { scope: {}, spans: [] },
      ],
    },
    {
      resource: {},
      scopeSpans: [
        { scope: { name: 'b' }, spans: spans.slice(7, 9) },
        { scope: { name: 'c' }, spans: spans.slice(9) },
      ],
    },
  ];
  const object = { key: 'odd', bytes: gzipped(JSON.stringify({ resourceSpans })) };
  assert.deepEqual(fates(await sender.send([object])), ['sent']);
  assert.ok(server.received.every(({ spans: some }) => some.length > 0 && some.length <= 3));
  const scopes = server.received.flatMap(({ json }) =>
    json.resourceSpans.flatMap((one: Json) =>
      one.scopeSpans.flatMap(({ scope, spans: some }: Json) => some.map((each: Json) => [scope.name, each])),
    ),
  );
  const byId = ([, one]: Json, [, other]: Json) => (one.spanId < other.spanId ? -1 : 1);
  const names = [...Array(7).fill('a'), 'b', 'b', 'c', 'c'];
  assert.deepEqual(scopes.sort(byId), spans.map((each, n) => [names[n], each]).sort(byId));
});

test('batch sender: a size that was too large once is not tried again', async () => {
  const sizes: number[] = [];
  const answer: Answerer = ({ spans }, response) => {
    if (spans.length > 2) sizes.push(spans.length);
    response.writeHead(spans.length > 2 ? 413 : 200).end('{}');
  };
  const { sender } = await setUp(answer, { concurrency: 1, maxRequestSpans: 8 });
  assert.deepEqual(fates(await sender.send(objects(16))), Array(16).fill('sent'));
  assert.deepEqual(sizes, [8, 4]);
});

test('batch sender: a limit far below ours costs a few requests once, and nothing is left over', async () => {
  const answer: Answerer = ({ spans }, response) =>
    response.writeHead(spans.length > 2 ? 413 : 200).end('{}');
  const { sender } = await setUp(answer);
  const result = await sender.send(objects(300));
  assert.deepEqual(fates(result), Array(300).fill('sent'));
  assert.ok(result.requestCount < 270, `${result.requestCount} requests`);
});

// Refusals of the kind that were tried: 400, 409, 422, 413 down to one span, 500 among others that are taken, a partial
// success without a success, with few and with many to blame, in turns, in one run, and all but one.
const POISONED: [what: string, isBad: (n: number) => boolean, most: number][] = [
  ['every second', (n) => n % 2 === 0, 399],
  ['every other second', (n) => n % 2 === 1, 399],
  ['the first half', (n) => n < 100, 230],
  ['the last half', (n) => n >= 100, 230],
  ['all but the last', (n) => n < 199, 399],
  ['four', (n) => n % 50 === 7, 4 * 2 * 8],
  ['one', (n) => n === 199, 2 * 8],
];
for (const [what, isBad, most] of POISONED) {
  for (const refusal of ['400', '409', '422', '500', '413', 'all of them rejected'])
    test(`batch sender: of 200 objects ${what} refused with ${refusal}: each is found, at once`, async () => {
      const answer: Answerer = ({ spans }, response) => {
        if (!spans.some((name) => isBad(allNames(200).indexOf(name))))
          return response.writeHead(200).end('{}');
        const partialSuccess = { rejectedSpans: String(spans.length), errorMessage: 'no' };
        if (refusal.startsWith('all')) return response.writeHead(200).end(JSON.stringify({ partialSuccess }));
        return response.writeHead(Number(refusal)).end();
      };
      const { server, sender } = await setUp(answer);
      const result = await sender.send(objects(200));
      const isFound = fates(result).map((fate, n) => fate === (isBad(n) ? 'quarantine refused' : 'sent'));
      assert.deepEqual(isFound, Array(200).fill(true));
      const sent = result.results.filter(({ status }) => status === 'sent').length;
      if (!refusal.startsWith('all')) assert.equal(server.taken.length, sent);
      // 413 is halved by spans, and a size that was too large is not tried again.
      if (refusal !== '413') assert.ok(result.requestCount <= most + 4, `${result.requestCount} requests`);
    });
}

test('batch sender: an endpoint that takes an empty request and nothing else is not believed', async () => {
  const { server, sender } = await setUp(({ spans }, response) =>
    response.writeHead(spans.length ? 400 : 200).end('{}'),
  );
  const first = await sender.send(objects(200));
  assert.deepEqual([fates(first), first.isUndecided], [Array(200).fill('retry'), true]);
  assert.ok(first.requestCount <= 50, `${first.requestCount} requests`);
  assert.equal(server.taken.length, 0);
});

test('batch sender: an endpoint that breaks later puts no more aside than a batch', async () => {
  let isWell = true;
  const { sender } = await setUp(({ spans }, response) =>
    response.writeHead(isWell || !spans.length ? 200 : 400).end('{}'),
  );
  await sender.send(objects(1));
  isWell = false;
  const batches = await Promise.all(
    [1, 2, 3]
      .map((one) => 200 * one)
      .map((from) =>
        sender.send(Array.from({ length: 200 }, (_, n) => objectOf(from + n, [span(from + n, from + n)]))),
      ),
  );
  const all = batches.flatMap(fates);
  assert.equal(all.filter((fate) => fate === 'quarantine refused').length, 200);
  assert.equal(all.filter((fate) => fate === 'retry').length, 400);
});

test('batch sender: what was refused in vain is to blame once others are taken', async () => {
  const bad = allNames(200);
  const { sender } = await setUp(refusing(400, ...bad));
  assert.equal((await sender.send(objects(200))).isUndecided, true);
  assert.deepEqual(fates(await sender.send([objectOf(300, [span(300, 300)])])), ['sent']);
  assert.deepEqual(fates(await sender.send(objects(200))), Array(200).fill('quarantine refused'));
});

test('batch sender: of an object that is refused nothing more is sent', async () => {
  const { server, sender } = await setUp(refusing(400, nameOf(5, 5)), { concurrency: 1, maxRequestSpans: 1 });
  await sender.send(objects(1));
  const result = await sender.send([objectOf(9, [span(5, 5), span(6, 6), span(7, 7)])]);
  assert.deepEqual([fates(result), result.requestCount], [['quarantine refused'], 1]);
  assert.deepEqual(server.taken, [nameOf(0, 0)]);
});

test('batch sender: where the URL or the headers are wrong, nothing is put aside and nothing more is sent', async () => {
  for (const code of [301, 401, 403, 404]) {
    const { sender } = await setUp((_, response) => response.writeHead(code).end('{}'), {
      maxRequestSpans: 1,
      concurrency: 1,
    });
    const result = await sender.send(objects(9));
    assert.deepEqual([fates(result), result.requestCount], [Array(9).fill('retry'), 1]);
    assert.match(result.results[8]?.message ?? '', /look at/);
  }
});

test('batch sender: when the endpoint asks for an hour, that is told at once', async () => {
  const { sender } = await setUp((_, response) =>
    response.writeHead(429, { 'retry-after': '3600' }).end('{}'),
  );
  const result = await sender.send(objects(2));
  assert.deepEqual([fates(result), result.retryAfterMillis], [['retry', 'retry'], 3_600_000]);
  assert.deepEqual(sender.slept, []);
  assert.deepEqual([(await sender.send(objects(2))).requestCount], [0]);
});

test('batch sender: no more requests at once than it may make, and all of them at times', async () => {
  let atOnce = 0;
  let most = 0;
  const waiting: (() => void)[] = [];
  const { sender } = await setUp(
    (_, response) => {
      most = Math.max(most, ++atOnce);
      waiting.push(() => {
        atOnce--;
        response.end('{}');
      });
      // All that may be are there, or the last ones.
      if (waiting.length >= 3 || most === 3) for (const answer of waiting.splice(0)) answer();
    },
    { concurrency: 3, maxRequestSpans: 1 },
  );
  assert.deepEqual(fates(await sender.send(objects(9))), Array(9).fill('sent'));
  assert.equal(most, 3);
});

const TIGHT = { maxRequestBytes: 524_288, concurrency: 2, maxInflateRatio: 1_100 };
const largeObjects = (count: number) =>
  Array.from({ length: count }, (_, n) => objectOf(n, [span(0, n, { name: 'x'.repeat(100_000) })]));

test('batch sender: what is held is bounded by what its requests may hold', async () => {
  const { server, sender } = await setUp(undefined, TIGHT);
  const { results } = await sender.send(largeObjects(20));
  assert.deepEqual(new Set(results.map(({ status }) => status)), new Set(['sent']));
  assert.deepEqual(server.received.map(({ spans }) => spans.length).sort(), [1, 4, 5, 5, 5]);
});

test('batch sender: once nothing is to be sent, nothing is inspected', async () => {
  const { sender } = await setUp((_, response) => response.writeHead(401).end('{}'), TIGHT);
  const { results } = await sender.send(largeObjects(20));
  assert.deepEqual(
    results.map(({ spanCount }) => spanCount),
    [...Array(11).fill(1), ...Array(9).fill(0)],
  );
});

test('batch sender: stops when it is told to, and answers for each object', async () => {
  const controller = new AbortController();
  const { sender, server } = await setUp(
    (_, response) => {
      controller.abort();
      response.end('{}');
    },
    { maxRequestSpans: 1, concurrency: 1 },
  );
  const result = await sender.send(objects(5), controller.signal);
  assert.equal(result.results.length, 5);
  assert.equal(result.results[4]?.status, 'retry');
  assert.equal(result.results[4]?.message, 'it was stopped');
  assert.equal(server.received.length, 1);
  assert.equal((await sender.send(objects(1), controller.signal)).requestCount, 0);
});

test('batch sender: what is no object, a stamp that fails and a fault of ours end in results too', async () => {
  const { sender, server } = await setUp();
  const odd = { key: 'k', bytes: undefined } as never;
  assert.deepEqual(fates(await sender.send([odd, ...objects(1)])), ['retry', 'sent']);
  const failing = await setUp(undefined, {
    stamp: ({ key }) => {
      if (key === keyOf(1)) throw new Error('no');
      return {};
    },
  });
  assert.deepEqual(fates(await failing.sender.send(objects(3))), ['sent', 'retry', 'sent']);
  assert.equal(server.received.length, 1);
});

test('batch sender: options are checked at once, by name, and without showing secrets', () => {
  const url = 'http://127.0.0.1:4318';
  const bad: [object, RegExp][] = [
    [{}, /option "url" got "a undefined"/],
    [{ url: '/v1/traces' }, /option "url" got "a string"; it takes an absolute http\(s\) URL/],
    [{ url: 'ftp://x/' }, /"url"/],
    [{ url: 'https://user:secret@x/' }, /"url" got "a string"/],
    [{ url, timeoutMillis: 0 }, /option "timeoutMillis" got 0; it takes an integer from 1 to 600000/],
    [{ url, maxDepth: 31 }, /"maxDepth"/],
    [{ url, concurrency: 1.5 }, /"concurrency"/],
    [{ url, headers: { a: 1 } }, /option "headers"/],
    [{ url, stamp: 'no' }, /option "stamp"/],
    [{ url, badTimes: 'drop' }, /option "badTimes"/],
    [{ url, badTimes: 'clamp', stamp: false }, /option "badTimes"/],
    [{ url, now: 5 }, /option "now"/],
    [{ url, fetch: {} }, /option "fetch"/],
    [{ url, gunzip: 'zlib' }, /option "gunzip"/],
    [{ url, retries: 3 }, /has no option "retries"/],
    [{ url, dedupeSpans: 0 }, /has the option "dedupeSpans" no more: .*compact\(\) leaves out spans/],
    [{ url, maxHeldBytes: 1_048_576 }, /has the option "maxHeldBytes" no more: .*maxRequestBytes/],
  ];
  for (const [options, message] of bad) {
    assert.throws(
      () => createBatchSender(options as never),
      (error: Error) => {
        assert.match(error.message, message);
        assert.doesNotMatch(error.message, /secret/);
        return error instanceof TypeError;
      },
    );
  }
  assert.throws(() => createBatchSender(undefined as never), TypeError);
});

test('batch sender: the URL gets its path unless it has it, and keeps its query', async () => {
  const { server } = await setUp();
  for (const path of ['', '/', '/v1/traces', '/v1/traces/', '/otlp', '/otlp/?key=1']) {
    await createBatchSender({ url: server.url + path, now: () => RECEIVED_AT }).send(objects(1));
  }
  assert.deepEqual(
    server.received.map(({ url }) => url),
    ['/v1/traces', '/v1/traces', '/v1/traces', '/v1/traces', '/otlp/v1/traces', '/otlp/v1/traces?key=1'],
  );
});

test('batch sender: requests are rewritten before they are stamped, and one that cannot be stays where it is', async () => {
  const { server, sender } = await setUp(undefined, {
    rewrite(request, key) {
      if (key === keyOf(1)) throw new Error('no');
      (request as Json).resourceSpans[0].scopeSpans[0].spans[0].name = `rewritten ${key}`;
    },
  });
  const result = await sender.send(objects(3));
  assert.deepEqual(fates(result), ['sent', 'retry', 'sent']);
  const sent = server.received.map(({ bytes }) => String(gunzipSync(bytes))).join('');
  assert.ok(sent.includes(`rewritten ${keyOf(0)}`) && sent.includes(`rewritten ${keyOf(2)}`));
  assert.ok(!sent.includes('span 1'));
  assert.throws(
    () => testSender({ url: server.url, stamp: false, rewrite: () => undefined }),
    /option "rewrite"|rewrite/,
  );
});
