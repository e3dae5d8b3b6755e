import assert from 'node:assert/strict';
import { test } from 'node:test';
import { foldMessage, groupErrors, occurrencesOf, projectOf } from './error-groups.mjs';
import { parseRequest } from './parse-otlp.mjs';
import { createTraces } from './traces.mjs';

const KEY = 'otlp/v1/shop/production/year=2026/month=11/day=21/hour=03/minute=04/traces_a.json.gz';
const APP = 'https://shop.example/assets/app-4f2a9c.js';
let ids = 0;

/** @param {Record<string, string>} values */
const attributes = (values) =>
  Object.entries(values).map(([key, stringValue]) => ({ key, value: { stringValue } }));

/**
 * A trace of one span with one error.
 *
 * @param {{ type?: string, message?: string, stack?: string, release?: string, at?: number, session?: string, user?: string,
 *   probability?: string }} error `at` in seconds
 */
function traceOf({
  type = 'TypeError',
  message = 'x',
  stack = '',
  release = '',
  at = 1,
  session = '',
  user = '',
  probability = '',
}) {
  const id = (++ids).toString(16);
  const nano = `${at}000000000`;
  const request = {
    resourceSpans: [
      {
        resource: { attributes: attributes({ 'service.name': 'shop', 'service.version': release }) },
        scopeSpans: [
          {
            spans: [
              {
                traceId: id.padStart(32, '0'),
                spanId: id.padStart(16, '0'),
                name: 'click',
                startTimeUnixNano: nano,
                endTimeUnixNano: nano,
                attributes: attributes({
                  'session.id': session,
                  'user.id': user,
                  'spandrel.activity.type': 'interaction',
                  'spandrel.sampling.probability': probability,
                  'url.template': '/cart',
                }),
                events: [
                  {
                    name: 'exception',
                    timeUnixNano: nano,
                    attributes: attributes({
                      'exception.type': type,
                      'exception.message': message,
                      'exception.stacktrace': stack,
                    }),
                  },
                ],
              },
            ],
          },
        ],
      },
    ],
  };
  return request;
}

/** @param {Parameters<typeof traceOf>[0][]} errors */
function occurrences(errors) {
  const traces = createTraces();
  errors.forEach((error, index) => {
    traces.add(
      { key: KEY.replace('_a', `_${index}`), size: 1, uploadedAt: 1 },
      parseRequest(traceOf(error)).traces,
    );
  });
  return occurrencesOf(traces.list());
}

const none = () => undefined;
const place = (source, called, isOwn = true) => ({
  text: '',
  called,
  place: { source, line: 1, column: 1, isOwn },
});

test('error groups: numbers and ids are folded, words are not', () => {
  assert.equal(foldMessage('Item 17 of 3.5 kB'), 'Item # of # kB');
  assert.equal(foldMessage('No order 3f2a0c1e-7d4b-4a5e-9c33-0123456789ab'), 'No order #');
  assert.equal(foldMessage('commit a1b2c3d4e5 failed'), 'commit # failed');
  assert.equal(
    foldMessage('https://shop.example/a?token=1x answered 500'),
    'https://shop.example/a answered #',
  );
  assert.equal(foldMessage("reading 'street' deadbeef"), "reading 'street' deadbeef");
});

test('error groups: one error of two releases is one, and says whom it met and since when', () => {
  const line = (hash, at) => `TypeError: x\n    at r (https://shop.example/assets/app-${hash}.js:1:${at})`;
  const [group, ...others] = groupErrors(
    occurrences([
      { message: 'no item 1', stack: line('4f2a9c', 10), release: '1.0', at: 30, session: 'a', user: 'u1' },
      { message: 'no item 22', stack: line('77ab01', 99), release: '1.1', at: 10, session: 'a', user: 'u1' },
      {
        message: 'no item 3',
        stack: line('4f2a9c', 10),
        release: '1.0',
        at: 5,
        session: 'b',
        user: 'u2',
        probability: '0.1',
      },
    ]),
    none,
  );
  assert.deepEqual(others, []);
  const { type, message, count, estimate, users, sessions, first, last, releases, routes } = group;
  assert.deepEqual(
    { type, message, count, estimate, users, sessions, first, last, releases, routes },
    {
      ...{ type: 'TypeError', message: 'no item #', count: 3, estimate: 12, users: 2, sessions: 2 },
      ...{ first: 5_000_000_000n, last: 30_000_000_000n, releases: ['1.1', '1.0'], routes: ['/cart'] },
    },
  );
  assert.deepEqual(
    group.examples.map(({ exception }) => exception.message),
    ['no item 1', 'no item 22', 'no item 3'],
  );
  assert.equal(group.examples[0].project, 'shop');
});

test('error groups: type, message and place tell them apart, and those of most visits come first', () => {
  const stack = `f@${APP}:1:1`;
  const groups = groupErrors(
    occurrences([
      { type: 'A', stack, session: '1' },
      { type: 'B', stack, session: '1' },
      { type: 'B', stack, session: '2' },
      { type: 'B', stack: 'f@https://shop.example/late.js:1:1', session: '1' },
      { type: 'B', message: 'y', stack, session: '1' },
    ]),
    none,
  );
  assert.equal(groups.length, 4);
  assert.deepEqual([groups[0].type, groups[0].sessions, groups[0].place], ['B', 2, '/assets/app.js']);
  assert.equal(new Set(groups.map(({ id }) => id)).size, 4);
});

test("error groups: where stacks are resolved, the page's own frames tell, and what a package does in between does not", () => {
  const all = occurrences([{ stack: `a@${APP}:1:1` }, { stack: `b@${APP}:1:2` }, { stack: `c@${APP}:1:3` }]);
  const answers = [
    [place('node_modules/x.js', 'each', false), place('src/cart.ts', 'add')],
    [place('src/cart.ts', 'add')],
    [place('src/cart.ts', 'remove')],
  ];
  const groups = groupErrors(all, (one) => ({ lines: answers[all.indexOf(one)], isResolved: true }));
  assert.deepEqual(
    groups.map((group) => [group.place, group.count]),
    [
      ['add (src/cart.ts)', 2],
      ['remove (src/cart.ts)', 1],
    ],
  );
});

test('error groups: the project is that of the key', () => {
  assert.equal(projectOf(KEY), 'shop');
  assert.equal(projectOf('a.json'), 'default');
});

test('error groups: stacks that are made to cost cost little', () => {
  const begun = process.cpuUsage();
  for (const piece of ['at (', 'a://', '@', ':1:1 ', 'at a://b/']) {
    groupErrors(
      occurrences([{ stack: `${piece.repeat(3_000)}\n`.repeat(50), message: piece.repeat(5_000) }]),
      none,
    );
  }
  assert.ok(process.cpuUsage(begun).user < 3_000_000);
});
