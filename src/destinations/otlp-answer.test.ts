import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer';
import fc from 'fast-check';
import { outcomeOf } from './otlp-answer.js';
import { protobuf } from './otlp-protobuf.js';

const { answerOf } = protobuf(ProtobufTraceSerializer);
const SPANS = 10;
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const JSON_TYPE = 'application/json';
const json = (status: number, body: string, contentType: string | undefined = JSON_TYPE) =>
  outcomeOf({ status, body, bytes: utf8(body), contentType }, SPANS);
/** As the platform hands it over: bytes that are no text are damaged in `body`. */
const binary = (bytes: Uint8Array, contentType: string | undefined = 'application/x-protobuf') =>
  outcomeOf({ status: 200, body: new TextDecoder().decode(bytes), bytes, contentType }, SPANS, answerOf);

for (let status = 0; status < 600; status = status ? status + 1 : 100) {
  const expected =
    status >= 200 && status < 300
      ? 'stored'
      : [0, 429, 502, 503, 504].includes(status)
        ? 'retryable'
        : 'rejected';
  const { outcome } = outcomeOf({ status, body: '{}', contentType: JSON_TYPE, retryAfterMillis: 7 }, SPANS);
  if (status % 100 < 30) {
    test(`otlp answer: ${status} is ${expected}`, () => assert.equal(outcome.status, expected));
  } else assert.equal(outcome.status, expected, String(status));
}

test('otlp answer: a retryable one has the patience asked for, and says why', () => {
  const answer = { status: 503, body: '{"code":14,"message":"queue full"}', retryAfterMillis: 9_000 };
  assert.deepEqual(outcomeOf(answer, SPANS).outcome, {
    ...{ status: 'retryable', retryAfterMillis: 9_000, cause: 'HTTP 503: queue full' },
  });
  const none = outcomeOf({ status: 0, body: 'TypeError: Failed to fetch' }, SPANS).outcome;
  assert.deepEqual(none, {
    ...{ status: 'retryable', retryAfterMillis: undefined, cause: 'TypeError: Failed to fetch' },
  });
});

test('otlp answer: a refusal says why, within bounds', () => {
  const { outcome } = json(400, JSON.stringify({ message: 'x'.repeat(10_000) }));
  assert.deepEqual(outcome, {
    ...{ status: 'rejected', reason: 'rejected', cause: `HTTP 400: ${'x'.repeat(200)}` },
  });
  for (const body of ['', '<html>', '{"message":5}', '[]']) {
    assert.equal((json(404, body).outcome as { cause: string }).cause, 'HTTP 404');
  }
});

for (const [partialSuccess, count] of [
  ['{"rejectedSpans":"3","errorMessage":"too old"}', 3],
  ['{"rejectedSpans":3,"errorMessage":"too old"}', 3],
  ['{"rejectedSpans":"99","errorMessage":"too old"}', SPANS],
  ['{"rejectedSpans":"0"}', 0],
  ['{"rejectedSpans":"-3"}', 0],
  ['{"rejectedSpans":-3}', 0],
  ['{"rejectedSpans":2.5}', 0],
  ['{"rejectedSpans":1e400}', 0],
  ['{"rejectedSpans":"9223372036854775807"}', 0],
  ['{"rejectedSpans":[3]}', 0],
  ['{"rejectedSpans":{}}', 0],
  ['{"rejectedSpans":true}', 0],
  ['{"rejectedSpans":"many"}', 0],
  ['{"rejectedSpans":null}', 0],
  ['"3"', 0],
  ['null', 0],
  ['[]', 0],
] as const) {
  test(`otlp answer: of ${SPANS} spans, ${partialSuccess} rejects ${count}`, () => {
    const { outcome } = json(200, `{"partialSuccess":${partialSuccess}}`);
    const rejected = { spanCount: count, cause: 'too old' };
    assert.deepEqual(outcome, { status: 'stored', ...(count && { rejected }) });
  });
}

test('otlp answer: rejected without a word', () => {
  const { outcome } = json(200, '{"partialSuccess":{"rejectedSpans":1}}');
  assert.deepEqual(outcome, {
    status: 'stored',
    rejected: { spanCount: 1, cause: 'the collector gave no reason' },
  });
});

test('otlp answer: a word without a rejection is a warning', () => {
  const said = `{"partialSuccess":{"errorMessage":"${'use gRPC '.repeat(100)}"}}`;
  assert.deepEqual(json(202, said), {
    outcome: { status: 'stored' },
    warning: 'use gRPC '.repeat(100).slice(0, 200).trim(),
  });
});

// Others of the kind that were tried: redirects (`redirect: 'error'`, or status 0 at the edge), and bodies that broke off
// (no answer at all); see `open-otlp.test.ts` and `forward/otlp-sender.test.ts`.
for (const [name, status, contentType, body] of [
  ['a login page', 200, 'text/html', '<!doctype html><title>Sign in</title>'],
  ['a login page that says it is JSON', 200, 'application/json', '<html>'],
  ['a login page that says it is protobuf', 200, 'application/x-protobuf', '<html>'],
  ['a login page of no type', 200, undefined, '<html>'],
  ['a page for a browser without scripts', 200, 'application/xhtml+xml', '<html/>'],
  ['no content', 204, undefined, ''],
  ['no content, created', 201, undefined, ''],
  ['nothing', 200, undefined, ''],
  ['nothing, in JSON', 200, 'application/json', ''],
  ['nothing, in text', 200, 'text/plain', ''],
  ['a health check', 200, 'text/plain', 'ok'],
  ['JSON of another type', 200, 'text/html', '{}'],
  ['half of a JSON', 200, 'application/json', '{"partialSuccess"'],
  ['null', 200, 'application/json', 'null'],
  ['a number', 200, 'application/json', '5'],
  ['a list', 200, 'application/json', '[]'],
  ['a bomb', 200, 'application/json', '['.repeat(200_000)],
  ['a gateway’s error', 200, 'application/json', '{"error":"sign in"}'],
  ['google.rpc.Status', 200, 'application/json', '{"code":16,"message":"sign in"}'],
  ['a pixel', 200, 'image/gif', 'GIF89a'],
  ['a stream of events', 200, 'text/event-stream', 'data: {}\n\n'],
] as const) {
  for (const format of ['JSON', 'protobuf'] as const) {
    test(`otlp answer: to ${format}, ${name} is no OTLP answer: tried again, and told`, () => {
      const answer = { status, contentType, body, bytes: utf8(body) };
      const { outcome } = outcomeOf(answer, SPANS, format === 'JSON' ? undefined : answerOf);
      assert.equal(outcome.status, 'retryable');
      assert.match((outcome as { cause: string }).cause, /no OTLP answer/);
    });
  }
}

for (const [name, status, contentType, body] of [
  ['an empty object', 200, 'application/json', '{}'],
  ['with a charset', 200, 'Application/JSON; charset=utf-8', ' {}\n'],
  ['of no type', 200, undefined, '{}'],
  ['of the type that it gets by itself', 200, 'text/plain;charset=UTF-8', '{}'],
  ['accepted', 202, 'application/json', '{}'],
  ['with names that we do not know', 200, 'application/json', '{"requestId":"7"}'],
  ['nothing of it', 200, 'application/json', '{"partialSuccess":null}'],
  ['zero bytes of protobuf, which are an empty message', 200, 'application/x-protobuf', ''],
  ['a message of protobuf, which nobody here can read', 200, 'application/x-protobuf', '\n\x02\b\x01'],
] as const) {
  test(`otlp answer: ${name}: stored`, () => {
    assert.deepEqual(json(status, body, contentType), { outcome: { status: 'stored' } });
  });
}

// 0a: field 1, length-delimited. 08: field 1, varint. 12: field 2, length-delimited.
for (const [name, bytes, expected] of [
  ['nothing', [], {}],
  ['3 rejected', [0x0a, 5, 0x08, 3, 0x12, 1, 0x61], { rejected: { spanCount: 3, cause: 'a' } }],
  [
    // 0x80 is no UTF-8: as text it would be U+FFFD.
    '128 rejected',
    [0x0a, 6, 0x08, 0x80, 0x01, 0x12, 1, 0x61],
    { rejected: { spanCount: SPANS, cause: 'a' } },
  ],
  ['-1 rejected', [0x0a, 11, 0x08, ...Array(9).fill(0xff), 0x01], {}],
  ['an endless varint', [0x0a, 40, 0x08, ...Array(100).fill(0xff)], undefined],
  ['a length beyond the end', [0x0a, 0x7f, 0x08], undefined],
  ['an unknown field', [0x1a, 2, 1, 1, 0x0a, 2, 0x08, 1], { rejected: { spanCount: 1 } }],
  ['a group', [0x0b, 0x0a, 2, 0x08, 1], undefined],
] as const) {
  test(`otlp answer: protobuf with ${name}`, () => {
    const { outcome } = binary(Uint8Array.from(bytes));
    if (!expected) assert.equal(outcome.status, 'retryable');
    else if ('rejected' in expected && !('cause' in expected.rejected)) {
      assert.equal((outcome as { rejected: { spanCount: number } }).rejected.spanCount, 1);
    } else assert.deepEqual(outcome, { status: 'stored', ...expected });
  });
}

test('otlp answer: JSON in answer to protobuf is read as well', () => {
  const { outcome } = binary(utf8('{"partialSuccess":{"rejectedSpans":"2","errorMessage":"a"}}'), JSON_TYPE);
  assert.deepEqual(outcome, { status: 'stored', rejected: { spanCount: 2, cause: 'a' } });
});

test('otlp answer: no bytes whatever make it throw, or reject more than there is', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), fc.boolean(), (bytes, isPartial) => {
      const content = isPartial ? Uint8Array.of(0x0a, bytes.length, ...bytes) : bytes;
      const { outcome } = binary(content);
      if (outcome.status !== 'stored' || !outcome.rejected) return;
      assert.ok(outcome.rejected.spanCount > 0 && outcome.rejected.spanCount <= SPANS);
    }),
    { numRuns: 2_000 },
  );
});
