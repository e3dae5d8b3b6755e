import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { gzipOf, testBucket, traceKey } from '../testing/bucket.js';
import { type Json, request, span, spansIn } from '../testing/forward.js';
import { runCompact } from './compact.js';
import type { CompactOptions } from './compact-options.js';
import { checkCompactOptions } from './compact-settings.js';
import { keptAt, parseRetention } from './retention.js';
import type { CompactSummary } from './summary.js';

const DAY = 86_400_000;
const AT = Date.UTC(2026, 10, 21, 3);
const BOT = 'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)';
const CHROME =
  'Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36';

const attributes = (values: Record<string, string>): Json => ({
  attributes: Object.entries(values).map(([key, stringValue]) => ({ key, value: { stringValue } })),
});
const valuesOf = ({ attributes: list }: Json): Record<string, string> =>
  Object.fromEntries(list.map(({ key, value }: Json) => [key, value.stringValue]));

function bucketOf(...requests: Json[]): {
  run(options: Partial<CompactOptions>, nowMillis?: number): Promise<CompactSummary>;
  spans(): Json[];
  keys(): string[];
} {
  const bucket = testBucket();
  for (const [index, json] of requests.entries()) {
    bucket.objects.set(traceKey(AT + index, index), gzipOf(JSON.stringify(json)));
  }
  const keys = (): string[] => bucket.keys('otlp/');
  return {
    keys,
    run: (options, nowMillis = AT + 7_200_000) =>
      runCompact(
        checkCompactOptions({ storage: bucket.view(), now: () => nowMillis, ...options }),
        async () => undefined,
      ),
    spans: () =>
      keys().flatMap((key) => spansIn(JSON.parse(gunzipSync(bucket.objects.get(key) ?? '').toString()))),
  };
}

test('compact: a bot goes with its traces and its session, also where that is all of an object', async () => {
  const { run, spans } = bucketOf(
    request([span(1, 1, attributes({ 'user_agent.original': BOT, 'session.id': 's1' })), span(1, 2)]),
    request([span(2, 3, attributes({ 'session.id': 's1' }))]),
    request([span(3, 4, attributes({ 'user_agent.original': CHROME, 'session.id': 's2' }))]),
  );
  const { botSpans } = await run({ bots: 'drop' });
  assert.equal(botSpans, 3);
  assert.deepEqual(
    spans().map(({ name }) => name),
    ['span 4'],
  );
  const all = bucketOf(request([span(1, 1, attributes({ 'user_agent.original': BOT }))]));
  const summary = await all.run({ bots: 'drop' });
  assert.deepEqual([summary.compacted, summary.written, all.keys()], [1, 0, []]);
});

test('compact: what says itself that nobody sits there is a bot, whatever its user agent', async () => {
  const driven = { 'user_agent.original': CHROME, 'user_agent.synthetic.type': 'test', 'session.id': 's1' };
  const { run, spans } = bucketOf(
    request([span(1, 1, attributes(driven)), span(2, 2, attributes({ 'session.id': 's1' }))]),
    request([span(3, 3, attributes({ 'user_agent.original': CHROME }))]),
  );
  const { botSpans } = await run({ bots: 'drop' });
  assert.equal(botSpans, 2);
  assert.deepEqual(
    spans().map(({ name }) => name),
    ['span 3'],
  );
});

test('compact: browser, system and device are written beside a user agent, and not over what is there', async () => {
  const { run, spans } = bucketOf(
    request([span(1, 1, attributes({ 'user_agent.original': CHROME }))]),
    request([span(2, 2, attributes({ 'user_agent.original': CHROME, 'user_agent.name': 'Mine' }))]),
    request([span(3, 3, attributes({ 'user_agent.original': BOT }))]),
  );
  await run({ agents: true });
  const [first, second, third] = spans().map(valuesOf);
  assert.equal(first?.['user_agent.name'], 'Chrome');
  assert.equal(first?.['user_agent.version'], '142.0.0.0');
  assert.equal(first?.['user_agent.os.name'], 'Android');
  assert.equal(first?.['device.type'], 'mobile');
  assert.equal(second?.['user_agent.name'], 'Mine');
  assert.equal(first?.['user_agent.synthetic.type'], undefined);
  assert.equal(third?.['user_agent.synthetic.type'], 'bot');
});

test('compact: attributes go or are hashed wherever they are, once, also when written again', async () => {
  const holder = attributes({ 'user.id': 'u-42', secret: 'x', kept: 'y' });
  const whole = request([span(1, 1, { ...holder, events: [{ name: 'e', ...holder }], links: [] })]);
  whole.resourceSpans[0].resource = holder;
  const { run, spans } = bucketOf(whole);
  const options = { drop: ['secret'], hash: ['user.id'], hashKey: 'sixteen characters' };
  await run(options);
  const hash = createHmac('sha256', options.hashKey)
    .update('{"stringValue":"u-42"}')
    .digest('hex')
    .slice(0, 32);
  const expected = { 'user.id': `hmac:${hash}`, kept: 'y' };
  const check = (): void => {
    const [one] = spans();
    assert.deepEqual(valuesOf(one), expected);
    assert.deepEqual(valuesOf(one.events[0]), expected);
  };
  check();
  const { written } = await run({ ...options, retain: 'errors 1d' }, AT + 2 * DAY);
  assert.equal(written, 1);
  check();
});

test('compact: traces without errors go at their time, and those with at theirs', async () => {
  const { run, spans, keys } = bucketOf(
    request([span(1, 1, { status: { code: 2 } }), span(1, 2), span(2, 3)]),
    request([span(3, 4, { events: [{ name: 'exception', timeUnixNano: '1' }] })]),
  );
  const retain = 'errors 90d, rest 14d';
  await run({ retain });
  assert.equal(spans().length, 4);
  assert.equal((await run({ retain }, AT + 13 * DAY)).written, 0);
  const { expiredSpans } = await run({ retain }, AT + 15 * DAY);
  assert.equal(expiredSpans, 1);
  assert.deepEqual(
    spans()
      .map(({ name }) => name)
      .sort(),
    ['span 1', 'span 2', 'span 4'],
  );
  assert.equal((await run({ retain }, AT + 16 * DAY)).written, 0);
  await run({ retain }, AT + 91 * DAY);
  assert.deepEqual(keys(), []);
});

test('compact: an object that was never compacted goes at its time, too', async () => {
  const { run, keys } = bucketOf(request([span(1, 1)]));
  await run({ retain: 'errors 90d, rest 14d' }, AT + 20 * DAY);
  assert.deepEqual(keys(), []);
});

test('retention: units, both orders, and what is kept when', () => {
  assert.deepEqual(parseRetention(' rest 2w ,errors 36h'), { restMillis: 14 * DAY, errorsMillis: 1.5 * DAY });
  assert.deepEqual(keptAt(DAY, { restMillis: DAY }), { errors: true, rest: false, stage: 1 });
  assert.deepEqual(keptAt(DAY - 1, { restMillis: DAY }), { errors: true, rest: true, stage: 0 });
  for (const text of ['', 'rest', 'rest 0d', 'all 3d', 'rest 1d, rest 2d', 7]) {
    assert.throws(() => parseRetention(text), /option "retain" got/);
  }
});
