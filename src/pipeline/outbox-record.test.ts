import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { handMadeBlob } from '../testing/blobs.js';
import type { TraceBlob } from './model.js';
import { blobOf, recordOf, stateOf, tracesOf } from './outbox-record.js';

const bytes = new Uint8Array(gzipSync('{"resourceSpans":[]}'));
const SUMMARY = {
  ...{ traceId: 'a'.repeat(32), rootName: 'GET /', startedAt: 1, durationMs: 2 },
  ...{ spanCount: 3, error: true },
};
const sound = (fields: Partial<TraceBlob> = {}): TraceBlob =>
  handMadeBlob({ bytes, rawBytes: 20, traces: [SUMMARY], spanCount: 3, error: true, ...fields });

/** What the next page makes of a blob, through the database. */
function readBack(blob: TraceBlob, record: object = {}, state: object = {}): TraceBlob | undefined {
  const written = structuredClone([
    { ...recordOf(blob), ...record },
    { ...stateOf(blob), ...state },
  ]);
  return blobOf(blob.id, ...(written as [unknown, unknown]));
}

test('outbox record: a blob comes back as it was', () => {
  const fresh = sound();
  assert.deepEqual(readBack(fresh), { ...fresh, unconfirmed: false });
  const tried = sound({
    ...{ attempts: 2, notBeforeMillis: 1_790_000_000_007, heldUntilMillis: 1_790_000_000_009 },
    ...{ claim: { key: 'k', token: 't', tries: 2 }, unconfirmed: true, relayed: true },
  });
  assert.deepEqual(readBack(tried), tried);
});

test('outbox record: what a relay may have stored is in doubt without a key, too', () => {
  assert.equal(readBack(sound({ relayed: true, unconfirmed: true }))?.unconfirmed, true);
});

test('outbox record: what never changes and what does are apart, and neither is shared with the blob', () => {
  const blob = sound({ claim: { key: 'k', token: 't', tries: 1 }, attempts: 4 });
  const state = stateOf(blob);
  assert.deepEqual(
    Object.keys(recordOf(blob)).filter((name) => name in state),
    [],
  );
  (blob.claim as { tries: number }).tries = 5;
  assert.equal(state.claim?.tries, 1);
  assert.deepEqual(stateOf(sound()), { attempts: 0, notBeforeMillis: 0 });
});

test('outbox record: a request whose page is gone has no answer any more', () => {
  for (const [claim, unconfirmed] of [
    [{ key: 'k', token: 't', tries: 0 }, false],
    [{ key: 'k', token: 't', tries: 1 }, true],
    [{ key: 'k', token: 't', tries: 7 }, true],
  ] as const) {
    assert.equal(readBack(sound({ claim: { ...claim } }))?.unconfirmed, unconfirmed);
  }
});

const gzip = (change: (copy: Uint8Array) => void): { bytes: Uint8Array } => {
  const copy = bytes.slice();
  change(copy);
  return { bytes: copy };
};
for (const [name, fields] of [
  ['another format', { v: 2 }],
  ['no format', { v: undefined }],
  ['no bytes', { bytes: undefined }],
  ['bytes in a list', { bytes: [...bytes] }],
  ['bytes shorter than any gzip', { bytes: Uint8Array.of(0x1f, 0x8b, ...new Uint8Array(11), 20, 0, 0, 0) }],
  ['bytes that begin otherwise', gzip((copy) => copy.set([0x1e], 0))],
  ['bytes whose second one is wrong', gzip((copy) => copy.set([0x8c], 1))],
  ['bytes cut at the end', { bytes: bytes.slice(0, -1) }],
  ['another length of content', { rawBytes: 21 }],
  ['a length in words', { rawBytes: '20' }],
  ['a negative span count', { spanCount: -1 }],
  ['half a span', { spanCount: 1.5 }],
  ['no span count', { spanCount: undefined }],
  ['an instant in words', { sealedAtMillis: 'today' }],
  ['an instant that is none', { sealedAtMillis: Number.NaN }],
  ['no traces', { traces: undefined }],
  ['traces in an object', { traces: {} }],
] as const) {
  test(`outbox record: with ${name} it is none of ours`, () => {
    assert.equal(readBack(sound(), fields), undefined);
  });
}

for (const nothing of [undefined, null, 0, 'text', [], true]) {
  test(`outbox record: ${JSON.stringify(nothing)} is no record, and no state is a fresh one`, () => {
    assert.equal(blobOf('id', nothing, {}), undefined);
    assert.equal(tracesOf(nothing), undefined);
    const blob = sound();
    assert.deepEqual(blobOf(blob.id, recordOf(blob), nothing), { ...blob, unconfirmed: false });
  });
}

for (const [name, record, state, expected] of [
  ['a number from the future', { seq: -3 }, {}, { seq: 0 }],
  ['a page that is no name', { page: 7 }, {}, { page: '7' }],
  ['an error that is none', { error: 'yes' }, {}, { error: false }],
  ['attempts that are no count', {}, { attempts: -1 }, { attempts: 0 }],
  ['an instant that is none', {}, { notBeforeMillis: 'soon' }, { notBeforeMillis: 0 }],
  ['a promise that is none', {}, { heldUntilMillis: -5 }, { heldUntilMillis: undefined }],
  ['doubt that is none', {}, { unconfirmed: 1 }, { unconfirmed: false }],
  ['a relay that was none', {}, { relayed: 'yes' }, { relayed: undefined }],
  ['a claim without a key', {}, { claim: { token: 't', tries: 0 } }, { claim: undefined }],
  ['a claim without a token', {}, { claim: { key: 'k', tries: 0 } }, { claim: undefined }],
  ['a claim in words', {}, { claim: 'k' }, { claim: undefined }],
  ['a claim of objects', {}, { claim: { key: {}, token: {}, tries: 0 } }, { claim: undefined }],
  [
    'tries that are no count',
    {},
    { claim: { key: 'k', token: 't', tries: 'many' } },
    { claim: { key: 'k', token: 't', tries: 1 }, unconfirmed: true },
  ],
] as const) {
  test(`outbox record: ${name} does no harm`, () => {
    const blob = readBack(sound(), record, state) as TraceBlob;
    for (const field in expected) {
      const name = field as keyof typeof expected;
      assert.deepEqual(blob[name], expected[name]);
    }
  });
}

const JSON_TEXT = '{"resource":{},"scopeSpans":[]}';
for (const [name, record, isSound] of [
  ['one trace', { v: 1, traces: [{ json: JSON_TEXT, summary: SUMMARY }] }, true],
  [
    'elements beside each other',
    { v: 1, traces: [{ json: `${JSON_TEXT},${JSON_TEXT}`, summary: SUMMARY }] },
    true,
  ],
  ['another format', { v: 2, traces: [] }, false],
  ['traces that are none', { v: 1, traces: {} }, false],
  ['an empty place', { v: 1, traces: [null] }, false],
  ['no summary', { v: 1, traces: [{ json: JSON_TEXT }] }, false],
  ['a summary without a count', { v: 1, traces: [{ json: JSON_TEXT, summary: {} }] }, false],
  ['text that is not JSON', { v: 1, traces: [{ json: '{', summary: SUMMARY }] }, false],
  ['text that closes our list', { v: 1, traces: [{ json: '],"x":[', summary: SUMMARY }] }, false],
  ['no text', { v: 1, traces: [{ summary: SUMMARY }] }, false],
  ['empty text', { v: 1, traces: [{ json: '', summary: SUMMARY }] }, false],
  [
    'one bad of two',
    {
      v: 1,
      traces: [
        { json: JSON_TEXT, summary: SUMMARY },
        { json: '[', summary: SUMMARY },
      ],
    },
    false,
  ],
] as const) {
  test(`outbox record: a checkpoint with ${name} is ${isSound ? 'read' : 'none of ours'}`, () => {
    assert.deepEqual(tracesOf(record), isSound ? record.traces : undefined);
  });
}
