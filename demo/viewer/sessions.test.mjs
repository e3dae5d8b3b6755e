import assert from 'node:assert/strict';
import { test } from 'node:test';
import { estimateCount, gatherSessions } from './sessions.mjs';

const HOUR = 3_600_000_000_000n;
/** What is looked at of a trace. @param {string} id @param {bigint | undefined} start @param {Record<string, any>} [summary] */
const trace = (id, start, summary = {}) =>
  /** @type {import('./traces.mjs').Trace} */ (
    /** @type {unknown} */ ({
      traceId: `${id}${start}`,
      summary: {
        start,
        extent: 10n,
        errorCount: 0,
        activity: {},
        vitals: [],
        services: ['shop'],
        probability: 1,
        keptFor: '',
        session: { id, previousId: '', startedAt: undefined, ...summary.told },
        ...summary,
      },
    })
  );

test('sessions: traces meet by session, in the order of time; the latest session comes first', () => {
  const traces = [
    trace('b', 300n),
    trace('a', 200n, { errorCount: 2, activity: undefined }),
    trace('a', 100n, { errorCount: 1 }),
    /** @type {import('./traces.mjs').Trace} */ (
      /** @type {unknown} */ ({ traceId: 'none', summary: { session: undefined } })
    ),
  ];
  assert.deepEqual(
    gatherSessions(traces).map((session) => [
      session.id,
      session.traces.map(({ traceId }) => traceId),
      session.start,
      session.duration,
      session.errorCount,
      session.activityCount,
    ]),
    [
      ['b', ['b300'], 300n, 10n, 0, 1],
      ['a', ['a100', 'a200'], 100n, 110n, 3, 1],
    ],
  );
  assert.equal(traces[0].traceId, 'b300', 'the list is left as it was');
});

test('sessions: one begins when it says so, unless that cannot be', () => {
  const start = (startedAt, first) => gatherSessions([trace('a', first, { told: { startedAt } })])[0].start;
  assert.equal(start(50n, 100n), 50n);
  assert.equal(start(150n, 100n), 100n);
  assert.equal(start(1n, 100n * HOUR), 100n * HOUR);
  assert.equal(start(undefined, 100n), 100n);
  assert.equal(start(50n, undefined), 50n);
});

test('sessions: each knows the one before and the one after', () => {
  const [later, earlier] = gatherSessions([
    trace('b', 300n, { told: { previousId: 'a' } }),
    trace('a', 100n, { told: { previousId: 'unread' } }),
  ]);
  assert.deepEqual([later.previousId, later.nextId], ['a', '']);
  assert.deepEqual([earlier.previousId, earlier.nextId], ['unread', 'b']);
  assert.equal(gatherSessions([trace('a', 1n, { told: { previousId: 'a' } })])[0].previousId, '');
});

test('sessions: what only one trace tells is told of the session', () => {
  const [session] = gatherSessions([
    trace('a', 300n),
    trace('a', 200n, { told: { previousId: 'z' } }),
    trace('a', 100n, { told: { startedAt: 90n } }),
  ]);
  assert.deepEqual([session.start, session.previousId], [90n, 'z']);
});

test('sessions: who was known in it, in the order of time', () => {
  const traces = [
    trace('a', 300n, { user: 'u' }),
    trace('a', 200n, { user: 'v' }),
    trace('a', 150n, { user: 'u' }),
  ];
  assert.deepEqual(gatherSessions([...traces, trace('a', 100n, { user: '' })])[0].users, ['u', 'v']);
});

test('sessions: the worst vitals of all traces', () => {
  const lcp = (value, rating) => ({ vitals: [{ name: 'LCP', value, rating }] });
  const [session] = gatherSessions([trace('a', 2n, lcp(900, 'good')), trace('a', 1n, lcp(5_000, 'poor'))]);
  assert.deepEqual(session.vitals, [{ name: 'LCP', value: 5_000, rating: 'poor' }]);
});

test('sessions: a trace that was kept by chance stands for those that were not', () => {
  assert.equal(estimateCount([]), 0);
  assert.equal(estimateCount([trace('a', 1n, { probability: 0.1 }), trace('a', 2n)]), 11);
  assert.equal(estimateCount([trace('a', 1n, { probability: 0.1, keptFor: 'error' })]), 1);
});
