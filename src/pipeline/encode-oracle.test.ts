import assert from 'node:assert/strict';
import { test } from 'node:test';
import { JsonTraceSerializer } from '@opentelemetry/otlp-transformer';
import { setUp, TRACE_ID } from '../testing/encoding.js';
import { levelled, sdkSpans } from '../testing/sdk-spans.js';
import { bodyOf } from './pack.js';

test('encode: every field is what the official JSON serializer makes of the same spans', () => {
  const spans = sdkSpans();
  const { encoder, dropped } = setUp();
  const ours = encoder.encode({ traceId: TRACE_ID, spans });
  const theirs = JSON.parse(new TextDecoder().decode(JsonTraceSerializer.serializeRequest(spans)));
  assert.ok(ours);
  assert.deepEqual(levelled(JSON.parse(bodyOf([ours]))), levelled(theirs));
  assert.deepEqual(dropped, {});
  // The oracle has seen what it is meant to see.
  const text = JSON.stringify(theirs);
  for (const word of ['"droppedLinksCount":1', '"flags":769', 'parentSpanId', 'schemas/1.44.0', 'vendor=a']) {
    assert.ok(text.includes(word), word);
  }
  assert.equal(theirs.resourceSpans.length, 2);
  assert.equal(theirs.resourceSpans[0].scopeSpans.length, 2);
});
