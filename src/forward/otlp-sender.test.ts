import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Answerer, backend, gzipped, RECEIVED_AT, request, span } from '../testing/forward.js';
import { parseRetryAfter } from '../wire/retry-after.js';
import { createOtlpSender, type OtlpSenderSettings, type Sent } from './otlp-sender.js';

const BODY = gzipped(JSON.stringify(request([span(0, 0)])));

interface Trial {
  sent: Sent;
  requestCount: number;
  slept: number[];
  url: string;
}

/** Sends one body to a backend that answers so, with a clock that moves by sleeping only. */
async function attempt(
  answer: Answerer,
  settings: Partial<OtlpSenderSettings> = {},
  signal?: AbortSignal,
): Promise<Trial> {
  const server = await backend(answer);
  const slept: number[] = [];
  let nowMillis = RECEIVED_AT;
  try {
    const sender = createOtlpSender(
      {
        url: `${server.url}/v1/traces`,
        headers: {},
        timeoutMillis: 5_000,
        maxRetryMillis: 60_000,
        ...settings,
      },
      {
        fetch,
        now: () => nowMillis,
        random: () => 0.5,
        async sleep(millis) {
          slept.push(millis);
          nowMillis += millis;
        },
      },
    );
    let requestCount = 0;
    const sent = await sender.send(BODY, signal, () => requestCount++);
    return { sent, requestCount, slept, url: server.url };
  } finally {
    server.close();
  }
}

const status = (code: number, body = '{}', headers: Record<string, string> = {}): Answerer => {
  return (_, response) => void response.writeHead(code, headers).end(body);
};

/** One after another; the last again and again. */
const inTurn = (...answers: Answerer[]): Answerer => {
  let turn = 0;
  return (received, response) => {
    const answer = answers[Math.min(turn++, answers.length - 1)] as Answerer;
    answer(received, response);
  };
};

test('OTLP sender: POSTs gzip of JSON with the headers of the user, as they are now', async () => {
  let token = 0;
  const server = await backend(inTurn(status(503), status(200)));
  const sender = createOtlpSender(
    {
      url: `${server.url}/v1/traces?a=b`,
      headers: async () => ({
        'X-Token': `t${++token}`,
        'Content-Type': 'text/plain',
        'content-length': '1',
      }),
      timeoutMillis: 5_000,
      maxRetryMillis: 60_000,
    },
    { fetch, now: Date.now, random: () => 0, sleep: async () => {} },
  );
  assert.deepEqual(await sender.send(BODY, undefined, () => {}), { status: 'accepted', rejectedCount: 0 });
  const [first, second] = server.received;
  assert.equal(first?.url, '/v1/traces?a=b');
  assert.equal(first?.headers['content-type'], 'application/json');
  assert.equal(first?.headers['content-encoding'], 'gzip');
  assert.deepEqual(first?.bytes, Buffer.from(BODY));
  assert.deepEqual([first?.headers['x-token'], second?.headers['x-token']], ['t1', 't2']);
  server.close();
});

test('OTLP sender: a 2xx with an OTLP answer is accepted, and a partial success is read', async () => {
  const partial = (rejectedSpans: unknown, errorMessage?: unknown): string =>
    JSON.stringify({ partialSuccess: { rejectedSpans, errorMessage } });
  const cases: [Answerer, object][] = [
    [status(202), { rejectedCount: 0 }],
    [status(200, '{}'), { rejectedCount: 0 }],
    [status(200, partial('3', 'too old')), { rejectedCount: 3, message: 'too old' }],
    [status(200, partial(2)), { rejectedCount: 2 }],
    [status(200, partial(0, 'a\nwarning')), { rejectedCount: 0, message: 'a warning' }],
    [status(200, partial(-1)), { rejectedCount: 0 }],
    [status(200, partial('many', {})), { rejectedCount: 0 }],
    [status(200, '', { 'content-type': 'application/x-protobuf' }), { rejectedCount: 0 }],
  ];
  for (const [answer, expected] of cases) {
    assert.deepEqual((await attempt(answer)).sent, { status: 'accepted', ...expected });
  }
});

// More of the kind in `destinations/otlp-answer.test.ts`, which is of the same module.
test('OTLP sender: a 2xx that is no OTLP answer is none', async () => {
  const { sent } = await attempt(
    inTurn(
      (_, response) =>
        void response.writeHead(200, { 'content-length': 99 }).write('{', () => response.destroy()),
      status(200, '', { 'content-type': 'application/json' }),
    ),
  );
  assert.equal(sent.status, 'unavailable', 'broken off, then empty');
  for (const answer of [
    status(204),
    status(202, 'ok'),
    status(200, ''),
    status(200, 'null'),
    status(200, '{"partialSuccess"'),
    status(200, '\u0008\u0003\0'),
    status(200, '{}', { 'content-type': 'text/html' }),
    status(200, '<html>', { 'content-type': 'application/x-protobuf' }),
  ]) {
    const { sent } = await attempt(answer);
    assert.equal(sent.status, 'unavailable');
    assert.match(sent.message ?? '', /no OTLP answer/);
  }
});

test('OTLP sender: what the specification says to try again is tried again, with backoff and jitter', async () => {
  for (const code of [429, 502, 503, 504]) {
    const { sent, slept } = await attempt(inTurn(status(code), status(code), status(code), status(200)));
    assert.equal(sent.status, 'accepted');
    assert.deepEqual(slept, [500, 1_000, 2_000]);
  }
  const broken: Answerer = (_, response) => void response.socket?.destroy();
  assert.deepEqual((await attempt(inTurn(broken, status(200)))).slept, [500]);
});

test('OTLP sender: gives up when the time for retries is over', async () => {
  const { sent, slept, requestCount } = await attempt(status(503, '{"message":"down"}'), {
    maxRetryMillis: 10_000,
  });
  assert.deepEqual(sent, { status: 'unavailable', message: 'HTTP 503: down' });
  assert.deepEqual(slept, [500, 1_000, 2_000, 4_000]);
  assert.equal(requestCount, 5);
  assert.equal((await attempt(status(503), { maxRetryMillis: 0 })).requestCount, 1);
});

test('OTLP sender: obeys Retry-After in seconds and as a date, and waits for no hour', async () => {
  const seconds = await attempt(inTurn(status(429, '', { 'retry-after': '7' }), status(200)));
  assert.deepEqual([seconds.sent.status, seconds.slept], ['accepted', [7_500]]);
  const date = 'Sat, 21 Nov 2026 03:00:00 GMT';
  const later = { date, 'retry-after': 'Sat, 21 Nov 2026 03:00:09 GMT' };
  assert.deepEqual((await attempt(inTurn(status(503, '', later), status(200)))).slept, [9_500]);
  const { sent, slept, requestCount } = await attempt(status(429, 'slow down', { 'retry-after': '3600' }));
  assert.deepEqual(sent, {
    status: 'unavailable',
    message: 'HTTP 429: slow down',
    retryAfterMillis: 3_600_000,
  });
  assert.deepEqual([slept, requestCount], [[], 1]);
});

test('OTLP sender: while it was asked to be patient, it asks nobody', async () => {
  const server = await backend(status(429, '', { 'retry-after': '3600' }));
  let nowMillis = 0;
  const sender = createOtlpSender(
    { url: server.url, headers: {}, timeoutMillis: 5_000, maxRetryMillis: 60_000 },
    { fetch, now: () => nowMillis, random: () => 0, sleep: async () => {} },
  );
  await sender.send(BODY, undefined, () => {});
  nowMillis = 600_000;
  const sent = await sender.send(BODY, undefined, () => assert.fail('no request'));
  assert.equal(sent.status === 'unavailable' && sent.retryAfterMillis, 3_000_000);
  nowMillis = 3_600_000;
  let requestCount = 0;
  await sender.send(BODY, undefined, () => requestCount++);
  assert.equal(requestCount, 1);
  server.close();
});

test('OTLP sender: tells what is too large, what is refused, what failed, and what is set up wrongly', async () => {
  const cases: [Answerer, Sent['status'], string][] = [
    [status(413), 'too-large', 'HTTP 413'],
    [status(400, '{"code":3,"message":"bad\\nid"}'), 'refused', 'HTTP 400: bad id'],
    [status(422, 'no'), 'refused', 'HTTP 422: no'],
    [status(500, '<html>'), 'failed', 'HTTP 500'],
    [status(401), 'unavailable', 'HTTP 401 (look at the headers)'],
    [status(403, 'no'), 'unavailable', 'HTTP 403: no (look at the headers)'],
    [status(404), 'unavailable', 'HTTP 404 (look at the URL)'],
    [status(415), 'unavailable', 'HTTP 415 (it does not take OTLP/JSON in gzip)'],
    [
      status(200, ' <!doctype html>'),
      'unavailable',
      'it answers with a web page, which is no OTLP answer; look at the URL',
    ],
    [
      status(307, '{}', { location: '/elsewhere' }),
      'unavailable',
      'it redirects, which is not followed; look at the URL',
    ],
  ];
  for (const [answer, expected, message] of cases) {
    const { sent, requestCount } = await attempt(answer);
    assert.deepEqual([sent.status, sent.message, requestCount], [expected, message, 1]);
  }
});

test('OTLP sender: an answer that never ends is not waited for, nor one that is too long', async () => {
  const settings = { timeoutMillis: 100, maxRetryMillis: 0 };
  const silent = await attempt(() => {}, settings);
  assert.deepEqual(silent.sent, { status: 'unavailable', message: 'no answer in time' });
  // A status alone does not say that the spans were taken.
  const endless = await attempt((_, response) => void response.writeHead(200).write('{'), settings);
  assert.deepEqual(endless.sent, { status: 'unavailable', message: 'its answer broke off' });
  let pulled = 0;
  const flood = (): ReadableStream<Uint8Array> =>
    new ReadableStream({
      pull(controller) {
        pulled++;
        controller.enqueue(new Uint8Array(1_048_576));
      },
    });
  const sender = createOtlpSender(
    { url: 'http://backend.test/', headers: {}, timeoutMillis: 60_000, maxRetryMillis: 0 },
    {
      fetch: async () => new Response(flood(), { status: 400 }),
      now: () => 0,
      random: () => 0,
      sleep: async () => {},
    },
  );
  assert.deepEqual(await sender.send(BODY, undefined, () => {}), { status: 'refused', message: 'HTTP 400' });
  assert.ok(pulled <= 6, `${pulled} MiB were read`);
});

test('OTLP sender: stops when it is told to', async () => {
  const controller = new AbortController();
  const { sent, requestCount } = await attempt(() => controller.abort(), {}, controller.signal);
  assert.deepEqual([sent, requestCount], [{ status: 'unavailable', message: 'it was stopped' }, 1]);
  assert.equal((await attempt(status(200), {}, controller.signal)).requestCount, 0);
});

test('OTLP sender: headers that cannot be had are told, and nothing secret is', async () => {
  const failing: unknown[] = [
    () => {
      throw new Error('secret');
    },
    async () => Promise.reject(new Error('secret')),
    () => ({ 'x-bad\n': 'secret' }),
    () => ({ token: undefined }),
    () => undefined,
    () => new Promise(() => {}),
  ];
  for (const headers of failing) {
    const { sent } = await attempt(status(200), { headers: headers as () => never, timeoutMillis: 50 });
    assert.deepEqual(sent, { status: 'unavailable', message: 'the headers function failed' });
  }
  const headers = { authorization: 'Bearer abcdef123456', 'x-scope': 'tenant-17' };
  const echo = 'Bearer abcdef123456 or abcdef123456 of tenant-17 at https://user:pw@host/path';
  const { sent } = await attempt(status(400, echo), { headers });
  assert.equal(sent.message, 'HTTP 400: … or … of … at https://host/path');
  const nobody = { url: 'http://127.0.0.1:9/?key=secret', maxRetryMillis: 0 };
  const { sent: lost } = await attempt(status(200), nobody);
  assert.match(lost.message ?? '', /^no answer( \([A-Z_]+\))?$/);
});

test('OTLP sender: Retry-After by the examples of RFC 9110, and what is none', () => {
  const parse = (value: string, date?: string): number | undefined =>
    parseRetryAfter(
      new Headers({ 'retry-after': value, ...(date && { date }) }),
      Date.UTC(1999, 11, 31, 23, 59, 0),
    );
  assert.equal(parse('120'), 120_000);
  assert.equal(parse('Fri, 31 Dec 1999 23:59:59 GMT'), 59_000);
  assert.equal(parse('Fri, 31 Dec 1999 23:59:59 GMT', 'Fri, 31 Dec 1999 23:59:50 GMT'), 9_000);
  assert.equal(parse('Fri, 31 Dec 1999 23:00:00 GMT'), 0);
  assert.equal(parse('soon'), undefined);
  assert.equal(parse('9'.repeat(400)), undefined);
  assert.equal(parseRetryAfter(new Headers(), 0), undefined);
});
