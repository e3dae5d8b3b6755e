import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseRequest } from './parse-otlp.mjs';
import { createTraces, FRAGMENT_NAME } from './traces.mjs';

const TRACE = 'a'.repeat(32);
const ROOT = '1'.repeat(16);
const CHILD = '2'.repeat(16);

const add = (traces, key, ...spans) => addOf('shop', traces, key, ...spans);

function addOf(service, traces, key, ...spans) {
  const resource = { attributes: [{ key: 'service.name', value: { stringValue: service } }] };
  const request = {
    resourceSpans: [
      { resource, scopeSpans: [{ spans: spans.map((span) => ({ traceId: TRACE, ...span })) }] },
    ],
  };
  traces.add({ key, size: 100, uploadedAt: 1 }, parseRequest(request).traces);
}
const root = { spanId: ROOT, name: 'route /', startTimeUnixNano: '1000', endTimeUnixNano: '5000' };
const child = {
  spanId: CHILD,
  parentSpanId: ROOT,
  name: 'GET',
  startTimeUnixNano: '900',
  endTimeUnixNano: '4000',
};

test('traces: parts meet by trace id, whichever comes first', () => {
  for (const order of [
    [root, child],
    [child, root],
  ]) {
    const traces = createTraces();
    for (const [index, span] of order.entries()) add(traces, `object-${index}`, span);
    const { summary, parts } = traces.get(TRACE);
    assert.equal(parts.length, 2);
    assert.deepEqual(
      [summary.rootName, summary.hasRoot, summary.spanCount, summary.start, summary.duration],
      ['route /', true, 2, 900n, 4100n],
    );
  }
});

test('traces: a span that came twice is kept once, in its longer form, in either order', () => {
  const cut = { ...root, endTimeUnixNano: '2000' };
  for (const order of [
    [root, cut],
    [cut, root],
  ]) {
    const traces = createTraces();
    for (const [index, span] of order.entries()) add(traces, `object-${index}`, span);
    const trace = traces.get(TRACE);
    assert.equal(trace.spans.size, 1);
    assert.equal(trace.duplicates, 1);
    assert.equal(trace.spans.get(ROOT).end, 5000n);
  }
});

test('traces: the same object twice changes nothing', () => {
  const traces = createTraces();
  add(traces, 'object', root);
  const { revision } = traces.get(TRACE);
  add(traces, 'object', root);
  assert.equal(traces.get(TRACE).duplicates, 0);
  assert.equal(traces.get(TRACE).revision, revision);
});

test('traces: without a root the earliest span stands for it, and it is said', () => {
  const traces = createTraces();
  const orphans = [
    { ...child, spanId: '3'.repeat(16), name: 'timeless', startTimeUnixNano: undefined },
    { ...child, spanId: '4'.repeat(16), name: 'later', startTimeUnixNano: '2000' },
    { ...child, name: 'first' },
  ];
  add(traces, 'object', ...orphans);
  assert.equal(traces.get(TRACE).summary.rootName, FRAGMENT_NAME);
  assert.equal(traces.get(TRACE).summary.partNames, 'first, timeless, later');
  assert.equal(traces.get(TRACE).summary.hasRoot, false);
});

test('traces: spans without any time make a trace without a start', () => {
  const traces = createTraces();
  add(traces, 'object', { spanId: ROOT });
  const { start, duration } = traces.get(TRACE).summary;
  assert.deepEqual([start, duration], [undefined, 0n]);
});

test('traces: the page is where the visitor was, not where a fetch went', () => {
  const url = (text) => [{ key: 'url.full', value: { stringValue: text } }];
  const request = { ...child, kind: 3, attributes: url('https://api/') };
  const traces = createTraces();
  add(traces, 'one', request);
  assert.equal(traces.get(TRACE).summary.pageUrl, '');
  add(traces, 'two', { ...root, attributes: url('https://shop/') });
  assert.equal(traces.get(TRACE).summary.pageUrl, 'https://shop/');
});

test('traces: errors are counted, and newest come first', () => {
  const traces = createTraces();
  add(traces, 'one', { ...root, status: { code: 2 } }, { ...child, status: { code: 1 } });
  add(traces, 'two', { ...root, traceId: 'b'.repeat(32), startTimeUnixNano: '2000' });
  assert.deepEqual(
    traces.list().map(({ traceId, summary }) => [traceId[0], summary.errorCount]),
    [
      ['b', 0],
      ['a', 1],
    ],
  );
});

test('traces: the oldest go when there are too many', () => {
  const traces = createTraces();
  const spans = Array.from({ length: 2100 }, (_, index) => ({
    ...root,
    traceId: (index + 1).toString(16).padStart(32, '0'),
    startTimeUnixNano: String(1000 + index),
  }));
  add(traces, 'object', ...spans);
  assert.equal(traces.list().length, 2000);
  assert.equal(traces.get('1'.padStart(32, '0')), undefined);
});

test('traces: an activity names its trace and says how long it was, whatever it continues or came later', () => {
  const traces = createTraces();
  const type = { key: 'spandrel.activity.type', value: { stringValue: 'load' } };
  const late = { ...child, startTimeUnixNano: '9000', endTimeUnixNano: '9500' };
  add(traces, 'one', { ...root, name: 'load /', parentSpanId: '9'.repeat(16), attributes: [type] }, late);
  const { rootName, hasRoot, duration, extent, kind } = traces.get(TRACE).summary;
  assert.deepEqual([rootName, hasRoot, duration, extent, kind], ['load /', true, 4000n, 8500n, 'load']);
});

test('traces: parts of several services meet in one trace, whichever comes first', () => {
  const type = { key: 'spandrel.activity.type', value: { stringValue: 'interaction' } };
  const click = { ...root, name: 'click Add to cart', attributes: [type] };
  const server = {
    spanId: '5'.repeat(16),
    parentSpanId: CHILD,
    name: 'POST',
    kind: 2,
    startTimeUnixNano: '1500',
    endTimeUnixNano: '3000',
  };
  const step = { ...server, spanId: '6'.repeat(16), parentSpanId: server.spanId, name: 'price', kind: 1 };
  const page = (traces) => addOf('shop', traces, 'page', click, { ...child, kind: 3 });
  // What ends first comes first, and a clock that stands still says they began as one.
  const worker = (traces) => addOf('shop-api', traces, 'worker', step, server);

  const traces = createTraces();
  worker(traces);
  const early = traces.get(TRACE).summary;
  assert.deepEqual([early.rootName, early.hasRoot, early.kind], ['POST', false, 'request']);
  page(traces);
  const other = createTraces();
  page(other);
  worker(other);
  for (const { summary, spans } of [traces.get(TRACE), other.get(TRACE)]) {
    assert.deepEqual(
      [summary.rootName, summary.hasRoot, summary.kind, summary.spanCount],
      ['click Add to cart', true, 'interaction', 4],
    );
    assert.deepEqual(summary.services, ['shop', 'shop-api']);
    assert.equal(spans.get(server.spanId).parentSpanId, CHILD);
  }
});

// Tried as well: each kind of late part (a vital, a long frame, an error), alone and together; a server's part beside one.
test('traces: a part whose root is not read says that it is a part, and what of', () => {
  const late = (spanId, name, more) => ({ ...child, spanId: spanId.repeat(16), name, ...more });
  const cls = late('7', 'web-vital CLS', { startTimeUnixNano: '9000', endTimeUnixNano: '9000' });
  const frame = late('8', 'long-animation-frame');
  const told = (...spans) => {
    const traces = createTraces();
    add(traces, 'object', ...spans);
    const { rootName, isFragment, partNames, searchText } = traces.get(TRACE).summary;
    assert.match(searchText, /cls|frame/);
    return [rootName, isFragment, partNames];
  };
  assert.deepEqual(told(cls), [FRAGMENT_NAME, true, 'web-vital CLS']);
  assert.deepEqual(told(cls, frame), [FRAGMENT_NAME, true, 'long-animation-frame, web-vital CLS']);
  // A server's part stands for itself, whatever else came early.
  const server = late('9', 'GET /', { kind: 2, startTimeUnixNano: '9500', endTimeUnixNano: '9900' });
  assert.deepEqual(told(cls, frame, server), ['GET /', false, '']);
  assert.deepEqual(told(cls, root), ['route /', false, '']);
});

test('traces: one is news as long as nothing of it was asked for', () => {
  const isNews = (...parts) => {
    const traces = createTraces();
    for (const [index, news] of parts.entries()) {
      const request = { resourceSpans: [{ scopeSpans: [{ spans: [{ ...root, traceId: TRACE }] }] }] };
      traces.add({ key: `${index}`, size: 1, uploadedAt: 1 }, parseRequest(request).traces, news);
    }
    return traces.get(TRACE).isNews;
  };
  assert.deepEqual(
    [isNews(true), isNews(true, true), isNews(false, true), isNews(true, false)],
    [true, true, false, false],
  );
});
