import assert from 'node:assert/strict';
import { test } from 'node:test';
import { INTERRUPTED, objectOf, request, span, spansIn } from '../testing/forward.js';
import { createSeenSpans, leaveOutTwins } from './dedupe.js';
import { halve, halveByObject, type PlannedRequest, planRequests } from './merge.js';
import { type ObjectState, piecesOf, requestText, type SpanPiece } from './pieces.js';

const MANY = { maxRequestBytes: 1e6, maxRequestSpans: 1e6 };

/** An object with spans of `[trace, span]`. */
function state(index: number, spans: [number, number, object?][], project = 'shop'): ObjectState {
  const made = spans.map(([trace, id, fields]) => span(trace, id, fields));
  const object: ObjectState = {
    object: objectOf(index, made),
    signal: 'traces',
    index,
    project,
    spanCount: spans.length,
    duplicateCount: 0,
    rejectedCount: 0,
    pieces: [],
    twins: [],
    asStored: false,
    isSent: false,
  };
  object.pieces = piecesOf(object, request(made));
  return object;
}

/** As `object:trace/span`. */
const nameOf = ({ owner, traceId, identity }: SpanPiece): string =>
  `${owner.index}:${Number.parseInt(traceId, 16) - 1}/${Number.parseInt(identity.slice(-16), 16) - 1}`;
const names = (planned: PlannedRequest[]): string[] =>
  planned.map(({ pieces, stored }) => `${stored ? 'stored ' : ''}${pieces.map(nameOf).join(' ')}`);

test('merge: a request is as many spans as it has, under their resources and scopes', () => {
  const json = request([span(0, 0), span(0, 1, { name: 'ä "\\\ud800\\ud800' })]);
  json.resourceSpans[0].schemaUrl = 'https://a.test/';
  json.resourceSpans[0].scopeSpans.push({
    scope: { name: 'other' },
    schemaUrl: 'https://b.test/',
    spans: [span(1, 2)],
  });
  json.resourceSpans.push({ scopeSpans: [{ spans: [span(1, 3)] }] });
  const owner = state(0, []);
  const pieces = piecesOf(owner, json);
  const text = requestText('traces', pieces);
  const expected = structuredClone(json);
  expected.resourceSpans[0].scopeSpans[0].spans[1].name = 'ä "\\\ufffd\\ud800';
  const { resourceSpans } = JSON.parse(text);
  assert.deepEqual(spansIn({ resourceSpans }), spansIn(expected));
  assert.deepEqual({ resourceSpans }, expected);
  const bytes = pieces.reduce((sum, { byteCount }) => sum + byteCount, 0);
  assert.ok(bytes < Buffer.byteLength(text), 'spans alone are less than the whole');
  assert.deepEqual(JSON.parse(requestText('traces', [])), { resourceSpans: [] });
});

test('merge: objects that share a trace go together, and others fill requests in their order', () => {
  const objects = [
    state(0, [[0, 0]]),
    state(1, [[1, 1]]),
    state(2, [
      [0, 2],
      [2, 3],
    ]),
    state(3, [[2, 4]]),
    state(4, [[4, 5]]),
  ];
  assert.deepEqual(names(planRequests(objects, MANY)), ['0:0/0 2:0/2 2:2/3 3:2/4 1:1/1 4:4/5']);
  assert.deepEqual(names(planRequests(objects, { ...MANY, maxRequestSpans: 4 })), [
    '0:0/0 2:0/2 2:2/3 3:2/4',
    '1:1/1 4:4/5',
  ]);
  assert.deepEqual(planRequests([], MANY), []);
});

test('merge: what is too large for a request is divided by traces, and a trace too large by spans', () => {
  const objects = [
    state(0, [
      [0, 0],
      [1, 1],
      [0, 2],
    ]),
    state(1, [
      [1, 3],
      [2, 4],
    ]),
    state(2, [[3, 5]]),
  ];
  assert.deepEqual(names(planRequests(objects, { ...MANY, maxRequestSpans: 3 })), [
    '0:0/0 0:0/2',
    '0:1/1 1:1/3 1:2/4',
    '2:3/5',
  ]);
  assert.deepEqual(names(planRequests(objects, { ...MANY, maxRequestSpans: 1 })).length, 6);
});

test('merge: no request is over its bytes, unless a span alone is', () => {
  const objects = Array.from({ length: 30 }, (_, n) =>
    state(n, [
      [n, n],
      [n, n + 100, { name: 'ä'.repeat(n * 50) }],
    ]),
  );
  const planned = planRequests(objects, { ...MANY, maxRequestBytes: 2_000 });
  assert.equal(planned.flatMap(({ pieces }) => pieces).length, 60);
  for (const { pieces } of planned) {
    assert.ok(Buffer.byteLength(requestText('traces', pieces)) <= 2_000 || pieces.length === 1);
  }
  assert.ok(planned.length < 50, 'and they are filled');
});

test('merge: stored bytes go as they are only where nothing is merged or left out', () => {
  const objects = [
    state(0, [[0, 0]]),
    state(1, [[1, 1]]),
    state(2, [[1, 2]]),
    state(3, [[3, 3]]),
    state(4, [
      [4, 4],
      [5, 5],
    ]),
  ];
  for (const object of objects) object.asStored = true;
  (objects[3] as ObjectState).duplicateCount = 1;
  assert.deepEqual(names(planRequests(objects, MANY)), [
    'stored 0:0/0',
    'stored 4:4/4 4:5/5',
    '1:1/1 2:1/2 3:3/3',
  ]);
  const small = { ...MANY, maxRequestSpans: 1 };
  assert.deepEqual(names(planRequests(objects.slice(4), small)), ['4:4/4', '4:5/5']);
});

test('merge: halves are by objects to find who is to blame, and by traces to become smaller', () => {
  const pieces = [
    state(0, [
      [0, 0],
      [1, 1],
    ]),
    state(1, [[1, 2]]),
    state(2, [[2, 3]]),
  ].flatMap((object) => object.pieces);
  const halves = (pair: [SpanPiece[], SpanPiece[]] | undefined) =>
    pair?.map((half) => half.map(nameOf).join(' '));
  assert.deepEqual(halves(halveByObject(pieces)), ['0:0/0 0:1/1 1:1/2', '2:2/3']);
  assert.equal(halveByObject(pieces.slice(0, 2)), undefined);
  assert.deepEqual(halves(halve(pieces)), ['0:0/0 0:1/1 1:1/2', '2:2/3']);
  assert.deepEqual(halves(halve(pieces.slice(1, 3))), ['0:1/1', '1:1/2']);
  assert.equal(halve(pieces.slice(0, 1)), undefined);
});

test('dedupe: of twins the first that was not interrupted stays, and the others know who stands for them', () => {
  const objects = [
    state(0, [
      [0, 0, INTERRUPTED],
      [0, 1],
      [0, 1],
    ]),
    state(1, [
      [0, 0],
      [0, 1],
      [0, 2, INTERRUPTED],
    ]),
    state(2, [
      [0, 0],
      [0, 2, INTERRUPTED],
      [1, 1],
    ]),
    state(3, [[0, 0]], 'other project'),
  ];
  leaveOutTwins(objects, createSeenSpans(10));
  assert.deepEqual(
    objects.map(({ pieces }) => pieces.map(nameOf).join(' ')),
    ['0:0/1', '1:0/0 1:0/2', '2:1/1', '3:0/0'],
  );
  assert.deepEqual(
    objects.map(({ duplicateCount }) => duplicateCount),
    [2, 1, 2, 0],
  );
  assert.deepEqual(
    objects.map(({ twins }) => twins.map(nameOf).join(' ')),
    ['1:0/0', '0:0/1', '1:0/0 1:0/2', ''],
  );
});

test('dedupe: what was sent is left out later, unless it was interrupted and comes whole', () => {
  const seen = createSeenSpans(2);
  for (const piece of state(0, [
    [0, 0],
    [0, 1, INTERRUPTED],
  ]).pieces)
    seen.add(piece);
  const again = state(1, [
    [0, 0],
    [0, 0, INTERRUPTED],
    [0, 1, INTERRUPTED],
    [0, 1],
  ]);
  leaveOutTwins([again], seen);
  assert.deepEqual(again.pieces.map(nameOf), ['1:0/1']);
  assert.equal(again.duplicateCount, 3);
  // The memory is for two; the longest known is forgotten.
  for (const piece of state(2, [
    [0, 0],
    [5, 5],
  ]).pieces)
    seen.add(piece);
  const later = state(3, [
    [0, 0],
    [0, 1, INTERRUPTED],
    [5, 5],
  ]);
  leaveOutTwins([later], seen);
  assert.deepEqual(later.pieces.map(nameOf), ['3:0/1']);
  const forgetful = createSeenSpans(0);
  for (const piece of later.pieces) forgetful.add(piece);
  assert.ok(later.pieces.every((piece) => !forgetful.has(piece)));
});
