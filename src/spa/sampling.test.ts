import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SamplingRule } from '../protocol.js';
import { assertLedger } from '../testing/client.js';
import { isExchange } from '../testing/cloud.js';
import { testOrigin } from '../testing/origin.js';
import { type SamplingClient, samplingClient } from '../testing/sampling.js';

const PROBABILITY = 'spandrel.sampling.probability';
const REASON = 'spandrel.sampling.reason';
const RULE: SamplingRule = { id: 'shop', match: { 'spandrel.activity.type': 'load' }, rate: 1 };
const LOAD = { 'spandrel.activity.type': 'load' };

test('sampling: of what is sampled nothing waits here, and the figures are of whole traces', async () => {
  const { platform, startSpan, kept, exporter } = samplingClient();
  const root = startSpan('root');
  startSpan('child', root).end();
  assert.equal(kept.length, 1);
  root.end();
  await platform.advance(1_000);
  const { spans, sampling } = exporter.stats();
  assert.equal(spans.stored, 2);
  assert.deepEqual([sampling.kept, sampling.dropped, sampling.undecided], [1, 0, 0]);
  assert.equal(root.attributes[PROBABILITY], undefined);
});

test('sampling: the kill switch stops recording, and no context says sampled any more', async () => {
  const { platform, cloud, startSpan, exporter } = samplingClient();
  cloud.paused = true;
  const root = startSpan('root');
  startSpan('child', root).end();
  await platform.advance(10_000);
  await exporter.flush();
  assert.equal(exporter.stats().state, 'paused');
  for (const span of [startSpan('after'), startSpan('below', root)]) {
    assert.equal(span.isRecording(), false);
    assert.equal(span.spanContext().traceFlags, 0);
    span.end();
  }
  root.end();
  assert.deepEqual(exporter.stats().spans.dropped, { paused: 2 });
  assertLedger(exporter.stats(), 2);
});

test('sampling: rules come with the endpoint’s answer, and the next page’s first trace obeys them', async () => {
  const origin = testOrigin();
  const first = samplingClient({}, { origin });
  first.cloud.rules = [RULE, { ...RULE, rate: 7 }];
  first.startSpan('any').end();
  await first.platform.advance(2_000);
  assert.deepEqual([first.exporter.stats().sampling.rules, first.exporter.stats().sampling.badRules], [1, 1]);
  await first.processor.shutdown();

  const { platform, cloud, startSpan, kept, exporter } = samplingClient({}, { origin });
  cloud.rules = [RULE];
  startSpan('other').end();
  startSpan('load', undefined, LOAD).end();
  await platform.advance(2_000);
  assert.deepEqual(
    kept.map(({ name, attributes }) => [name, attributes['spandrel.sampling.rule_id']]),
    [['load', 'shop']],
  );
  assert.equal(exporter.stats().sampling.dropped, 1);
  cloud.rules = [];
  await platform.advance(60_000);
  startSpan('load', undefined, LOAD).end();
  await platform.advance(20_000);
  startSpan('other').end();
  assert.equal(kept.at(-1)?.name, 'other', 'rules that are gone are obeyed no more');
});

test('sampling: a page of which nothing is sampled asks the endpoint, once an hour', async () => {
  const origin = testOrigin();
  const { platform, cloud, startSpan, exporter } = samplingClient({ sampleRate: 0 }, { origin });
  cloud.rules = [RULE];
  const asked = () => platform.requests.filter(isExchange).length;
  startSpan('lost').end();
  assert.equal(asked(), 0, 'not in the page’s own task');
  await platform.advance(1_000);
  assert.equal(asked(), 1);
  assert.equal(exporter.stats().sampling.rules, 1);
  for (let minute = 0; minute < 59; minute++) {
    startSpan('lost').end();
    await platform.advance(60_000);
  }
  assert.equal(asked(), 1);
  await platform.advance(61_000);
  startSpan('lost').end();
  await platform.advance(1_000);
  assert.equal(asked(), 2);
  const next = samplingClient({ sampleRate: 0 }, { origin, nowMillis: platform.now() });
  next.startSpan('lost').end();
  await next.platform.advance(10_000);
  assert.deepEqual(next.platform.requests, []);
});

test('sampling: the session decides for all of its traces; by trace each for itself', async () => {
  const session = () => '0af7651916cd43dd8480000000000000';
  const flagsOf = (options: Parameters<typeof samplingClient>[0]) => {
    const { startSpan } = samplingClient(options, { session });
    return new Set(Array.from({ length: 100 }, () => startSpan().spanContext().traceFlags));
  };
  assert.deepEqual([...flagsOf({ sampleRate: 0.5 })], [1]);
  assert.deepEqual([...flagsOf({ sampleRate: 0.49 })], [0]);
  assert.equal(flagsOf({ sampleRate: 0.5, sampleBy: 'trace' }).size, 2);
});

test('sampling: a span that throws costs nobody else, and nothing is thrown', () => {
  const { processor, startSpan, kept, exporter } = samplingClient();
  const garbage = [undefined, {}, { spanContext: () => assert.fail('planted') }];
  for (const span of garbage) {
    processor.onStart(span as never);
    processor.onEnd(span as never);
  }
  startSpan('root').end();
  assert.equal(kept.length, 1);
  assert.equal(exporter.stats().exceptions, 6);
});

test('sampling: under pressure few are kept, and a trace lost to it is not won back by its own rule', async () => {
  const { platform, startSpan, sampling, fail, exporter, kept } = samplingClient({ adaptiveSampling: true });
  exporter.diagnostics.gauge((stats) => {
    stats.buffer.spans = 5_000;
  });
  sampling.rules([RULE]);
  for (let index = 0; index < 256; index++) {
    const root = startSpan('load', undefined, LOAD);
    startSpan('child', root).end();
    root.end();
  }
  await platform.advance(1_000);
  assert.equal(kept.length, 4);
  assert.equal(kept[1]?.attributes[PROBABILITY], 1 / 128);
  fail();
  assert.equal(kept.length, 5, 'errors are kept all the same');
  const { sampling: counted } = exporter.stats();
  assert.deepEqual([counted.kept, counted.dropped], [3, 254]);
});

/** Ends as many traces, and says what those that were kept stand for, by their probability. */
async function estimate(client: SamplingClient, count: number, begin: (index: number) => void) {
  for (let index = 0; index < count; index++) {
    begin(index);
    if (index % 100 === 0) await client.platform.advance(1_000);
  }
  await client.platform.advance(2_000);
  let total = 0;
  let variance = 0;
  for (const { attributes } of client.kept) {
    const probability = Number(attributes[PROBABILITY] ?? 1);
    if (!probability) continue;
    total += 1 / probability;
    // Horvitz and Thompson's own estimate of their variance.
    variance += (1 - probability) / probability ** 2;
  }
  assertLedger(client.exporter.stats());
  return { total, sigma: Math.sqrt(variance) };
}

const COUNT = 5_000;

function assertNear({ total, sigma }: { total: number; sigma: number }): void {
  assert.ok(sigma > 0 && sigma < COUNT * 0.25, `a sigma of ${sigma} says nothing`);
  assert.ok(Math.abs(total - COUNT) <= 3 * sigma, `${total} is not ${COUNT} ± 3 · ${sigma}`);
}

test('estimate: by rate, and what was kept on top for its errors counts for none', async () => {
  const client = samplingClient({ sampleRate: 0.05, sampleBy: 'trace' });
  const { startSpan, fail, kept } = client;
  assertNear(await estimate(client, COUNT, (index) => (index % 5 ? startSpan().end() : fail())));
  const errors = kept.filter(({ status }) => status.code === 2);
  assert.equal(errors.length, COUNT / 5, 'all errors are there');
  const byChance = errors.filter(({ attributes }) => attributes[REASON] === undefined);
  assert.ok(byChance.length > COUNT / 200 && byChance.length < COUNT / 66, String(byChance.length));
});

test('estimate: by rules that overlap, at the start and later', async () => {
  const client = samplingClient();
  client.sampling.rules([
    { ...RULE, id: 1, rate: 0.02 },
    { ...RULE, id: 2, rate: 0.1 },
    { id: 3, match: { 'url.template': '/cart' }, rate: 0.3 },
  ]);
  const estimated = await estimate(client, COUNT, (index) => {
    const root = client.startSpan('load', undefined, LOAD);
    if (index % 2) root.setAttribute('url.template', '/cart');
    root.end();
  });
  assertNear(estimated);
  const ids = client.kept.map(({ attributes }) => attributes['spandrel.sampling.rule_id']);
  for (const id of [1, 2, 3]) assert.ok(ids.includes(id), `rule ${id}`);
});

test('estimate: under pressure, by rules that come to match later as well', async () => {
  for (const rules of [
    [],
    [
      { ...RULE, rate: 0.5 },
      { id: 3, match: { late: true }, rate: 0.75 },
    ],
  ]) {
    const client = samplingClient({ adaptiveSampling: true });
    client.sampling.rules(rules);
    const { diagnostics } = client.exporter;
    let second = 0;
    diagnostics.gauge((stats) => {
      stats.buffer.spans = [0, 2_000, 3_000, 4_500][Math.floor(second++ / 7) % 4] as number;
    });
    const estimated = await estimate(client, COUNT, (index) => {
      const root = client.startSpan('load', undefined, LOAD);
      if (index % 2) root.setAttribute('late', true);
      root.end();
    });
    assert.ok(
      client.kept.some(({ attributes }) => attributes[PROBABILITY] === (rules.length ? 0.5 : 1) / 32),
    );
    assertNear(estimated);
  }
});
