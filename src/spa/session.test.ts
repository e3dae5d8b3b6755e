import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { BasicTracerProvider } from '@opentelemetry/sdk-trace-web';
import type { ReadableSpan } from '../pipeline/model.js';
import { testClient } from '../testing/client.js';
import { type TestOrigin, testOrigin } from '../testing/origin.js';
import { settle, type TestPlatform, testPlatform } from '../testing/platform.js';
import { createSession, type Session, sessionProcessor } from './session.js';

const MINUTE = 60_000;
const NOTE = 'spandrel-1 session';

const previousOf = (session: Session) => session.attributes(true)['session.previous_id'];
const startOf = (session: Session) =>
  Date.parse(String(session.attributes(true)['spandrel.session.started_at']));

interface Tab {
  session: Session;
  platform: TestPlatform;
}

function openTab(origin: TestOrigin | undefined, seed = 1, nowMillis?: number): Tab {
  const platform = testPlatform({ origin, seed, ...(nowMillis && { nowMillis }) });
  const session = createSession({ platform, notes: () => platform.notes });
  platform.onNote((name) => name === NOTE && session.changed());
  return { session, platform };
}

test('session: an id of 32 hex digits that lasts as long as it is used, and no longer than 4 hours', async () => {
  const { session, platform } = openTab(testOrigin());
  const { id } = session;
  assert.match(id, /^[\da-f]{32}$/);
  assert.equal(startOf(session), platform.now());
  assert.equal(previousOf(session), undefined);
  for (let minutes = 0; minutes < 230; minutes += 20) {
    session.touch();
    assert.equal(session.id, id, `after ${minutes} minutes`);
    await platform.advance(20 * MINUTE);
  }
  assert.notEqual(session.id, id, 'after 4 hours');
  assert.equal(previousOf(session), id);
  assert.equal(startOf(session), platform.now());
});

test('session: 30 minutes without use end it; reading is no use', async () => {
  const { session, platform } = openTab(testOrigin());
  const { id } = session;
  await platform.advance(29 * MINUTE);
  assert.equal(session.id, id);
  await platform.advance(MINUTE);
  assert.notEqual(session.id, id);
  assert.equal(previousOf(session), id);
});

test('session: the next page goes on with it, and knows the one before when it has expired', async () => {
  const origin = testOrigin();
  const one = openTab(origin);
  const { id } = one.session;
  const later = (minutes: number): number => one.platform.now() + minutes * MINUTE;
  const two = openTab(origin, 9, later(29));
  assert.equal(two.session.id, id);
  assert.equal(startOf(two.session), startOf(one.session));
  const three = openTab(origin, 10, later(31));
  assert.notEqual(three.session.id, id);
  assert.equal(previousOf(three.session), id);
});

test('session: use in one tab is use in all, written at most every 5 s', async () => {
  const origin = testOrigin();
  const [one, two] = [openTab(origin), openTab(origin, 9)];
  const { id } = one.session;
  assert.equal(two.session.id, id);
  const at = (): number => JSON.parse(origin.notes.get(NOTE) ?? '').usedAt;
  const first = at();
  await one.platform.advance(4_000);
  one.session.touch();
  assert.equal(at(), first);
  for (const { platform } of [one, two]) await platform.advance(25 * MINUTE);
  one.session.touch();
  assert.ok(at() > first);
  for (const { platform } of [one, two]) await platform.advance(25 * MINUTE);
  assert.equal(two.session.id, id);
});

test('session: tabs that begin one at the same moment, unseen by each other, soon agree', async () => {
  for (const [lateMillis, earlier] of [
    [3, 0],
    [-3, 1],
  ] as const) {
    const [origin, apart] = [testOrigin(), testOrigin()];
    const one = openTab(origin);
    const now = one.platform.now();
    const ids = [one.session.id, openTab(apart, 9, now + lateMillis).session.id];
    assert.notEqual(ids[0], ids[1]);
    // The other's write comes last.
    const other = testPlatform({ origin, seed: 9, nowMillis: now + lateMillis });
    const session = createSession({
      platform: other,
      notes: () => (other.monotonic() > 5_000 ? other.notes : undefined),
    });
    assert.equal(session.id, ids[1]);
    await other.advance(1);
    assert.equal(session.id, session.id);
    for (let round = 0; round < 3; round++) {
      for (const { session: each, platform } of [one, { session, platform: other }]) {
        await platform.advance(1_001);
        each.touch();
      }
      await settle();
    }
    assert.equal(one.session.id, session.id);
    assert.equal(session.id, ids[earlier], 'the earlier one stays');
  }
});

test('session: a clock that is set back or forward begins another, and no session lasts for ever', async () => {
  for (const jump of [-600 * MINUTE, -40 * MINUTE, 40 * MINUTE, 600 * MINUTE]) {
    const { session, platform } = openTab(testOrigin());
    const { id } = session;
    platform.jump(jump);
    const next = session.id;
    assert.notEqual(next, id);
    assert.equal(previousOf(session), id);
    assert.equal(session.id, next);
    await platform.advance(31 * MINUTE);
    assert.notEqual(session.id, next);
  }
  const { session, platform } = openTab(testOrigin());
  const { id } = session;
  for (const jump of [-5 * MINUTE, 5 * MINUTE]) {
    platform.jump(jump);
    assert.equal(session.id, id, 'a correction is none');
  }
});

const now = testPlatform().now();
const hostile = { id: 'a'.repeat(32), startedAt: now - 10, usedAt: now };
for (const text of [
  '',
  'null',
  '[]',
  '7',
  '{',
  '{}',
  '"x"',
  'x'.repeat(1_000_000),
  ...[
    { id: 'short' },
    { id: { toString: 1 } },
    { id: '<script>'.repeat(4) },
    { startedAt: null },
    { startedAt: '0' },
    { startedAt: 8e15, usedAt: 9e15 },
    { startedAt: -9e15 },
    { usedAt: now - 100 },
    { usedAt: 1e300 },
    { usedAt: null },
  ].map((fields) => JSON.stringify({ ...hostile, ...fields })),
]) {
  test(`session: ${text.slice(0, 90) || 'nothing'} in the store is no session`, () => {
    const origin = testOrigin();
    origin.notes.set(NOTE, text);
    const { session } = openTab(origin);
    assert.match(session.id, /^[\da-f]{32}$/);
    assert.notEqual(session.id, hostile.id);
    assert.equal(startOf(session), now);
    assert.equal(session.attributes(true)['session.id'], session.id);
    assert.equal(JSON.parse(origin.notes.get(NOTE) ?? '').id, session.id);
  });
}

test('session: what is no id is no previous id either', () => {
  const origin = testOrigin();
  origin.notes.set(NOTE, JSON.stringify({ ...hostile, previousId: '<b>' }));
  const { session } = openTab(origin);
  assert.equal(session.id, hostile.id);
  assert.deepEqual(Object.keys(session.attributes(true)), ['session.id', 'spandrel.session.started_at']);
});

test('session: where nothing is kept, or no more fits, it lasts as long as the page', async () => {
  const full = testOrigin();
  full.notesFull = true;
  for (const origin of [undefined, full]) {
    const { session, platform } = openTab(origin);
    const { id } = session;
    await platform.advance(20 * MINUTE);
    session.touch();
    await platform.advance(20 * MINUTE);
    assert.equal(session.id, id);
  }
});

test('session: deleted by the site or by another tab, another one begins', async () => {
  const origin = testOrigin();
  const { session, platform } = openTab(origin);
  const { id } = session;
  origin.notes.clear();
  await platform.advance(1_000);
  assert.notEqual(session.id, id);
  assert.equal(previousOf(session), undefined);
  session.purge();
  assert.equal(origin.notes.size, 0);
});

/** Spans of a provider of the app's own. */
function ownProvider(options: Parameters<typeof testClient>[0]) {
  const client = testClient(options);
  const ended: ReadableSpan[] = [];
  const processor = sessionProcessor(client.exporter);
  const keep = { ...processor, onStart() {}, onEnd: (span: ReadableSpan) => void ended.push(span) };
  const tracer = new BasicTracerProvider({ spanProcessors: [processor, keep as never] }).getTracer('own');
  return { ...client, ended, tracer, processor };
}

test('session: on every span its id, on local roots what came before and when it began', async () => {
  const { tracer, ended, platform, processor } = ownProvider({ origin: testOrigin() });
  tracer.startSpan('first').end();
  await platform.advance(31 * MINUTE);
  const root = tracer.startSpan('root');
  tracer.startSpan('child', {}, trace.setSpan(ROOT_CONTEXT, root)).end();
  const remote = { ...root.spanContext(), isRemote: true };
  tracer.startSpan('continued', {}, trace.setSpanContext(ROOT_CONTEXT, remote)).end();
  const [first, child, continued] = ended.map(({ attributes }) => attributes);
  assert.match(String(child?.['session.id']), /^[\da-f]{32}$/);
  assert.deepEqual(Object.keys(child ?? {}), ['session.id']);
  assert.deepEqual(continued, {
    'session.id': child?.['session.id'],
    'session.previous_id': first?.['session.id'],
    'spandrel.session.started_at': new Date(platform.now()).toISOString(),
  });
  await processor.shutdown();
});

test('session: its start is told once, by the first root that ends, of the page on which it began', async () => {
  const origin = testOrigin();
  const one = ownProvider({ origin });
  // A click that leads to nothing never ends.
  one.tracer.startSpan('forgotten');
  const root = one.tracer.startSpan('root');
  one.tracer.startSpan('child', {}, trace.setSpan(ROOT_CONTEXT, root)).end();
  root.end();
  one.tracer.startSpan('second').end();
  await one.platform.advance(31 * MINUTE);
  one.tracer.startSpan('later').end();
  const two = ownProvider({ origin, nowMillis: one.platform.now() });
  two.tracer.startSpan('next page').end();
  const told = [...one.ended, ...two.ended].map(({ name, events }) => [
    name,
    ...events.map((event) => [event.name, event.attributes, event.time[0] * 1_000]),
  ]);
  const [first, later] = [root, one.ended.at(-1)].map(
    (span) => (span as unknown as ReadableSpan).attributes['session.id'],
  );
  const [before, after] = [one.platform.now() - 31 * MINUTE, one.platform.now()];
  assert.deepEqual(told, [
    ['child'],
    ['root', ['session.start', { 'session.id': first }, before]],
    ['second'],
    ['later', ['session.start', { 'session.id': later, 'session.previous_id': first }, after]],
    ['next page'],
  ]);
  for (const { processor } of [one, two]) await processor.shutdown();
});

test('session: while consent is pending it is in memory; granted, it is kept; denied, it is gone for good', async () => {
  const origin = testOrigin();
  const { tracer, ended, exporter, platform } = ownProvider({ origin, consent: 'pending' });
  const idNow = (): unknown => {
    tracer.startSpan('x').end();
    return ended.at(-1)?.attributes['session.id'];
  };
  const id = idNow();
  await platform.advance(10_000);
  assert.equal(idNow(), id);
  assert.equal(origin.notes.size, 0);
  exporter.setConsent('granted');
  assert.equal(idNow(), id);
  assert.equal(JSON.parse(origin.notes.get(NOTE) ?? '').id, id);
  exporter.setConsent('denied');
  assert.equal(idNow(), undefined);
  await settle();
  assert.equal(origin.notes.size, 0);
  exporter.setConsent('granted');
  await settle();
  assert.notEqual(idNow(), id);
  assert.equal(ended.at(-1)?.attributes['session.previous_id'], undefined);
});

test('session: the store is asked for once a second, however many spans there are', async () => {
  const platform = testPlatform({ origin: testOrigin() });
  let asked = 0;
  const session = createSession({
    platform,
    notes() {
      asked++;
      return platform.notes;
    },
  });
  session.attributes(true);
  asked = 0;
  for (let span = 0; span < 10; span++) session.attributes(false);
  assert.equal(asked, 0);
  await platform.advance(1_000);
  for (let span = 0; span < 10; span++) session.attributes(false);
  assert.equal(asked, 1);
});
