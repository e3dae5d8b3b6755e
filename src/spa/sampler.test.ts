import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type Attributes,
  createTraceState,
  ROOT_CONTEXT,
  type SpanContext,
  SpanKind,
  trace,
} from '@opentelemetry/api';
import { BasicTracerProvider, type SamplingResult } from '@opentelemetry/sdk-trace-web';
import { createSampler, type SamplerDeps, spandrelSampler } from './sampler.js';

/** Randomness 0x40000000000000: kept by 3/4 and more. */
const TRACE_ID = 'aaaaaaaaaaaaaaaaaa40000000000000';
const [NOT_RECORD, RECORD, RECORD_AND_SAMPLED] = [0, 1, 2];

const never: Omit<SamplerDeps, keyof import('./sampler.js').SamplerOptions> = {
  isOn: () => true,
  verdict: () => undefined,
  admit: () => 1,
  decided() {},
  recordsAll: true,
};

function decide(
  deps: Partial<SamplerDeps>,
  parent?: Partial<SpanContext>,
  attributes: Attributes = {},
  traceId = TRACE_ID,
): SamplingResult & { state: string | undefined } {
  const context = parent
    ? trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId: 'b'.repeat(16), traceFlags: 0, ...parent })
    : ROOT_CONTEXT;
  const sampler = createSampler({ ...never, ...deps });
  const result = sampler.shouldSample(context, traceId, 'work', SpanKind.INTERNAL, attributes, []);
  return { ...result, state: result.traceState?.serialize() };
}

test('sampler: a root is kept when its randomness is not below the threshold, and says its share', () => {
  const kept = decide({ sampleRate: 0.75 });
  assert.equal(kept.decision, RECORD_AND_SAMPLED);
  assert.equal(kept.state, 'ot=th:4');
  assert.deepEqual(kept.attributes, { 'spandrel.sampling.probability': 0.75 });
  const lost = decide({ sampleRate: 0.74 });
  assert.equal(lost.decision, RECORD);
  assert.equal(lost.state, undefined);
  assert.equal(decide({ sampleRate: 0 }, {}, {}, 'f'.repeat(32)).decision, RECORD);
});

test('sampler: where all is kept, nothing is said', () => {
  const { decision, state, attributes } = decide({});
  assert.deepEqual([decision, state, attributes], [RECORD_AND_SAMPLED, undefined, {}]);
});

test('sampler: a session is kept whole or not at all, and its services are told the randomness', () => {
  const ids = Array.from({ length: 50 }, (_, index) => `${index}`.padStart(32, '7'));
  for (const [session, decision] of [
    ['0af7651916cd43dd84e0000000000000', RECORD_AND_SAMPLED],
    ['0af7651916cd43dd84dfffffffffffff', RECORD],
  ] as const) {
    const results = ids.map((id) =>
      decide({ sampleRate: 0.125, sessionId: () => session }, undefined, {}, id),
    );
    assert.deepEqual([...new Set(results.map((result) => result.decision))], [decision]);
    const rv = `rv:${session.slice(-14)}`;
    const expected = decision === RECORD ? `ot=${rv}` : `ot=th:e;${rv}`;
    assert.deepEqual([...new Set(results.map(({ state }) => state))], [expected]);
  }
});

test('sampler: a session without random digits leaves it to the trace’s id', () => {
  assert.equal(decide({ sampleRate: 0.75, sessionId: () => 'user 7' }).state, 'ot=th:4');
  assert.equal(decide({ sampleRate: 0.74, sessionId: () => '' }).decision, RECORD);
});

test('sampler: children follow the local parent, and are not asked about', () => {
  const deps = { sampleRate: 0.5, admit: () => assert.fail('asked'), verdict: () => assert.fail('asked') };
  assert.deepEqual(decide(deps, { traceFlags: 1 }), { decision: RECORD_AND_SAMPLED, state: undefined });
  assert.deepEqual(decide(deps, { traceFlags: 0 }), { decision: RECORD, state: undefined });
  assert.equal(decide({ ...deps, recordsAll: false }, { traceFlags: 0 }).decision, NOT_RECORD);
});

test('sampler: a remote parent’s flag decides nothing; its randomness does', () => {
  const remote = (traceFlags: number, state = '') => ({
    traceFlags,
    isRemote: true,
    ...(state && { traceState: createTraceState(state) }),
  });
  for (const flags of [0, 1]) {
    assert.equal(decide({ sampleRate: 0.74 }, remote(flags)).decision, RECORD);
    assert.equal(decide({ sampleRate: 0.75 }, remote(flags)).decision, RECORD_AND_SAMPLED);
  }
  const named = decide({ sampleRate: 0.01 }, remote(0, 'ot=th:fd70a4;rv:fffffffffffff0,congo=t61'));
  assert.equal(named.decision, RECORD_AND_SAMPLED);
  assert.equal(named.state, 'ot=th:fd70a;rv:fffffffffffff0,congo=t61');
  const lost = decide({ sampleRate: 0.5 }, remote(1, 'ot=th:0;rv:00000000000000,congo=t61'));
  assert.equal(lost.decision, RECORD);
  assert.equal(lost.state, 'ot=rv:00000000000000,congo=t61');
  // Only who begins a trace may name another randomness.
  const session = { sampleRate: 0.75, sessionId: () => '0'.repeat(32) };
  assert.equal(decide(session, remote(1)).decision, RECORD_AND_SAMPLED);
});

test('sampler: an invalid parent is none', () => {
  const invalid = { traceId: '0'.repeat(32), traceFlags: 1 };
  assert.equal(decide({ sampleRate: 0.5 }, invalid).decision, RECORD);
});

test('sampler: whoever keeps more keeps all that we keep', () => {
  const ids = Array.from({ length: 2_000 }, (_, index) =>
    ((index * 2_654_435_761) % 2 ** 32).toString(16).padStart(8, '0').repeat(4),
  );
  const keptBy = (sampleRate: number) =>
    new Set(ids.filter((id) => decide({ sampleRate }, undefined, {}, id).decision === RECORD_AND_SAMPLED));
  const [some, more] = [keptBy(0.1), keptBy(0.3)];
  assert.ok(some.size > 100 && more.size > some.size);
  for (const id of some) assert.ok(more.has(id));
});

test('sampler: rules take the place of the rate, without a threshold; pressure multiplies, and takes it away', () => {
  const won = { isWon: true, id: 7, probability: 0.5 };
  const ruled = decide(
    { sampleRate: 0, verdict: () => won },
    { isRemote: true, traceState: createTraceState('ot=th:8') },
  );
  assert.equal(ruled.decision, RECORD_AND_SAMPLED);
  assert.deepEqual(ruled.attributes, {
    'spandrel.sampling.probability': 0.5,
    'spandrel.sampling.rule_id': 7,
  });
  assert.equal(ruled.state, '');
  assert.equal(decide({ verdict: () => ({ ...won, isWon: false, id: undefined }) }).decision, RECORD);
  const pressed = decide({ sampleRate: 0.75, admit: () => 1 / 32 });
  assert.deepEqual(pressed.attributes, { 'spandrel.sampling.probability': 0.75 / 32 });
  assert.equal(pressed.state, undefined);
  assert.equal(decide({ admit: () => 0 }).decision, RECORD);
});

test('sampler: while nothing is collected nothing is recorded, children of the sampled included', () => {
  const off = { isOn: () => false };
  assert.equal(decide(off).decision, NOT_RECORD);
  assert.equal(decide(off, { traceFlags: 1 }).decision, NOT_RECORD);
});

test('spandrelSampler: in a provider of the app’s own', () => {
  const provider = new BasicTracerProvider({ sampler: spandrelSampler({ sampleRate: 0.5 }) });
  const tracer = provider.getTracer('app');
  const roots = Array.from({ length: 200 }, () => tracer.startSpan('root', {}, ROOT_CONTEXT));
  const sampled = roots.filter((span) => span.spanContext().traceFlags);
  assert.ok(sampled.length > 50 && sampled.length < 150, String(sampled.length));
  for (const span of sampled) assert.equal(span.spanContext().traceState?.serialize(), 'ot=th:8');
  for (const span of roots) assert.equal(span.isRecording(), sampled.includes(span));
  const [first] = sampled;
  assert.ok(first);
  const child = tracer.startSpan('child', {}, trace.setSpan(ROOT_CONTEXT, first));
  assert.deepEqual(
    [child.spanContext().traceFlags, child.spanContext().traceState?.serialize()],
    [1, 'ot=th:8'],
  );
  assert.equal(String(spandrelSampler()), 'SpandrelSampler{1}');
});

for (const sampleRate of [-0.1, 1.1, '1', Number.NaN, null]) {
  test(`spandrelSampler: a rate cannot be ${JSON.stringify(sampleRate)}`, () => {
    assert.throws(
      () => spandrelSampler({ sampleRate: sampleRate as number }),
      /TypeError: spandrel: option "sampleRate"/,
    );
  });
}
