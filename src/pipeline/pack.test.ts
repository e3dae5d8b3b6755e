import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EncodedTrace } from './model.js';
import { bodyOf, packTraces } from './pack.js';

const summary = { traceId: '', rootName: '', startedAt: 0, durationMs: 0, spanCount: 1, error: false };
const traces: EncodedTrace[] = ['{"a":1}', '{"b":2}', '{"c":"over the limit"}', '{"d":4}'].map((json) => ({
  json,
  summary,
}));
const [a, b, c, d] = traces;

test('pack: fills packs in order up to the characters, commas counted', () => {
  assert.deepEqual(packTraces(traces, { maxRawChars: 15, maxTraces: 10 }), [[a, b], [c], [d]]);
  assert.deepEqual(packTraces(traces, { maxRawChars: 14, maxTraces: 10 }), [[a], [b], [c], [d]]);
  assert.deepEqual(packTraces(traces, { maxRawChars: 1, maxTraces: 10 }), [[a], [b], [c], [d]]);
});

test('pack: no pack has more traces than allowed', () => {
  assert.deepEqual(packTraces(traces, { maxRawChars: 1_000, maxTraces: 3 }), [[a, b, c], [d]]);
  assert.deepEqual(packTraces(traces, { maxRawChars: 1_000, maxTraces: 1 }), [[a], [b], [c], [d]]);
});

test('pack: no traces make no packs', () => {
  assert.deepEqual(packTraces([], { maxRawChars: 1, maxTraces: 1 }), []);
});

test('pack: the body is one request that holds the traces in order', () => {
  assert.deepEqual(JSON.parse(bodyOf(traces.slice(0, 2))), { resourceSpans: [{ a: 1 }, { b: 2 }] });
  assert.deepEqual(JSON.parse(bodyOf([])), { resourceSpans: [] });
});
